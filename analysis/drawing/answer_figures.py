"""The figures of an answer, drawn: charts, forests of intervals, heat maps."""

import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from itertools import zip_longest

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import TwoSlopeNorm
from matplotlib.ticker import FuncFormatter, MaxNLocator
from matplotlib.transforms import ScaledTranslation

from analysis.drawing.answer import Bar, Cell, Chart, Forest, Guide, HeatMap, Mark, Scale, Trace
from analysis.drawing.answer import Figure as Asked
from analysis.drawing.axes import log_x, log_y
from analysis.drawing.page import Figure, Key
from analysis.drawing.style import MARKERS, NEUTRAL, PALETTE, Look, ramp
from analysis.drawing.svg import HEIGHT_IN, WIDTH_IN, inline_svg, new_panel, style
from analysis.runs.selection import ALL_RUNS

LABEL_WIDTH = 26  # characters before a label of a forest is broken
NOTE_WIDTH = 52  # characters of a reason inside a forest
MOST_BARS = 24  # of a forest
MANY_POINTS = 25  # of a trace: more are drawn as dots, and not all of them
MOST_GROUPS = 10  # in a legend
BESIDE = 4.0  # points between the intervals of two groups at one x
WIDEST = 20.0  # points between the first and the last of them
DIVERGING = "PuOr"  # stays apart for colour-blind readers, pale at its centre


def draw(asked: Asked, *, name: str) -> Figure:
    """A figure of an answer; `name` is the stem of its data and unique in the page."""
    with style(name):
        if isinstance(asked, Chart):
            return _chart(asked, name)
        if isinstance(asked, Forest):
            return _forest(asked, name)
        return _heat_map(asked, name)


def _chart(chart: Chart, name: str) -> Figure:
    figure, axes = new_panel(chart.title)
    looks = _looks(chart)
    offsets = _offsets(chart)
    room = max(map(abs, offsets.values()), default=0.0)
    axes.set_xmargin(0.05 + room / (72 * axes.get_position().width * WIDTH_IN))
    for trace in chart.traces:
        _draw_trace(axes, trace, looks[trace.group], offsets.get(trace.group, 0.0))
    for guide in chart.guides:
        _draw_guide(axes, guide, height=0)  # the title is above
    _scale_y(axes, chart.y)
    _scale_x(axes, chart.x)
    records = [
        {
            "trace": trace.label,
            "group": trace.group,
            "mark": str(trace.mark),
            "x": x,
            "y": y,
            "low": low,
            "high": high,
        }
        for trace in chart.traces
        for x, y, low, high in zip_longest(trace.x, trace.y, trace.low, trace.high)
    ]
    panel = inline_svg(figure, name=name, description=chart.title)
    keys, common = _keys(chart, looks)
    return Figure(name=name, keys=keys, panels=(panel,), data=pd.DataFrame(records), caption=_all_have(common))


def _looks(chart: Chart) -> dict[str, Look]:
    groups = list(dict.fromkeys(trace.group for trace in chart.traces))
    colours = PALETTE if len(groups) <= len(PALETTE) else ramp(len(groups))
    return {group: Look(colours[i], MARKERS[i % len(MARKERS)]) for i, group in enumerate(groups)}


def _offsets(chart: Chart) -> dict[str, float]:
    """Points by which the marks of each group stand beside their x: intervals at one x would hide one another."""
    groups: dict[float, set[str]] = {}
    for trace in chart.traces:
        if trace.mark in (Mark.point, Mark.hollow) and any(low is not None for low in trace.low):
            for x in trace.x:
                groups.setdefault(x, set()).add(trace.group)
    crowded = {group for found in groups.values() if len(found) > 1 for group in found}
    beside = [trace.group for trace in chart.traces if trace.group in crowded]
    order = list(dict.fromkeys(beside))
    step = min(BESIDE, WIDEST / max(1, len(order) - 1))
    return {group: step * (i - (len(order) - 1) / 2) for i, group in enumerate(order)}


