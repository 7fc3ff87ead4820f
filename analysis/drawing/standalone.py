"""A figure of the report as an SVG file of its own, legend included, for a page that is not the report."""

import re
import textwrap
from html import escape

from markupsafe import Markup

from analysis.drawing.page import Figure
from analysis.drawing.template import template

LINE, PAD = 15, 12  # height of an entry of the legend or a line of the caption, margin below it
COLUMNS = 80  # characters of a line of the caption


def standalone(figure: Figure) -> str:
    """The figure as an SVG document: panels above one another, legend, caption; white behind it in dark pages."""
    sizes = [re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', panel) for panel in figure.panels]
    boxes = [(float(size[1]), float(size[2])) for size in sizes if size]
    width, y, parts = max(box[0] for box in boxes), 0.0, []
    for panel, (wide, high) in zip(figure.panels, boxes, strict=True):
        parts.append(panel.replace("<svg", f'<svg y="{y:g}" width="{wide:g}" height="{high:g}"', 1))
        y += high
    swatch = template("swatch.svg.j2").module.swatch  # type: ignore[attr-defined]
    for key in figure.keys:
        parts.append(swatch(key, Markup(f' x="40" y="{y:g}" width="34" height="14"')).strip())
        parts.append(f'<text x="80" y="{y + 11:g}">{escape(key.label)}</text>')
        y += LINE
    for text in textwrap.wrap(figure.caption, COLUMNS):
        parts.append(f'<text x="40" y="{y + 11:g}">{escape(text)}</text>')
        y += LINE
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {y + PAD:g}" width="{width * 1.5:g}"'
    look = 'font-family="sans-serif" font-size="9.5" fill="#222222"'
    rules = "<style>svg * { stroke-linejoin: round; stroke-linecap: butt }</style>"
    body = "\n".join(parts)
    return f'{head}>\n{rules}\n<rect width="100%" height="100%" fill="white"/>\n<g {look}>\n{body}\n</g>\n</svg>\n'
