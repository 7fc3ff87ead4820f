"""A forest: values with intervals, one per line, on one axis."""

import textwrap
from dataclasses import asdict

import pandas as pd
from matplotlib.axes import Axes

from analysis.drawing.answer import Bar, Forest, Scale
from analysis.drawing.axes import draw_guide, scale_x
from analysis.drawing.labels import all_have, broken, cut, shortened
from analysis.drawing.page import Figure
from analysis.drawing.style import NEUTRAL, PALETTE
from analysis.drawing.svg import WIDTH_IN, inline_svg, new_panel

NOTE_WIDTH = 52  # characters of a reason inside the axes
MOST_BARS = 24


def draw_forest(forest: Forest, name: str) -> Figure:
    """Call inside `style`."""
    labels, common = shortened([bar.label for bar in forest.bars[:MOST_BARS]])
    labels = broken(labels)
    rows = list(zip(labels, forest.bars, strict=False))[::-1]
    figure, axes = new_panel("", fitted=True)
    figure.suptitle(textwrap.fill(forest.title, 56), x=0.01, ha="left", fontsize=10)
    lines = sum(label.count("\n") for label in labels)
    figure.set_size_inches(WIDTH_IN, 1.1 + 0.27 * len(rows) + 0.15 * lines)
    for guide in forest.guides:
        draw_guide(axes, guide)
    for i, (_, bar) in enumerate(rows):
        _draw_bar(axes, i, bar)
    axes.set_yticks(range(len(rows)), [label for label, _ in rows])
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.grid(visible=False, axis="y")
    scale_x(axes, Scale(label=textwrap.fill(forest.axis.label, 30), log=forest.axis.log))
    for i, (_, bar) in enumerate(rows):
        if bar.value is None:
            text = textwrap.shorten(bar.note or "not measured", NOTE_WIDTH, placeholder=" ...")
            note = axes.text(
                0.02, i, text, transform=axes.get_yaxis_transform(), va="center", fontsize=7.5, color=NEUTRAL
            )
            note.set_in_layout(False)  # a sentence would leave the axes no room; the data hold it whole
    panel = inline_svg(figure, name=name, description=forest.title)
    frame = pd.DataFrame([asdict(bar) for bar in forest.bars])
    caption = " ".join(filter(None, (all_have(common), cut(MOST_BARS, len(forest.bars)))))
    return Figure(name=name, keys=(), panels=(panel,), data=frame, caption=caption)


def _draw_bar(axes: Axes, at: int, bar: Bar) -> None:
    if bar.value is None:
        return
    colour = PALETTE[0]
    if bar.low is not None and bar.high is not None:
        axes.hlines(at, bar.low, bar.high, color=colour, linewidth=2)
    axes.plot([bar.value], [at], marker="o", color=colour, markersize=6, linestyle="none")
