"""The curves of runs, metric by metric, remembered until a run logs more.

The usual metrics of a finished run come from its row, which is small; every other metric, and those of a run without a
row, from what verl logs.
"""

import math
from array import array
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from threading import Lock
from typing import Any

from rewards.bounded_file import read_json
from sweeper.dashboard.words import told, told_in
from sweeper.host.errors import DamagedError
from sweeper.host.files import undamaged
from sweeper.rows.curve import curve_point, read_steps
from sweeper.rows.curve_point import signals
from sweeper.rows.row import ROW_CURE, row_path
from sweeper.runs.folder import RunDir
from sweeper.spec.run_id import RunId

USUAL = {  # titles by the name of a `CurvePoint`'s field, or of one of its signals
    "reward": "training reward",
    "val_pass1": "validation accuracy",
    "entropy": "entropy",
    "kl": "KL to the reference",
    "response_length": "response length, tokens",
    "groups_without_signal": "groups without signal, share",
    "groups_all_right": "groups all right, share",
    "discarded_groups": "groups thrown away",
    "truncated": "responses at the longest length, share",
    "clip_share": "tokens clipped, share",
    "grad_norm": "gradient norm",
    "tokens_per_s": "tokens per second",
    "seconds": "seconds per step",
    "probs_diff": "rollout and trainer probabilities apart",
}
MOST_POINTS = 60_000  # in one answer; of more, every second, third ... point of each curve is told
_MOST_NUMBERS = 20_000_000  # that are remembered: 160 MB
_DIGITS = 6

Columns = dict[str, tuple["array[int]", "array[float]"]]  # steps and values by metric
Stamp = tuple[tuple[str, int, int, int], ...]


class Curves:
    """The curves of a results folder's runs; several threads may ask."""

    def __init__(self, results_dir: Path) -> None:
        self._results_dir = results_dir
        self._lock = Lock()
        self._known: OrderedDict[tuple[str, bool], tuple[Stamp, Columns]] = OrderedDict()
        self._numbers = 0

    def read(self, run_ids: Sequence[str], metric: str) -> dict[str, Any]:
        """One metric of some runs, as JSON has it: steps and values by run, and which point of each is told.

        A run that has not logged the metric is left out; `damaged` names those of which a file cannot be read.
        """
        found: dict[str, tuple[array[int], array[float]]] = {}
        damaged = []
        with self._lock:
            for run_id in run_ids:
                try:
                    columns = self._columns(run_id, usual=metric in USUAL)
                except (DamagedError, OSError, ValueError) as error:
                    damaged.append(told(f"{run_id}: {error}"))
                    continue
                if metric in columns:
                    found[run_id] = columns[metric]
        every = max(1, math.ceil(sum(len(steps) for steps, _ in found.values()) / MOST_POINTS))
        curves = {told_in(run_id): [[*steps[::every]], [*values[::every]]] for run_id, (steps, values) in found.items()}
        title = told(USUAL.get(metric, metric))
        return {"metric": told(metric), "title": title, "every": every, "curves": curves, "damaged": damaged}

    def names(self, run_id: str) -> list[str]:
        """The metrics that a run has: the usual ones first, then verl's by their names."""
        found: set[str] = set()
        with self._lock, suppress(DamagedError, OSError, ValueError):
            found |= set(self._columns(run_id, usual=True))
            found |= set(self._columns(run_id, usual=False))
        return [*(name for name in USUAL if name in found), *sorted(found - set(USUAL))]

    def _columns(self, run_id: str, *, usual: bool) -> Columns:
        run_dir = RunDir(results_dir=self._results_dir, run_id=RunId(run_id))
        row = row_path(self._results_dir, run_id)
        logs = [attempt.metrics for attempt in run_dir.attempts()]
        if usual and row.exists():
            columns = self._remembered((run_id, True), [row], lambda: _of_row(row))
            if columns or not logs:
                return columns
        return self._remembered((run_id, False), logs, lambda: _of_logs(logs))

    def _remembered(self, key: tuple[str, bool], files: Sequence[Path], read: Any) -> Columns:
        stamp = _stamp(files)
        known = self._known.get(key)
        if known is not None and known[0] == stamp:
            self._known.move_to_end(key)
            return known[1]
        if known is not None:
            self._numbers -= _size(known[1])
            del self._known[key]
        columns: Columns = read()
        self._known[key] = stamp, columns
        self._numbers += _size(columns)
        while self._numbers > _MOST_NUMBERS and len(self._known) > 1:
            _, (_, dropped) = self._known.popitem(last=False)
            self._numbers -= _size(dropped)
        return columns


def _stamp(files: Iterable[Path]) -> Stamp:
    found = []
    for path in files:
        with suppress(FileNotFoundError):
            about = path.stat()
            found.append((str(path), about.st_ctime_ns, about.st_mtime_ns, about.st_size))
    return tuple(found)


def _size(columns: Columns) -> int:
    return sum(2 * len(steps) for steps, _ in columns.values())


def _of_row(path: Path) -> Columns:
    """The usual metrics of a row, without its full validation; empty: it has no curve."""
    with undamaged(path, cure=ROW_CURE):
        return _in_columns((int(point["step"]), _usual(point)) for point in read_json(path)["curve"])


def _of_logs(paths: Sequence[Path]) -> Columns:
    """Everything that the attempts of a run logged."""
    steps = read_steps(paths)
    return _in_columns((step, {**data, **_usual(asdict(curve_point(step, data)))}) for step, data in steps.items())


def _usual(point: Mapping[str, Any]) -> dict[str, Any]:
    return {name: point.get(name) for name in USUAL} | signals(point)


def _in_columns(points: Iterable[tuple[int, Mapping[str, Any]]]) -> Columns:
    found: Columns = {}
    for step, data in points:
        for name, value in data.items():
            if isinstance(value, int | float) and math.isfinite(value):
                steps, values = found.setdefault(name, (array("q"), array("d")))
                steps.append(step)
                values.append(float(f"{value:.{_DIGITS}g}"))
    return found