def _draw_trace(axes: Axes, trace: Trace, look: Look, offset: float) -> None:
    """Draw a trace, its points and their intervals moved by `offset` points."""
    known = [i for i in range(len(trace.low)) if trace.low[i] is not None and trace.high[i] is not None]
    at = [trace.x[i] for i in known]
    low, high = ([float(ends[i] or 0.0) for i in known] for ends in (trace.low, trace.high))
    if trace.mark in (Mark.band, Mark.line, Mark.dashed):
        axes.fill_between(at, low, high, color=look.colour, alpha=0.14, linewidth=0)
    if trace.mark is Mark.band:
        return
    if trace.mark in (Mark.line, Mark.dashed):
        dashed = trace.mark is Mark.dashed
        axes.plot(trace.x, trace.y, color=look.colour, linestyle="--" if dashed else "-", linewidth=1.5)
        return
    many = len(trace.x) > MANY_POINTS
    every = max(1, -(-len(trace.x) // MANY_POINTS))  # the data hold those between
    beside = axes.transData + ScaledTranslation(offset / 72, 0, axes.figure.dpi_scale_trans)
    axes.vlines(at[::every], low[::every], high[::every], color=look.colour, linewidth=1.2, transform=beside)
    # What is moved does not count for the limits of the axes.
    axes.update_datalim([*zip(trace.x, trace.y, strict=True), *zip(at, low, strict=True), *zip(at, high, strict=True)])
    axes.plot(
        trace.x[::every],
        trace.y[::every],
        linestyle="none",
        marker="." if many else look.marker,
        markersize=3 if many else 5.5,
        color=look.colour,
        markerfacecolor="white" if trace.mark is Mark.hollow else look.colour,
        zorder=3,
        transform=beside,
    )


def _keys(chart: Chart, looks: dict[str, Look]) -> tuple[tuple[Key, ...], list[str]]:
    """One entry a group, whatever its traces are called, and one for hollow points, dashed lines and level guides.

    What all labels have in common stands apart.
    """
    levels = [
        Key(label=guide.label, colour=NEUTRAL, line=True, dashed=True) for guide in chart.guides if guide.axis == "y"
    ]
    marks: dict[str, set[Mark]] = {}
    labels: dict[str, list[str]] = {}
    for trace in chart.traces:
        marks.setdefault(trace.group, set()).add(trace.mark)
        labels.setdefault(trace.group, []).append(trace.label)
    if len(marks) > MOST_GROUPS:
        many = f"{len(marks)} groups, from dark to bright; the data name each"
        return (Key(label=many, colour=looks[next(iter(looks))].colour), *levels), []
    names, common = _shortened([own[0] if len(set(own)) == 1 else group for group, own in labels.items()])
    keys = [
        Key(
            label=name,
            colour=looks[group].colour,
            marker=looks[group].marker if found & {Mark.point, Mark.hollow} else None,
            hollow=Mark.hollow in found and Mark.point not in found,
            line=bool(found & {Mark.line, Mark.dashed}),
            dashed=Mark.dashed in found and Mark.line not in found,
            block=found == {Mark.band},
        )
        for name, (group, found) in zip(names, marks.items(), strict=True)
    ]
    every = set().union(*marks.values())
    if Mark.hollow in every and Mark.point in every:
        keys.append(Key(label="held out", colour="#222222", marker="o", hollow=True))
    if Mark.dashed in every and Mark.line in every:
        keys.append(Key(label="outside the data", colour="#222222", line=True, dashed=True))
    return (*keys, *levels), common


def _forest(forest: Forest, name: str) -> Figure:
    labels, common = _shortened([bar.label for bar in forest.bars[:MOST_BARS]])
    labels = [textwrap.fill(label, LABEL_WIDTH) for label in labels]
    rows = list(zip(labels, forest.bars, strict=False))[::-1]
    figure, axes = new_panel("", fitted=True)
    figure.suptitle(textwrap.fill(forest.title, 56), x=0.01, ha="left", fontsize=10)
    lines = sum(label.count("\n") for label in labels)
    figure.set_size_inches(WIDTH_IN, 1.1 + 0.27 * len(rows) + 0.15 * lines)
    for guide in forest.guides:
        _draw_guide(axes, guide)
    for i, (_, bar) in enumerate(rows):
        _draw_bar(axes, i, bar)
    axes.set_yticks(range(len(rows)), [label for label, _ in rows])
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.grid(visible=False, axis="y")
    _scale_x(axes, Scale(label=textwrap.fill(forest.axis.label, 30), log=forest.axis.log))
    for i, (_, bar) in enumerate(rows):
        if bar.value is None:
            text = textwrap.shorten(bar.note or "not measured", NOTE_WIDTH, placeholder=" ...")
            note = axes.text(
                0.02, i, text, transform=axes.get_yaxis_transform(), va="center", fontsize=7.5, color=NEUTRAL
            )
            note.set_in_layout(False)  # a sentence would leave the axes no room; the data hold it whole
    panel = inline_svg(figure, name=name, description=forest.title)
    cut = f"Drawn: the first {MOST_BARS} of {len(forest.bars)}." if len(forest.bars) > MOST_BARS else ""
    frame = pd.DataFrame([asdict(bar) for bar in forest.bars])
    caption = " ".join(filter(None, (_all_have(common), cut)))
    return Figure(name=name, keys=(), panels=(panel,), data=frame, caption=caption)


def _all_have(common: Sequence[str]) -> str:
    told = [part for part in common if part != ALL_RUNS]
    return f"All: {', '.join(told)}." if told else ""


def _shortened(labels: Sequence[str]) -> tuple[list[str], list[str]]:
    """Labels without the parts that all of them have, and those parts."""
    parts = [label.split(", ") for label in labels]
    common = [part for part in parts[0] if all(part in other for other in parts)] if len(parts) > 1 else []
    kept = [
        ", ".join(part for part in own if part not in common) or label for own, label in zip(parts, labels, strict=True)
    ]
    return kept, common


def _draw_bar(axes: Axes, at: int, bar: Bar) -> None:
    if bar.value is None:
        return
    colour = PALETTE[0]
    if bar.low is not None and bar.high is not None:
        axes.hlines(at, bar.low, bar.high, color=colour, linewidth=2)
    axes.plot([bar.value], [at], marker="o", color=colour, markersize=6, linestyle="none")


def _heat_map(asked: HeatMap, name: str) -> Figure:
    figure, axes = new_panel(asked.title, fitted=True)
    figure.set_size_inches(max(WIDTH_IN, 1.6 + 0.85 * len(asked.columns)), max(HEIGHT_IN, 1.1 + 0.5 * len(asked.rows)))
    values = np.array(
        [[np.nan if cell.value is None else cell.value for cell in row] for row in asked.cells], dtype=np.float64
    )
    reach = float(np.nanmax(np.abs(values - asked.centre))) if np.isfinite(values).any() else 1.0
    norm = TwoSlopeNorm(asked.centre, asked.centre - (reach or 1.0), asked.centre + (reach or 1.0))
    axes.set_facecolor("#ececec")
    axes.pcolormesh(np.ma.masked_invalid(values), cmap=DIVERGING, norm=norm, edgecolors="white", linewidth=1.5)
    for i, row in enumerate(asked.cells):
        for j, cell in enumerate(row):
            distance = abs(values[i, j] - asked.centre) / (reach or 1.0) if cell.value is not None else 0.0
            _write_cell(axes, j + 0.5, i + 0.5, cell, dark=distance > 0.62)
    axes.set_xticks(np.arange(len(asked.columns)) + 0.5, asked.columns)
    axes.set_yticks(np.arange(len(asked.rows)) + 0.5, asked.rows)
    axes.set_xlabel(asked.column_label)
    axes.set_ylabel(asked.row_label)
    axes.invert_yaxis()
    axes.grid(visible=False)
    axes.tick_params(length=0)
    panel = inline_svg(figure, name=name, description=asked.title)
    records = [
        {asked.row_label: label, asked.column_label: column, **asdict(cell)}
        for label, row in zip(asked.rows, asked.cells, strict=True)
        for column, cell in zip(asked.columns, row, strict=True)
    ]
    return Figure(name=name, keys=(), panels=(panel,), data=pd.DataFrame(records))


def _write_cell(axes: Axes, x: float, y: float, cell: Cell, *, dark: bool) -> None:
    colour = "white" if dark else "#222222"
    if cell.value is None:
        axes.text(x, y, "no number", ha="center", va="center", fontsize=7, color=NEUTRAL)
        return
    known = cell.low is not None and cell.high is not None
    axes.text(
        x,
        y - (0.13 if known else 0),
        f"{cell.value:.2f}{cell.mark}",
        ha="center",
        va="center",
        color=colour,
        fontsize=9,
    )
    if known:
        text = f"{cell.low:.2f} to {cell.high:.2f}"
        axes.text(x, y + 0.22, text, ha="center", va="center", color=colour, fontsize=6.5)


def _draw_guide(axes: Axes, guide: Guide, *, height: int = 1) -> None:
    """A line; the label of an upright one stands above the panel (height 1) or on its floor (0), else in the legend."""
    if guide.axis == "y":
        axes.axhline(guide.value, color=NEUTRAL, linewidth=1, linestyle="--")
        return
    axes.axvline(guide.value, color=NEUTRAL, linewidth=1, linestyle=":")
    if guide.label:
        axes.annotate(
            guide.label, (guide.value, height), xycoords=("data", "axes fraction"), xytext=(2, 1),
            textcoords="offset points", fontsize=7.5, color=NEUTRAL, va="bottom",
        )  # fmt: skip


def _scale_x(axes: Axes, scale: Scale) -> None:
    if scale.log:
        log_x(axes, scale.label)
    else:
        axes.set_xlabel(scale.label)
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.3g}"))


def _scale_y(axes: Axes, scale: Scale) -> None:
    axes.set_ylabel(scale.label)
    if scale.log:
        log_y(axes)
