"""Stacks: what wholes consist of, one per line."""

from itertools import accumulate

import pandas as pd

from analysis.drawing.answer import Scale, Stacks
from analysis.drawing.axes import Axis
from analysis.drawing.labels import all_have, cut, lines_of, shortened
from analysis.drawing.page import Figure, Key
from analysis.drawing.style import PALETTE
from analysis.drawing.view import SHOWN, View, group_colours, told

MOST_LINES = 16
LINE, AROUND = 28, 60  # pixels of a line, and of the axis


def draw_stacks(asked: Stacks, name: str) -> Figure:
    """One view."""
    shown = asked.lines[:MOST_LINES]
    names, common = shortened([line.label for line in shown])
    records = [
        {"line": i, "label": names[i], "group": part, "x": start, "end": start + share, "value": f"{share:.3f}"}
        for i, line in enumerate(shown)
        for part, share, start in zip(asked.parts, line.shares, accumulate(line.shares, initial=0.0), strict=False)
        if share
    ]
    axis = Axis(Scale.share(asked.axis.label), 0.0, 1.0)
    y, breaks = lines_of(names)
    there = [part for i, part in enumerate(asked.parts) if any(line.shares[i] for line in asked.lines)]
    colours = dict(zip(asked.parts, PALETTE, strict=False))
    notes = [{"line": i, "note": line.note} for i, line in enumerate(shown) if line.note]
    view = View(
        title=asked.title,
        columns={key: [record[key] for record in records] for key in ("line", "label", "group", "x", "end", "value")},
        height=AROUND + LINE * len(shown) + breaks,
        spec={
            "params": [{"name": "off", "value": []}],
            "encoding": {"x": {"field": "x", **axis.channel()}, "y": y},
            "layer": [
                {
                    "name": "bar",
                    "transform": [{"filter": SHOWN}],
                    "mark": {"type": "bar", "height": {"band": 0.7}},
                    "encoding": {
                        "x2": {"field": "end"},
                        "color": group_colours(there, [colours[part] for part in there]),
                        "tooltip": told(("label", "what"), ("group", "part"), ("value", asked.axis.label)),
                    },
                },
                {
                    "name": "note",
                    "data": {"values": notes},
                    "mark": {"type": "text", "align": "left", "dx": 6, "fontSize": 10},
                    "encoding": {"x": {"value": "width"}, "text": {"field": "note"}},
                },
            ],
        },
    )
    keys = tuple(Key(label=part, group=part, colour=colours[part], block=True) for part in there)
    data = [
        {"label": line.label, **dict(zip(asked.parts, line.shares, strict=True)), "note": line.note}
        for line in asked.lines
    ]
    caption = " ".join(filter(None, (all_have(common), cut(MOST_LINES, len(asked.lines)))))
    return Figure(name=name, keys=keys, views=(view,), data=pd.DataFrame(data), caption=caption)
