"""Names at the ends of lines, where there are few: nobody has to look a colour up."""

from collections.abc import Iterable, Mapping

from analysis.drawing.answer import Chart, Mark
from analysis.drawing.axes import Axis
from analysis.drawing.view import SHOWN, WIDE, Spec

MOST_NAMES, LONGEST = 6, 26  # lines, and characters of a name
APART = 0.068  # of the height of a panel, between the middles of two names
REACHED = 0.8  # of the width of a panel: a line that ends earlier is far from its name


def names_at_ends(chart: Chart, names: Mapping[str, str], x: Axis, y: Axis) -> Iterable[Spec]:
    """A layer of names beside the panel, or none where a name would be far from its line or too long."""
    ends: dict[str, tuple[float, float]] = {}
    for trace in chart.traces:
        if trace.mark in (Mark.line, Mark.dashed) and trace.x:
            ends[trace.group] = max(ends.get(trace.group, (trace.x[-1], trace.y[-1])), (trace.x[-1], trace.y[-1]))
    if not 1 < len(ends) <= MOST_NAMES or not set(ends) <= set(names):
        return
    if any(len(names[group]) > LONGEST or x.share(place) < REACHED for group, (place, _) in ends.items()):
        return
    order = sorted(ends, key=lambda group: ends[group][1])
    shares = _apart([y.share(y.held(ends[group][1])) for group in order])
    rows = [{"group": group, "y": y.at(at), "name": names[group]} for group, at in zip(order, shares, strict=True)]
    yield {
        "name": f"{WIDE}-names",
        "data": {"values": rows},
        "transform": [{"filter": SHOWN}],
        "mark": {"type": "text", "align": "left", "dx": 6, "fontSize": 11},
        "encoding": {
            "x": {"value": "width"},
            "y": {"field": "y", "type": "quantitative"},
            "text": {"field": "name"},
        },
    }


def _apart(shares: list[float]) -> list[float]:
    """Ascending places moved apart, as little as may be: those that touch spread around their middle."""
    heaps = [[share] for share in shares]
    i = 1
    while i < len(heaps):
        below, above = heaps[i - 1], heaps[i]
        if _middle(above) - _middle(below) < APART * (len(above) + len(below)) / 2:
            heaps[i - 1 : i + 1] = [below + above]
            i = max(i - 1, 1)
        else:
            i += 1
    return [_middle(heap) + APART * (k - (len(heap) - 1) / 2) for heap in heaps for k in range(len(heap))]


def _middle(heap: list[float]) -> float:
    return sum(heap) / len(heap)
