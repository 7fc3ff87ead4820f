"""The traces of a chart as the rows that are drawn: as many as a screen shows, each with its texts for the pointer."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.drawing.answer import Chart, Mark, Trace
from analysis.drawing.axes import Axis
from analysis.drawing.view import Columns, value_text
from analysis.passk.estimate import Estimate

POINTS = (Mark.point, Mark.hollow)
MOST_POINTS, MOST_PLACES = 60, 200  # of a trace: of its points, and of its line or band
MOST_ROWS = 800  # of a figure
FEWEST = 8  # of a trace, however many traces there are
MOST_GROUPS = 16  # of a view: more cannot be told apart
MANY_POINTS = 25  # of a trace: more are drawn as dots
BIG, SMALL = 55, 12  # square pixels of a point
BESIDE, WIDEST = 0.02, 0.08  # of the axis: between the points of two groups at one x, and between the outermost
FULL = 0.9  # of the height of a panel, from which a band says nothing
NAMES = ("trace", "label", "group", "mark", "x", "y", "low", "high", "size", "place", "value")


@dataclass(frozen=True, slots=True)
class Drawn:
    """What of a chart is drawn.

    Attributes:
        columns: `size` is 0 in the rows of lines and bands; `low` and `high` are None where nothing is drawn.
        said: Sentences on what is not drawn.
        bands: Whether there is a band.
        intervals: Whether a point has an interval.
    """

    columns: Columns
    said: tuple[str, ...]
    bands: bool
    intervals: bool


def rows_of(chart: Chart, x: Axis, y: Axis, traces: int) -> Drawn:
    """Rows in the order of the traces; points of several groups at one x stand side by side.

    Args:
        chart: Of which at most `MOST_GROUPS` groups are drawn.
        x: Its horizontal axis.
        y: Its vertical axis.
        traces: How many there are in the whole figure.
    """
    beside, said, full = _beside(chart), dict[str, None](), dict[str, None]()
    rows: list[tuple[Any, ...]] = []
    groups = list(dict.fromkeys(trace.group for trace in chart.traces))
    every = -(-len(groups) // MOST_GROUPS)
    shown = groups[::every] if every else []
    if len(shown) < len(groups):
        said[f"Drawn: {len(shown)} of {len(groups)} series, evenly chosen; the files hold all."] = None
    for number, trace in enumerate(trace for trace in chart.traces if trace.group in shown):
        kept = _kept(trace, -(-traces // max(every, 1)))
        if len(kept) < len(trace.x):
            said[_thinned(trace, kept)] = None
        empty = _covers_all(trace, y)
        if empty:
            full[f'"{trace.label}"'] = None
        share = beside.get(trace.group, 0.0) if trace.mark in POINTS else 0.0
        rows += _rows(number, trace, kept, x, y, share, empty=empty)
    if full:
        several = len(full) > 1
        verbs = ("The bands", "fill", "are") if several else ("The band", "fills", "is")
        said[f"{verbs[0]} {' and '.join(full)} {verbs[1]} this panel and {verbs[2]} not drawn."] = None
    columns = dict(zip(NAMES, map(list, zip(*rows, strict=True)) if rows else ([] for _ in NAMES), strict=True))
    found = {size > 0 for size, low in zip(columns["size"], columns["low"], strict=True) if low is not None}
    return Drawn(columns, tuple(said), bands=False in found, intervals=True in found)


def _rows(
    number: int, trace: Trace, kept: Sequence[int], x: Axis, y: Axis, share: float, *, empty: bool
) -> Iterator[tuple[Any, ...]]:
    is_point = trace.mark in POINTS
    size = (SMALL if len(trace.x) > MANY_POINTS else BIG) if is_point else 0
    for i in kept:
        value = Estimate(trace.y[i], *((trace.low[i], trace.high[i]) if trace.low else (None, None)))
        place = x.at(x.share(trace.x[i]) + share) if share else trace.x[i]
        ends: tuple[float | None, float | None] = (None, None)
        if not empty and value.low is not None and value.high is not None:
            ends = y.held(value.low), y.held(value.high)
        series = (number, trace.label, trace.group, str(trace.mark))
        yield (*series, *map(_lean, (place, value.value, *ends)), size, x.text(trace.x[i]), value_text(value))


def _lean(value: float | None) -> float | None:
    """Five digits: a screen shows four."""
    return None if value is None else float(f"{value:.5g}")


def _kept(trace: Trace, traces: int) -> list[int]:
    """Every so-manieth place, the last one included."""
    most = min(MOST_POINTS if trace.mark in POINTS else MOST_PLACES, max(FEWEST, MOST_ROWS // traces))
    n = len(trace.x)
    every = -(-n // most)
    kept = list(range(0, n, max(every, 1)))
    return kept if not n or kept[-1] == n - 1 else [*kept, n - 1]


def _thinned(trace: Trace, kept: Sequence[int]) -> str:
    every = kept[1] - kept[0]
    ending = {1: "st", 2: "nd", 3: "rd"}.get(every % 10 if every % 100 not in (11, 12, 13) else 0, "th")
    return f"Drawn: every {every}{ending} of {len(trace.x):,} points of a series; the files hold all."


def _covers_all(trace: Trace, y: Axis) -> bool:
    """Whether a band or the band of a line fills its panel."""
    known = [
        (low, high) for low, high in zip(trace.low, trace.high, strict=True) if low is not None and high is not None
    ]
    if trace.mark in POINTS or not known:
        return False
    return all(abs(y.share(y.held(high)) - y.share(y.held(low))) > FULL for low, high in known)


def _beside(chart: Chart) -> dict[str, float]:
    """Shares of the axis by which the points of a group stand beside their x: intervals would hide one another."""
    groups: dict[float, set[str]] = {}
    for trace in chart.traces:
        if trace.mark in POINTS and any(low is not None for low in trace.low):
            for x in trace.x:
                groups.setdefault(x, set()).add(trace.group)
    crowded = {group for found in groups.values() if len(found) > 1 for group in found}
    order = list(dict.fromkeys(trace.group for trace in chart.traces if trace.group in crowded))
    step = min(BESIDE, WIDEST / max(1, len(order) - 1))
    return {group: step * (i - (len(order) - 1) / 2) for i, group in enumerate(order)}
