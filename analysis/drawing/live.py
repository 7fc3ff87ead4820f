"""What makes a page live without a network: its scripts, its style sheet, and the policy that lets nothing else run."""

import base64
import hashlib
from collections.abc import Iterable, Sequence

from analysis.drawing.page import Figure
from analysis.drawing.picture import inline_svg
from analysis.drawing.style import OF_A_FILE, THEMES
from analysis.drawing.template import text_of
from sweeper.host import vega

STILLS = 900_000  # bytes of pictures in a page; without a script further figures are a few lines of their numbers
LEAST = 60_000  # of them, however much else there is
PAGE = 2_800_000  # bytes of a page, which pictures do not make larger
LARGEST = 1500  # rows of a view, beyond which its figure has no picture


# Of the figures of a page, and of those that are saved from it.
PAGE_THEMES = THEMES | {"file": OF_A_FILE}


def scripts() -> tuple[str, ...]:
    """The scripts of a page in their order; the first belongs into its head."""
    return (text_of("theme.js"), vega.javascript(), text_of("figures.js"), text_of("tables.js"))


def policy(scripts: Iterable[str]) -> str:
    """The content security policy of a page with these scripts: nothing is fetched, no other script runs, no eval.

    Styles are free: a figure sets them as attributes, and what they can do without a network is how the page looks.
    """
    digests = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    rest = "style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'"
    return f"default-src 'none'; script-src {allowed}; {rest}"


def stills(figures: Sequence[Figure], *, rest: int) -> dict[str, list[str]]:
    """Pictures of the views of the first figures, by the name of the figure, as many as there is room for.

    Args:
        figures: In their order.
        rest: Characters of the page without them.
    """
    found: dict[str, list[str]] = {}
    room = min(STILLS, max(LEAST, PAGE - rest))
    for figure in figures:
        if room <= 0:
            break
        if all(view.n_rows <= LARGEST for view in figure.views):
            pictures = [inline_svg(view, description=view.title) for view in figure.views]
            room -= sum(map(len, pictures))
            if room >= 0 or not found:
                found[figure.name] = pictures
    return found
