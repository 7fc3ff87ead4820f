"""A figure of the report as an SVG file of its own, legend included, for a page that is not the report."""

from typing import Any

from analysis.drawing.page import Figure
from analysis.drawing.picture import svg
from analysis.drawing.style import OF_A_FILE
from analysis.drawing.view import FILE_WIDTH, OFF, View


def standalone(figure: Figure) -> str:
    """The figure as an SVG document: panels above one another, with legend, title and caption, on white."""
    return svg(as_one(figure), OF_A_FILE)


def as_one(figure: Figure) -> dict[str, Any]:
    """A specification of all views of a figure, above one another, that stands alone."""
    views = [_part(view, i) for i, view in enumerate(figure.views)]
    # A parameter belongs to the whole specification.
    parameters = [{"name": OFF, "value": []}] if any(view.pop("params", None) for view in views) else []
    for view in views:
        del view["autosize"]  # of the whole specification as well
    said = [*filter(None, (figure.claim, figure.caption))]
    return {
        "params": parameters,
        "vconcat": views,
        "resolve": {"scale": {"color": "shared", "shape": "shared"}},
        "title": {"text": said[:1], "subtitle": said[1:], "anchor": "start"},
    }


def _part(view: View, place: int) -> dict[str, Any]:
    spec = view.whole(width=FILE_WIDTH)
    # Names of layers are unique in a specification.
    return spec | {"title": view.title, "layer": [own | {"name": f"{own['name']}-{place}"} for own in spec["layer"]]}
