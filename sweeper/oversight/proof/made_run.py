"""A run that a proof makes, from the command to what it left."""

import math
import re
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from rewards.bounded_file import read_text
from sweeper.host.json_lines import MOST_BYTES, json_lines
from sweeper.host.process import run_child
from sweeper.oversight.proof.line import Bounds, Line, judged
from sweeper.oversight.proof.trial import Trial, spec_of
from sweeper.rows.curve import TRAINED
from sweeper.rows.curve_point import CurvePoint
from sweeper.runs.folder import RunDir
from sweeper.spec.run import RunSpec

PROBABILITY = 0.01  # mean difference between engine and actor, at most: bfloat16 leaves 0.001 to 0.005

_KV = re.compile(r"GPU KV cache size: ([\d,]+) tokens")  # vLLM's word at its start


@dataclass(frozen=True)
class MadeRun:
    """A run of the program as a user starts it, in a results folder of its own.

    Attributes:
        trial: Where.
        name: Of its results folder and log.
        overrides: All but the results folder's.
    """

    trial: Trial
    name: str
    overrides: tuple[str, ...]

    @cached_property
    def spec(self) -> RunSpec:
        """What it is."""
        return spec_of(self.overrides)

    @property
    def run_dir(self) -> RunDir:
        """Its folder."""
        return RunDir(results_dir=self.trial.folder / self.name, run_id=self.spec.run_id)

    def start(self, on_tick: Callable[[], None]) -> float:
        """Run the command to its end; returns the wall seconds.

        Raises:
            RunFailedError: it ended with an error; or whatever `on_tick` raised, with all its processes killed.
        """
        command = [sys.executable, "-m", "sweeper", *self.overrides, f"results_dir={self.run_dir.results_dir}", "--yes"]
        log = self.trial.folder / f"{self.name}.log"
        return run_child(command, log=log, env=self.trial.variables, on_tick=on_tick)

    def logged_by_attempt(self) -> list[dict[int, dict[str, Any]]]:
        """What verl logged in every attempt, by step."""
        return [metrics(attempt.metrics) for attempt in self.run_dir.attempts()]

    def logged(self) -> dict[int, dict[str, Any]]:
        """The same of the last attempt; empty: there is none yet."""
        return next(reversed(self.logged_by_attempt()), {})

    def steps(self) -> list[int]:
        """The steps that the last attempt trained, ascending."""
        return [step for step, data in self.logged().items() if TRAINED in data]

    def phase(self) -> str | None:
        """What its job does now; None: it has not said so yet."""
        attempts = self.run_dir.attempts()
        beat = attempts[-1].heartbeat() if attempts else None
        return None if beat is None else beat.phase

    def kv_tokens(self) -> int | None:
        """Tokens that vLLM's cache holds in training; None: its log has no such line."""
        found = _KV.search(read_text(self.run_dir.attempts()[-1].log, MOST_BYTES, errors="replace"))
        return int(found[1].replace(",", "")) if found else None


def metrics(path: Path) -> dict[int, dict[str, Any]]:
    """The metrics file of verl, by step; a torn last line is nothing."""
    found: dict[int, dict[str, Any]] = {}
    for _, record in json_lines(path, skip_damaged=True) if path.exists() else ():
        found.setdefault(int(record["step"]), {}).update(record["data"])
    return found


def series(logged: dict[int, dict[str, Any]], key: str) -> list[float]:
    """The values of one metric in the order of the steps that have it."""
    return [float(data[key]) for _, data in sorted(logged.items()) if data.get(key) is not None]


def typical(values: Sequence[float]) -> float | None:
    """The median without the first step, which compiles and warms up; None: there is no other."""
    return statistics.median(values[1:]) if len(values) > 1 else None


def difference(who: str, curve: Sequence[CurvePoint]) -> Line:
    """Whether the engine samples from the actor's weights in every step of a curve."""
    values = [point.probs_diff for point in curve if point.probs_diff is not None]
    return judged(
        f"rollout_probs_diff_mean of {who}, largest of {len(values)} steps",
        "",
        max(values, key=lambda value: (math.isnan(value), value), default=None),  # no number is the worst
        Bounds(least=0.0, most=PROBABILITY),
        beside=PROBABILITY,
        whose="at most",
        note="" if values else "verl logged none",
    )
