"""Charts: points, lines and bands over two axes, one or several panels with one legend."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import Any

import pandas as pd

from analysis.drawing.answer import Chart, Mark
from analysis.drawing.axes import Axis, ticks_at
from analysis.drawing.chart_rows import MOST_GROUPS as MOST_DRAWN
from analysis.drawing.chart_rows import POINTS, Drawn, rows_of
from analysis.drawing.guides import level_layers, upright_layers
from analysis.drawing.labels import all_have, shortened
from analysis.drawing.line_names import names_at_ends
from analysis.drawing.page import Figure, Key
from analysis.drawing.style import MARKERS, NEUTRAL, PALETTE, Look, ramp
from analysis.drawing.view import HOVER, SHOWN, Spec, View, group_colours, told

MOST_GROUPS = 10  # in a legend
FURTHEST = 0.75  # heights of lines, points and their intervals, by which bands may widen a panel on either side
LINES = (Mark.line, Mark.dashed)


def draw_charts(charts: Sequence[Chart], name: str, *, together: str = "") -> Figure:
    """One or more charts.

    Args:
        charts: At least one.
        name: Stem of the data.
        together: What several charts show; their axes get the same limits.
    """
    looks = _looks(charts)
    axes = [limits(chart) for chart in charts]
    if together:
        axes = [(_common([x for x, _ in axes]), _common([y for _, y in axes]))] * len(axes)
    places = [x for chart in charts for trace in chart.traces if trace.mark in POINTS for x in trace.x]
    keys, common = _keys(charts, looks)
    traces = sum(len(chart.traces) for chart in charts)
    drawn = [rows_of(chart, *pair, traces) for chart, pair in zip(charts, axes, strict=True)]
    views = [
        _view(chart, found, looks, pair, ticks_at(pair[0], places) if chart.x.log or _whole(places) else (), keys)
        for chart, found, pair in zip(charts, drawn, axes, strict=True)
    ]
    caption = (
        f"{together[:1].upper()}{together[1:]}." if together else "",
        all_have(common),
        *dict.fromkeys(said for found in drawn for said in found.said),
    )
    data = pd.DataFrame([record for chart in charts for record in _records(chart, together)])
    return Figure(name=name, keys=keys, views=tuple(views), data=data, caption=" ".join(filter(None, caption)))


def limits(chart: Chart) -> tuple[Axis, Axis]:
    """Both axes: a band that is wide does not press what it belongs to into a line, it ends at the edge."""
    upright = [guide.value for guide in chart.guides if guide.axis == "x"]
    x = Axis.around(chart.x, [*(x for trace in chart.traces for x in trace.x), *upright])
    core = [guide.value for guide in chart.guides if guide.axis == "y"]
    bands: list[float] = []
    for trace in chart.traces:
        ends = [end for end in (*trace.low, *trace.high) if end is not None]
        (core if trace.mark in POINTS else bands).extend(ends)
        core += [] if trace.mark is Mark.band else trace.y
    inner = Axis.around(chart.y, core or bands, margin=0)
    near = Axis.around(replace(chart.y, least=None, most=None), [inner.low, inner.high], margin=FURTHEST)
    return x, Axis.around(chart.y, [inner.low, inner.high, *map(near.held, bands)])


def _common(axes: Sequence[Axis]) -> Axis:
    return Axis(axes[0].scale, min(axis.low for axis in axes), max(axis.high for axis in axes))


def _whole(places: Sequence[float]) -> bool:
    """Whether few whole numbers were measured at, such as steps or seeds."""
    return bool(places) and all(place == round(place) for place in places)


def _records(chart: Chart, together: str) -> Iterable[dict[str, object]]:
    head = {"panel": chart.title} if together else {}
    for trace in chart.traces:
        start = head | {"trace": trace.label, "group": trace.group, "mark": str(trace.mark)}
        for x, y, low, high in zip_longest(trace.x, trace.y, trace.low, trace.high):
            yield start | {"x": x, "y": y, "low": low, "high": high}


def _view(
    chart: Chart, drawn: Drawn, looks: Mapping[str, Look], axes: tuple[Axis, Axis], ticks: Sequence[float],
    keys: Sequence[Key],
) -> View:  # fmt: skip
    x, y = axes
    names = {key.group: key.label for key in keys if key.group is not None}
    return View(
        title=chart.title,
        columns=drawn.columns,
        spec={
            "params": [{"name": "off", "value": []}],
            "encoding": {
                "x": {"field": "x", **x.channel(ticks)},
                "y": {"field": "y", **y.channel()},
                "tooltip": told(("label", "series"), ("place", chart.x.label), ("value", chart.y.label)),
            },
            "layer": [
                *_silent(level_layers([guide for guide in chart.guides if guide.axis == "y"])),
                *_scales_once(_layers(drawn, looks)),
                *_silent(upright_layers([guide for guide in chart.guides if guide.axis == "x"], x)),
                *_silent(names_at_ends(chart, names, x, y)),
            ],
        },
    )


def _layers(drawn: Drawn, looks: Mapping[str, Look]) -> Iterable[Spec]:
    """Bands lie below lines, intervals below points."""
    marks = set(drawn.columns["mark"])
    if len(looks) > MOST_DRAWN:
        looks = {group: looks[group] for group in dict.fromkeys(drawn.columns["group"])}
    every: Spec = {"color": group_colours(list(looks), [look.colour for look in looks.values()])}
    ends: Spec = every | {"y": {"field": "low", "type": "quantitative"}, "y2": {"field": "high"}}
    own: Spec = {"detail": {"field": "trace", "type": "nominal"}}
    shape: Spec = {
        "shape": {
            "field": "group", "type": "nominal",
            "scale": {"domain": list(looks), "range": [look.marker for look in looks.values()]},
        }
    }  # fmt: skip
    if drawn.bands:
        yield _layer("band", "isValid(datum.low) && datum.size == 0", {"type": "area", "opacity": 0.17}, ends | own)
    for mark, dash in ((Mark.line, [1, 0]), (Mark.dashed, [6, 4])):
        if mark in marks:
            yield _layer(
                mark, f"datum.mark == '{mark}'", {"type": "line", "strokeDash": dash, "strokeWidth": 1.8}, every | own
            )
    if drawn.intervals:
        yield _layer("interval", "isValid(datum.low) && datum.size > 0", {"type": "rule", "strokeWidth": 1.4}, ends)
    size: Spec = {"size": {"field": "size", "type": "quantitative", "scale": None, "legend": None}}
    for mark in POINTS:
        if mark in marks:
            look: dict[str, Any] = {"type": "point", "filled": mark is Mark.point, "opacity": 1}
            yield _layer(mark, f"datum.mark == '{mark}'", look, every | shape | size)
    if marks - {str(mark) for mark in POINTS}:
        yield _layer(HOVER, "datum.size == 0", {"type": "point", "filled": True, "opacity": 0, "size": 120}, every)


def _silent(layers: Iterable[Spec]) -> Iterable[Spec]:
    """Layers with data of their own, of which the pointer is told nothing."""
    return (layer | {"encoding": layer["encoding"] | {"tooltip": None}} for layer in layers)


def _scales_once(layers: Iterable[Spec]) -> Iterable[Spec]:
    """Layers share the scales of colour and shape, as they do that of x: the first that has one says it for all."""
    said: set[str] = set()
    for layer in layers:
        encoding = layer["encoding"]
        for channel in encoding.keys() & {"color", "shape"}:
            if channel in said:
                known = {name: part for name, part in encoding[channel].items() if name != "scale"}
                encoding = encoding | {channel: known}
            said.add(channel)
        yield layer | {"encoding": encoding}


def _layer(name: str, test: str, mark: Spec, encoding: Spec) -> Spec:
    return {"name": str(name), "transform": [{"filter": f"{SHOWN} && {test}"}], "mark": mark, "encoding": encoding}


def _looks(charts: Sequence[Chart]) -> dict[str, Look]:
    """A colour and marker per group, in order of appearance.

    Groups without a line or point of their own, baselines, come last; a single one of them is grey.
    """
    traces = [trace for chart in charts for trace in chart.traces]
    own = {trace.group for trace in traces if trace.mark in (Mark.line, Mark.point)}
    groups = sorted(dict.fromkeys(trace.group for trace in traces), key=lambda group: group not in own)
    colours = list(PALETTE if len(groups) <= len(PALETTE) else ramp(len(groups)))
    if len(groups) - len(own) == 1 < len(groups):
        colours[len(own)] = NEUTRAL
    return {group: Look(colours[i], MARKERS[i % len(MARKERS)]) for i, group in enumerate(groups)}


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
            group=group,
            colour=looks[group].colour,
            marker=looks[group].marker if found & {*POINTS} else None,
            hollow=Mark.hollow in found and Mark.point not in found,
            line=bool(found & {*LINES}),
            dashed=Mark.dashed in found and Mark.line not in found,
            block=found == {Mark.band},
        )
        for name, (group, found) in zip(names, marks.items(), strict=True)
    ]
    if any(found >= {*POINTS} for found in marks.values()):
        keys.append(Key(label="held out", colour=NEUTRAL, marker="circle", hollow=True))
    if any(found >= {Mark.dashed, Mark.line} for found in marks.values()):
        keys.append(Key(label="outside the data", colour=NEUTRAL, line=True, dashed=True))
    return (*keys, *levels), common
