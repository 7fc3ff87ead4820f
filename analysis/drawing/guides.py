"""Straight lines at a value, with their names."""

from collections.abc import Iterable, Sequence

from analysis.drawing.answer import Guide
from analysis.drawing.axes import Axis
from analysis.drawing.style import NEUTRAL
from analysis.drawing.view import Spec

CHARACTER = 0.013  # of the width of a panel
LINE = 12  # pixels
FONT = 10


def level_layers(guides: Sequence[Guide]) -> Iterable[Spec]:
    """Lines at values of the vertical axis; the legend names them."""
    if guides:
        values = [{"y": guide.value, "label": guide.label} for guide in guides]
        yield _rules(
            "levels", values, {"y": {"field": "y", "type": "quantitative"}, "x": {"value": 0}, "x2": {"value": "width"}}
        )


def upright_layers(guides: Sequence[Guide], axis: Axis) -> Iterable[Spec]:
    """Lines at values of the horizontal axis, named above the panel; names that would touch are stacked."""
    if not guides:
        return
    height: Spec = {"y": {"value": 0}, "y2": {"value": "height"}}
    values: list[dict[str, object]] = [{"x": guide.value, "label": guide.label} for guide in guides]
    yield _rules("uprights", values, {"x": {"field": "x", "type": "quantitative"}, **height})
    ends: list[float] = []  # of the names of each line of them
    named = {guide.value: guide for guide in guides if guide.label}
    for place, guide in enumerate(sorted(named.values(), key=lambda one: one.value)):
        share = axis.share(guide.value)
        left = share + len(guide.label) * CHARACTER > 1
        start = share - len(guide.label) * CHARACTER if left else share
        line = next((i for i, end in enumerate(ends) if end < start), len(ends))
        ends[line : line + 1] = [start + len(guide.label) * CHARACTER + CHARACTER]
        look = {"type": "text", "fontSize": FONT, "align": "right" if left else "left", "dx": -3 if left else 3}
        yield {
            "name": f"guide-{place}",
            "data": {"values": [{"x": guide.value, "label": guide.label}]},
            "mark": look | {"baseline": "bottom", "dy": -3 - LINE * line},
            "encoding": {
                "x": {"field": "x", "type": "quantitative"}, "y": {"value": 0},
                "text": {"field": "label"},
            },
        }  # fmt: skip


def _rules(name: str, values: Sequence[object], places: Spec) -> Spec:
    return {
        "name": name,
        "data": {"values": values},
        "mark": {"type": "rule", "strokeDash": [3, 3], "color": NEUTRAL},
        "encoding": places,
    }
