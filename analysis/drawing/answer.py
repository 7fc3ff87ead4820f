"""What a question of the field gets for an answer: a sentence, tables, figures as data, and what it rests on.

A renderer needs no statistics: every interval is computed, every line is sampled, every status has its reason. The
JSON form holds the same; a number that is not known is null.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

import pandas as pd

from analysis.passk.estimate import Estimate

LONGEST = 30  # words of a verdict


class Status(StrEnum):
    """Whether the rows answer the question."""

    answered = "answered"  # "no difference was found" and "equivalent" are answers too
    not_identified = "not_identified"  # measurements are there, but they do not determine the quantity asked for
    missing = "missing"  # runs or measurements that the question needs are not there


class Mark(StrEnum):
    """How a trace is drawn."""

    point = "point"
    hollow = "hollow"  # held out of the fit
    line = "line"  # inside the data
    dashed = "dashed"  # outside the data, or a baseline
    band = "band"  # the area from `low` to `high`; `y` is its middle


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """An axis.

    Attributes:
        label: With its unit.
        log: Logarithmic, all values positive.
        least: What no value can be below; None: nothing.
        most: What no value can be above; None: nothing.
    """

    label: str
    log: bool = False
    least: float | None = None
    most: float | None = None

    @classmethod
    def share(cls, label: str, *, log: bool = False) -> "Scale":
        """Of values in [0, 1], such as pass@1."""
        return cls(label=label, log=log, least=0.0, most=1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Points, a line or a band.

    Attributes:
        label: For the legend.
        group: Traces of one group have one colour (a size, an arm).
        mark: How it is drawn.
        x: Ascending for lines and bands.
        y: As long as x.
        low: Lower ends, as long as x, None where there is no interval; empty: no intervals at all.
        high: Upper ends likewise.
    """

    label: str
    group: str
    mark: Mark
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()

    @classmethod
    def of(
        cls, label: str, group: str, x: Iterable[float], values: Iterable[Estimate], mark: Mark = Mark.point
    ) -> "Trace":
        """At least one value with its interval."""
        y, low, high = zip(*values, strict=True)
        return cls(label=label, group=group, mark=mark, x=tuple(map(float, x)), y=y, low=low, high=high)


def band_and_line(
    label: str,
    group: str,
    x: Iterable[float],
    y: Iterable[float],
    ends: Iterable[Iterable[float]],
    *,
    band: str,
    mark: Mark = Mark.line,
) -> tuple[Trace, Trace]:
    """A line with the area between the two ends of its interval, which has the label `band`."""
    places, middle = tuple(map(float, x)), tuple(map(float, y))
    low, high = (tuple(map(float, end)) for end in ends)
    return (
        Trace(label=band, group=group, mark=Mark.band, x=places, y=middle, low=low, high=high),
        Trace(label=label, group=group, mark=mark, x=places, y=middle),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Guide:
    """A straight line at a value of the horizontal (`x`) or vertical (`y`) axis."""

    axis: str  # x | y
    value: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Traces over two axes."""

    title: str
    x: Scale
    y: Scale
    traces: tuple[Trace, ...]
    guides: tuple[Guide, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Panels:
    """Charts side by side with the same limits and one legend: a group has its colour in all of them."""

    title: str
    charts: tuple[Chart, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One line of a forest plot; `value` None: not measured, `note` says why."""

    label: str
    value: float | None
    low: float | None = None
    high: float | None = None
    note: str = ""

    @classmethod
    def of(cls, label: str, found: Estimate, note: str = "") -> "Bar":
        """A line with an interval."""
        return cls(label=label, value=found.value, low=found.low, high=found.high, note=note)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forest:
    """Values with intervals, one per line, on one axis."""

    title: str
    axis: Scale
    bars: tuple[Bar, ...]
    guides: tuple[Guide, ...] = ()  # of axis "x"

    @classmethod
    def of_differences(cls, title: str, axis: str, bars: Iterable[Bar], *, zero: str) -> "Forest":
        """With a line at 0, which is called `zero`."""
        guide = Guide(axis="x", value=0.0, label=zero)
        return cls(title=title, axis=Scale(label=axis), bars=tuple(bars), guides=(guide,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell of a heat map; `value` None: no number, `note` says why. `mark`: what is printed after the value."""

    value: float | None
    low: float | None = None
    high: float | None = None
    mark: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatMap:
    """A matrix: `cells[i][j]` belongs to `rows[i]` and `columns[j]`; `centre` is the neutral value of its colours."""

    title: str
    row_label: str
    column_label: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[Cell, ...], ...]
    centre: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """One line of a figure of shares: `shares` in [0, 1] in the order of its parts, `note` at its end."""

    label: str
    shares: tuple[float, ...]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stacks:
    """What wholes consist of, one per line."""

    title: str
    axis: Scale
    parts: tuple[str, ...]
    lines: tuple[Stack, ...]


Figure = Chart | Panels | Forest | HeatMap | Stacks


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The answer to one question from one selection of runs.

    Attributes:
        name: Key of `analysis.questions.QUESTIONS`.
        question: In words.
        verdict: One short sentence, at most `LONGEST` words and no stronger than its interval.
        text: The whole answer, with the numbers and intervals of every setting, or with what is missing.
        status: Whether there is an answer.
        reason: Why there is none; None exactly when the status is `answered`.
        tables: By name; a missing number is NaN or None.
        figures: By name.
        notes: Assumptions, the unit of resampling, numbers of runs, seeds and problems, what was left out.
    """

    name: str
    question: str
    verdict: str
    text: str
    status: Status
    reason: str | None = None
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    figures: Mapping[str, Figure] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a status without its reason, or a reason beside an answer."""
        if (self.status is Status.answered) == (self.reason is not None):
            raise ValueError(f"{self.name}: status {self.status} with reason {self.reason!r}")


def answer_json(answer: Answer) -> dict[str, Any]:
    """An answer as JSON values: tables as lists of objects, figures with their `kind`, NaN as null."""
    values: dict[str, Any] = {
        "name": answer.name,
        "question": answer.question,
        "status": str(answer.status),
        "reason": answer.reason,
        "verdict": answer.verdict,
        "text": answer.text,
        "tables": {name: table.to_dict(orient="records") for name, table in answer.tables.items()},
        "figures": {name: {"kind": type(item).__name__, **asdict(item)} for name, item in answer.figures.items()},
        "notes": list(answer.notes),
    }
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "item"):  # numpy scalars
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, StrEnum) else value
