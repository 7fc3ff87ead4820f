"""A figure of the report as an SVG file of its own, legend included, for a page that is not the report."""

import re
from html import escape

from analysis.page import Figure

LINE, PAD = 15, 12  # height of an entry of the legend, margin below it


def standalone(figure: Figure) -> str:
    """The figure as an SVG document: panels above one another, then the legend; white behind it in dark pages."""
    sizes = [re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', panel) for panel in figure.panels]
    boxes = [(float(size[1]), float(size[2])) for size in sizes if size]
    width, y, parts = max(box[0] for box in boxes), 0.0, []
    for panel, (wide, high) in zip(figure.panels, boxes, strict=True):
        parts.append(panel.replace("<svg", f'<svg y="{y:g}" width="{wide:g}" height="{high:g}"', 1))
        y += high
    for key in figure.keys:
        parts.append(f'<rect x="40" y="{y + 3:g}" width="9" height="9" fill="{key.colour}"/>')
        parts.append(f'<text x="55" y="{y + 11:g}">{escape(key.label)}</text>')
        y += LINE
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {y + PAD:g}" width="{width * 1.5:g}"'
    look = 'font-family="sans-serif" font-size="9.5" fill="#222222"'
    rules = "<style>svg * { stroke-linejoin: round; stroke-linecap: butt }</style>"
    body = "\n".join(parts)
    return f'{head}>\n{rules}\n<rect width="100%" height="100%" fill="white"/>\n<g {look}>\n{body}\n</g>\n</svg>\n'
