"""Views as pictures, drawn without a browser: what a page shows before its script runs, without one, and on paper."""

import re
from collections.abc import Mapping
from html import escape
from typing import Any

from analysis.drawing.style import OF_A_PAGE
from analysis.drawing.view import View
from rewards.terminal import visible
from sweeper.host.vega import VERSION

PAGE_WIDTH = 560  # pixels of a panel inside a page
PLACES = re.compile(r' (d|transform|[xy][12]?)="[^"]*"')  # attributes in pixels, of which a tenth is enough


def inline_svg(view: View, *, description: str) -> str:
    """A view as an `<svg>` element without title and legend, which the page has beside it.

    Args:
        view: What to draw.
        description: What a reader who cannot see the figure is told.
    """
    text = svg(view.whole(width=PAGE_WIDTH), OF_A_PAGE)
    text = re.sub(r'<path class="background"[^>]*/>|<path class="foreground"[^>]*/>', "", text)
    text = re.sub(
        r' (class|role|aria-[a-z]+|pointer-events|xmlns(:xlink)?|version|stroke-miterlimit)="[^"]*"', "", text
    )
    text = re.sub(r' (opacity|stroke-opacity|stroke-width)="1"| font-family="[^"]*"', "", text)
    text = PLACES.sub(lambda found: re.sub(r"(\.\d)\d+", r"\1", found[0]), text)
    text = re.sub(r"<g>\s*</g>", "", text)
    text = re.sub(r'(<svg[^>]*?) width="[^"]*" height="[^"]*"', r"\1", text, count=1)
    return text.replace("<svg", f'<svg role="img" aria-label="{escape(description)}"', 1).strip()


def svg(spec: dict[str, Any], theme: dict[str, Any]) -> str:
    """A specification drawn in a theme; the same bytes for the same arguments.

    Control characters are shown as everywhere: what draws ends the whole process at one of them.
    """
    import vl_convert

    return str(vl_convert.vegalite_to_svg(_visible(spec), vl_version=VERSION, config=theme))


def _visible(part: Any) -> Any:
    if isinstance(part, str):
        return visible(part)
    if isinstance(part, Mapping):
        return {key: _visible(value) for key, value in part.items()}
    return [_visible(value) for value in part] if isinstance(part, list | tuple) else part
