"""A forest: values with intervals, one per line, on one axis."""

import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd

from analysis.drawing.answer import Bar, Forest
from analysis.drawing.axes import Axis
from analysis.drawing.guides import upright_layers
from analysis.drawing.labels import all_have, cut, lines_of, shortened
from analysis.drawing.page import Figure
from analysis.drawing.style import NEUTRAL, PALETTE
from analysis.drawing.view import Spec, View, told, value_text
from analysis.passk.estimate import Estimate

NOTE_WIDTH = 52  # characters of a reason inside the axes
MOST_BARS = 24
LINE, AROUND = 26, 76  # pixels of a line, and of the axis and what is above


def draw_forest(forest: Forest, name: str) -> Figure:
    """One view."""
    bars = forest.bars[:MOST_BARS]
    names, common = shortened([bar.label for bar in bars])
    values = [end for bar in bars for end in (bar.value, bar.low, bar.high) if end is not None]
    axis = Axis.around(forest.axis, [*values, *(guide.value for guide in forest.guides)])
    known = [None if bar.value is None else Estimate(bar.value, bar.low, bar.high) for bar in bars]
    notes = [textwrap.shorten(bar.note or "not measured", NOTE_WIDTH, placeholder=" ...") for bar in bars]
    columns: dict[str, list[Any]] = {
        "line": list(range(len(bars))),  # labels may be equal
        "label": names,
        "x": [bar.value for bar in bars],
        "low": [bar.low if bar.high is not None else None for bar in bars],
        "high": [bar.high if bar.low is not None else None for bar in bars],
        "value": [
            bar.note or "not measured" if found is None else value_text(found)
            for found, bar in zip(known, bars, strict=True)
        ],
        "note": ["" if found else note for found, note in zip(known, notes, strict=True)],
    }
    y, height = lines_of(names)
    view = View(
        title=forest.title,
        columns=columns,
        height=AROUND + LINE * len(bars) + height,
        spec={"encoding": {"x": {"field": "x", **axis.channel()}, "y": y}, "layer": _layers(forest, axis)},
    )
    frame = pd.DataFrame([asdict(bar) for bar in forest.bars])
    caption = " ".join(filter(None, (all_have(common), cut(MOST_BARS, len(forest.bars)), _whole(names, bars, notes))))
    return Figure(name=name, keys=(), views=(view,), data=frame, caption=caption)


def _whole(names: Sequence[str], bars: Sequence[Bar], notes: Sequence[str]) -> str:
    """The reasons that had no room in the axes, each once."""
    lines: dict[str, list[str]] = {}
    for name, bar, note in zip(names, bars, notes, strict=True):
        if bar.value is None and bar.note and note != bar.note:
            lines.setdefault(bar.note, []).append(name)
    told = "; ".join(f"{', '.join(own)}: {reason}" for reason, own in lines.items())
    return f"No number for {told}." if told else ""


def _layers(forest: Forest, axis: Axis) -> list[Spec]:
    tip: Spec = {"tooltip": told(("label", "what"), ("value", forest.axis.label))}
    ends: Spec = {"x": {"field": "low", "type": "quantitative"}, "x2": {"field": "high"}}
    known, none = [{"filter": "isValid(datum.low)"}], [{"filter": "!isValid(datum.x)"}]
    note = {
        "type": "text",
        "align": "left",
        "dx": 6,
        "fontSize": 10,
        "fontStyle": "italic",
        "color": NEUTRAL,
        "limit": {"expr": "width - 12"},
    }
    return [
        *upright_layers(forest.guides, axis),
        {"name": "interval", "transform": known, "mark": {"type": "rule", "size": 2.5, "color": PALETTE[0]},
         "encoding": ends | tip},
        {"name": "point", "transform": [{"filter": "isValid(datum.x)"}],
         "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1, "color": PALETTE[0]}, "encoding": tip},
        {"name": "note", "transform": none, "mark": note,
         "encoding": {"x": {"value": 0}, "text": {"field": "note"}, **tip}},
    ]  # fmt: skip
