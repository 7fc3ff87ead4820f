"""Charts: points, lines and bands over two axes, one or several panels with one legend."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.transforms import ScaledTranslation

from analysis.drawing.answer import Chart, Mark, Scale, Trace
from analysis.drawing.axes import draw_guide, scale_x, scale_y
from analysis.drawing.labels import all_have, shortened
from analysis.drawing.page import Figure, Key
from analysis.drawing.style import MARKERS, NEUTRAL, PALETTE, Look, ramp
from analysis.drawing.svg import WIDTH_IN, inline_svg, new_panel

MANY_POINTS = 25  # of a trace: more are drawn as dots, and not all of them
MANY_PLACES = 60  # of a line or band, likewise
MOST_GROUPS = 10  # in a legend
BESIDE = 4.0  # points between the intervals of two groups at one x
WIDEST = 20.0  # points between the first and the last of them
POINTS = (Mark.point, Mark.hollow)
FURTHEST = 2.0  # heights of lines, points and their intervals, by which bands may widen a panel on either side


def draw_charts(charts: Sequence[Chart], name: str, *, together: str = "") -> Figure:
    """Call inside `style`.

    Args:
        charts: One or more.
        name: Stem of the data, prefix of every id.
        together: What several charts show; their axes get the same limits.
    """
    looks = _looks(charts)
    panels = [panel(chart, looks) for chart in charts]
    if together:
        _share_limits([axes for _, axes in panels])
    places = [x for chart in charts for trace in chart.traces if trace.mark in POINTS for x in trace.x]
    texts = []
    for i, (chart, (figure, axes)) in enumerate(zip(charts, panels, strict=True)):
        scale_y(axes, chart.y)
        scale_x(axes, chart.x, places)
        own = f"{name}-{i}" if together else name
        texts.append(inline_svg(figure, name=own, description=", ".join(filter(None, (together, chart.title)))))
    keys, common = _keys(charts, looks)
    caption = " ".join(filter(None, (f"{together[:1].upper()}{together[1:]}." if together else "", all_have(common))))
    data = pd.DataFrame([record for chart in charts for record in _records(chart, together)])
    return Figure(name=name, keys=keys, panels=tuple(texts), data=data, caption=caption)


def _records(chart: Chart, together: str) -> Iterable[dict[str, object]]:
    head = {"panel": chart.title} if together else {}
    for trace in chart.traces:
        start = head | {"trace": trace.label, "group": trace.group, "mark": str(trace.mark)}
        for x, y, low, high in zip_longest(trace.x, trace.y, trace.low, trace.high):
            yield start | {"x": x, "y": y, "low": low, "high": high}


def panel(chart: Chart, looks: Mapping[str, Look]) -> tuple[Canvas, Axes]:
    """One chart with the look of each of its groups, ticks and labels of its axes not yet set; call inside `style`."""
    figure, axes = new_panel(chart.title)
    offsets = _offsets(chart)
    room = max(map(abs, offsets.values()), default=0.0)
    axes.set_xmargin(0.05 + room / (72 * axes.get_position().width * WIDTH_IN))
    if chart.x.log:
        axes.set_xscale("log")
    if chart.y.log:
        axes.set_yscale("log")
    for trace in chart.traces:
        _draw_trace(axes, trace, looks[trace.group], offsets.get(trace.group, 0.0))
    for guide in chart.guides:
        draw_guide(axes, guide, height=0)  # the title is above
    _cut_off(axes, chart)
    return figure, axes


def _cut_off(axes: Axes, chart: Chart) -> None:
    """Keep a wide band from pressing what it belongs to into a line: it ends at the edge of the panel."""
    places = [guide.value for guide in chart.guides if guide.axis == "y"]
    for trace in chart.traces:
        ends = (*trace.low, *trace.high) if trace.mark in POINTS else ()
        places += [] if trace.mark is Mark.band else [*trace.y, *(end for end in ends if end is not None)]
    known = [value for value in places if not chart.y.log or value > 0]
    if not known or min(known) == max(known):
        return
    low, high = _moved(min(known), max(known), FURTHEST, chart.y)
    bottom, top = axes.get_ylim()
    axes.set_ylim(max(bottom, low), min(top, high))


def _moved(low: float, high: float, share: float, scale: Scale) -> tuple[float, float]:
    """Ends moved apart by a share of their distance, as the axis measures it."""
    if scale.log:
        return low * (low / high) ** share, high * (high / low) ** share
    return low - share * (high - low), high + share * (high - low)


def _share_limits(panels: Sequence[Axes]) -> None:
    xs, ys = [axes.get_xlim() for axes in panels], [axes.get_ylim() for axes in panels]
    for axes in panels:
        axes.set_xlim(min(low for low, _ in xs), max(high for _, high in xs))
        axes.set_ylim(min(low for low, _ in ys), max(high for _, high in ys))


def _looks(charts: Sequence[Chart]) -> dict[str, Look]:
    """A colour and marker per group, in order of appearance; of groups that are dashed lines alone, baselines, last."""
    traces = [trace for chart in charts for trace in chart.traces]
    own = {trace.group for trace in traces if trace.mark is not Mark.dashed}
    groups = sorted(dict.fromkeys(trace.group for trace in traces), key=lambda group: group not in own)
    colours = PALETTE if len(groups) <= len(PALETTE) else ramp(len(groups))
    return {group: Look(colours[i], MARKERS[i % len(MARKERS)]) for i, group in enumerate(groups)}


def _offsets(chart: Chart) -> dict[str, float]:
    """Points by which the marks of each group stand beside their x: intervals at one x would hide one another."""
    groups: dict[float, set[str]] = {}
    for trace in chart.traces:
        if trace.mark in POINTS and any(low is not None for low in trace.low):
            for x in trace.x:
                groups.setdefault(x, set()).add(trace.group)
    crowded = {group for found in groups.values() if len(found) > 1 for group in found}
    beside = [trace.group for trace in chart.traces if trace.group in crowded]
    order = list(dict.fromkeys(beside))
    step = min(BESIDE, WIDEST / max(1, len(order) - 1))
    return {group: step * (i - (len(order) - 1) / 2) for i, group in enumerate(order)}


def _draw_trace(axes: Axes, trace: Trace, look: Look, offset: float) -> None:
    """Draw a trace, its points and their intervals moved by `offset` points; the data hold what is left out."""
    if trace.mark in (Mark.band, Mark.line, Mark.dashed):
        _draw_line(axes, trace, look)
        return
    known = [i for i in range(len(trace.low)) if trace.low[i] is not None and trace.high[i] is not None]
    at = [trace.x[i] for i in known]
    low, high = ([float(ends[i] or 0.0) for i in known] for ends in (trace.low, trace.high))
    many = len(trace.x) > MANY_POINTS
    every = max(1, -(-len(trace.x) // MANY_POINTS))
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


def _draw_line(axes: Axes, trace: Trace, look: Look) -> None:
    """A line, a band, or a line with its band; first and last place included."""
    n = len(trace.x)
    kept = np.unique(np.linspace(0, n - 1, min(n, MANY_PLACES)).round().astype(int)).tolist()
    known = [i for i in kept if i < len(trace.low) and trace.low[i] is not None and trace.high[i] is not None]
    low, high = ([float(ends[i] or 0.0) for i in known] for ends in (trace.low, trace.high))
    if known:
        axes.fill_between([trace.x[i] for i in known], low, high, color=look.colour, alpha=0.14, linewidth=0)
    if trace.mark is not Mark.band:
        style = "--" if trace.mark is Mark.dashed else "-"
        places = [trace.x[i] for i in kept], [trace.y[i] for i in kept]
        axes.plot(*places, color=look.colour, linestyle=style, linewidth=1.5)


def _keys(charts: Sequence[Chart], looks: dict[str, Look]) -> tuple[tuple[Key, ...], list[str]]:
    """One entry per group, whatever its traces are called, and one for hollow points, dashed lines and level guides.

    What all labels have in common stands apart.
    """
    guides = [guide.label for chart in charts for guide in chart.guides if guide.axis == "y"]
    levels = [Key(label=label, colour=NEUTRAL, line=True, dashed=True) for label in dict.fromkeys(guides)]
    marks: dict[str, set[Mark]] = {}
    labels: dict[str, list[str]] = {}
    for trace in (trace for chart in charts for trace in chart.traces):
        marks.setdefault(trace.group, set()).add(trace.mark)
        labels.setdefault(trace.group, []).append(trace.label)
    if len(marks) > MOST_GROUPS:
        many = f"{len(marks)} groups, from dark to bright; the data name each"
        return (Key(label=many, colour=looks[next(iter(looks))].colour), *levels), []
    names, common = shortened([own[0] if len(set(own)) == 1 else group for group, own in labels.items()])
    keys = [
        Key(
            label=name,
            colour=looks[group].colour,
            marker=looks[group].marker if found & {*POINTS} else None,
            hollow=Mark.hollow in found and Mark.point not in found,
            line=bool(found & {Mark.line, Mark.dashed}),
            dashed=Mark.dashed in found and Mark.line not in found,
            block=found == {Mark.band},
        )
        for name, (group, found) in zip(names, marks.items(), strict=True)
    ]
    if any(found >= {*POINTS} for found in marks.values()):
        keys.append(Key(label="held out", colour="#222222", marker="o", hollow=True))
    if any(found >= {Mark.dashed, Mark.line} for found in marks.values()):
        keys.append(Key(label="outside the data", colour="#222222", line=True, dashed=True))
    return (*keys, *levels), common
