"""What a foreign log says of one run: metrics by step, and its configuration where it holds one."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rewards.bounded_file import MIB
from sweeper.host.errors import ResultsError

Metrics = dict[str, float]
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
    """

    name: str
    kind: str
    steps: tuple[tuple[int, Metrics], ...]
    config: Mapping[str, Any] = field(default_factory=dict)
    finished: bool | None = None
    summary: Mapping[str, Any] = field(default_factory=dict)
    path: Path = Path()
    sha256: str = ""

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
