"""The figures of an answer or of a section, drawn."""

from dataclasses import replace

from analysis.drawing.answer import Chart, Forest, HeatMap, Panels
from analysis.drawing.answer import Figure as Asked
from analysis.drawing.chart import draw_charts
from analysis.drawing.forest import draw_forest
from analysis.drawing.heat_map import draw_heat_map
from analysis.drawing.page import Figure
from analysis.drawing.stacks import draw_stacks


def draw(asked: Asked, *, name: str, claim: str = "") -> Figure:
    """A figure of an answer.

    Args:
        asked: What is drawn.
        name: Stem of its data, unique in the page.
        claim: What it shows, in one sentence.
    """
    return replace(_drawn(asked, name), claim=claim)


def _drawn(asked: Asked, name: str) -> Figure:
    if isinstance(asked, Chart):
        return draw_charts((asked,), name)
    if isinstance(asked, Panels):
        return draw_charts(asked.charts, name, together=asked.title)
    if isinstance(asked, Forest):
        return draw_forest(asked, name)
    if isinstance(asked, HeatMap):
        return draw_heat_map(asked, name)
    return draw_stacks(asked, name)
