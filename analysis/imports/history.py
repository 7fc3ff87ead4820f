"""What a foreign log says of one run: metrics by step, and its configuration where it holds one."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rewards.bounded_file import MIB
from sweeper.host.errors import ResultsError
from sweeper.rows.curve import TRAINED, joined

Metrics = dict[str, float]
Records = list[tuple[int, dict[str, Any]]]
MOST_ATTEMPTS = 20  # of a source whose attempts hold fewer than three steps: above it the order says nothing
MOST_BYTES = 256 * MIB  # of a source
MOST_VALUES = 4_000_000  # of a source: 10,000 steps of 400 metrics, at some 100 bytes of memory
MOST_STEP = 2**53  # the last whole number that a float can hold


@dataclass(frozen=True, kw_only=True)
class History:
    """Metrics of a run under the names its logger used.

    Attributes:
        name: As its logger, or its file, calls it.
        kind: What was read: wandb, verl metrics, verl console, table.
        steps: Ascending steps and their finite numbers.
        config: Dotted key to value; empty where the source holds none.
        finished: Whether it ended well; None: the source does not say.
        summary: The row of a run of ours, by the names that a tracker has it under; empty: it holds none.
        path: The first file it was read from.
        sha256: Of all of them.
        said: What the reader guessed, put right or left out: topic to a sentence with counts.
    """

    name: str
    kind: str
    steps: tuple[tuple[int, Metrics], ...]
    config: Mapping[str, Any] = field(default_factory=dict)
    finished: bool | None = None
    summary: Mapping[str, Any] = field(default_factory=dict)
    path: Path = Path()
    sha256: str = ""
    said: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, records: Iterable[tuple[int, Mapping[str, Any]]], **about: Any) -> "History":
        """From (step, values) in the order logged; a later value of a step replaces an earlier one.

        Raises:
            ResultsError: no step has a number, or one is beyond `MOST_STEP`.
        """
        steps: dict[int, Metrics] = {}
        for step, values in records:
            if abs(step) > MOST_STEP:
                raise ResultsError(f"{about['name']} ({about['kind']}): a step of {len(str(step))} digits is none")
            numbers = {str(key): number(value) for key, value in values.items()}
            steps.setdefault(step, {}).update({key: value for key, value in numbers.items() if value is not None})
        found = tuple((step, steps[step]) for step in sorted(steps) if steps[step])
        if not found and not about.get("summary"):
            raise ResultsError(f"{about['name']} ({about['kind']}) has no step with a number: nothing to import")
        return cls(steps=found, **about)


def runs(records: Iterable[tuple[int, Mapping[str, Any]]], *, one: bool = False, **about: Any) -> list[History]:
    """The runs of a log in the order written: where steps fall, an attempt resumed or another run began.

    What a resumed run had trained beyond its checkpoint is left out (`sweeper.rows.curve.joined`). An attempt that
    begins no later than the first of its run is another run.

    Args:
        records: (step, values) in the order written.
        one: All attempts are of one run, whatever they begin with.
        about: Fields of the histories; several runs are numbered after the name.

    Raises:
        ResultsError: as `History.of`, or the steps are in no order.
    """
    tries = _attempts(records)
    if len(tries) > MOST_ATTEMPTS and sum(map(len, tries)) < 3 * len(tries):
        raise ResultsError(
            f"{about['name']} ({about['kind']}): its steps repeat and fall {len(tries) - 1} times: are these several "
            "runs? put each into a file of its own, or its name into a column called run"
        )
    found: list[list[Records]] = []
    for steps in tries:
        if found and (one or steps[0][0] > found[-1][0][0][0]):
            found[-1].append(steps)
        else:
            found.append([steps])
    return [_run(parts, number if len(found) > 1 else None, about) for number, parts in enumerate(found or [[]], 1)]


def _run(parts: list[Records], number: int | None, about: Mapping[str, Any]) -> History:
    steps = joined(parts)
    said = dict(about.get("said") or {})
    if number:
        said["runs"] = f"steps begin again in this source: run {number} of several"
    if len(parts) > 1:
        made = sum(map(len, parts))
        begun = ", ".join(str(part[0][0]) for part in parts[1:])
        said["attempts"] = f"resumed at {begun}: {made - len(steps)} steps of earlier attempts left out or made again"
    name = f"{about['name']}-{number}" if number else about["name"]
    return History.of(steps.items(), **{**about, "name": name, "said": said})


def _attempts(records: Iterable[tuple[int, Mapping[str, Any]]]) -> list[Records]:
    """Steps in rising order within each; a training step that is made twice begins the next."""
    found: list[Records] = []
    for step, values in records:
        last = found[-1][-1] if found else None
        if last is None or step < last[0] or (step == last[0] and TRAINED in values and TRAINED in last[1]):
            found.append([(step, dict(values))])
        elif step == last[0]:
            last[1].update(values)
        else:
            found[-1].append((step, dict(values)))
    return found


def counted(records: Iterable[tuple[int, Mapping[str, Any]]]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The records of a source as they come.

    Raises:
        ValueError: they hold more than `MOST_VALUES`.
    """
    values = 0
    for record in records:
        values += len(record[1])
        if values > MOST_VALUES:
            raise ValueError(f"it holds more than {MOST_VALUES:,} values; export fewer metrics")
        yield record


def number(value: object) -> float | None:
    """A finite number, or None: a logger's NaN is no measurement."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None
