"""Stacks: what wholes consist of, one per line."""

from itertools import accumulate

import pandas as pd

from analysis.drawing.answer import Stacks
from analysis.drawing.labels import all_have, broken, cut, shortened
from analysis.drawing.page import Figure, Key
from analysis.drawing.style import PALETTE
from analysis.drawing.svg import WIDTH_IN, inline_svg, new_panel

MOST_LINES = 16


def draw_stacks(asked: Stacks, name: str) -> Figure:
    """Call inside `style`."""
    shown = asked.lines[:MOST_LINES]
    labels, common = shortened([line.label for line in shown])
    labels = broken(labels)
    figure, axes = new_panel(asked.title, fitted=True)
    breaks = sum(label.count("\n") for label in labels)
    figure.set_size_inches(WIDTH_IN, 0.9 + 0.3 * len(shown) + 0.12 * breaks)
    places = range(len(shown))[::-1]
    ends = [list(accumulate(line.shares, initial=0.0)) for line in shown]
    for i, (_, colour) in enumerate(zip(asked.parts, PALETTE[: len(asked.parts)], strict=True)):
        widths, starts = [line.shares[i] for line in shown], [end[i] for end in ends]
        axes.barh(places, widths, left=starts, color=colour, edgecolor="white", linewidth=0.6, height=0.7)
    for place, line in zip(places, shown, strict=True):
        if line.note:
            axes.text(1.02, place, line.note, va="center", fontsize=8)
    axes.set_yticks(places, labels)
    axes.set_xlim(0, 1)
    axes.set_xlabel(asked.axis.label)
    axes.grid(visible=False, axis="y")
    panel = inline_svg(figure, name=name, description=asked.title)
    keys = tuple(
        Key(label=part, colour=colour, block=True)
        for i, (part, colour) in enumerate(zip(asked.parts, PALETTE[: len(asked.parts)], strict=True))
        if any(line.shares[i] for line in asked.lines)
    )
    records = [
        {"label": line.label, **dict(zip(asked.parts, line.shares, strict=True)), "note": line.note}
        for line in asked.lines
    ]
    caption = " ".join(filter(None, (all_have(common), cut(MOST_LINES, len(asked.lines)))))
    return Figure(name=name, keys=keys, panels=(panel,), data=pd.DataFrame(records), caption=caption)
