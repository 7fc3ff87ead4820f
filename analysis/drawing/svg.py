"""Matplotlib figures as SVG that can stand inside an HTML page, the same bytes for the same data.

Text stays text (searchable, scales with the page). Ids are prefixed with the figure's name, because all figures of a
page share one id space.
"""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

WIDTH_IN, HEIGHT_IN = 4.4, 3.1  # one panel; small enough to be read on a phone without scaling
INK, GRID = "#222222", "#dddddd"


@contextmanager
def style(name: str) -> Iterator[None]:
    """Matplotlib's own defaults plus the look of the report, whatever the user's matplotlibrc says."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(
            {
                "svg.fonttype": "none",
                "svg.hashsalt": name,
                "font.family": "sans-serif",
                "font.size": 9.5,
                "axes.titlesize": 10,
                "axes.titlelocation": "left",
                "axes.spines.top": False,
                "axes.spines.right": False,
                "axes.edgecolor": INK,
                "axes.labelcolor": INK,
                "text.color": INK,
                "xtick.color": INK,
                "ytick.color": INK,
                "axes.grid": True,
                "axes.axisbelow": True,
                "grid.color": GRID,
                "grid.linewidth": 0.6,
                "lines.linewidth": 1.6,
            }
        )
        yield


def new_panel(title: str, *, fitted: bool = False) -> tuple[Figure, Axes]:
    """An empty panel; call inside `style`.

    Args:
        title: Above the axes, at the left.
        fitted: Whether margins follow the labels (long names at the y axis). That draws every panel twice more; the
            fixed margins have room for numbers of six characters.
    """
    figure = Figure(figsize=(WIDTH_IN, HEIGHT_IN), layout="constrained" if fitted else None)
    axes = figure.subplots()
    if not fitted:
        figure.subplots_adjust(left=0.175, right=0.975, top=0.9, bottom=0.165)
    axes.set_title(title)
    return figure, axes


def inline_svg(figure: Figure, *, name: str, description: str) -> str:
    """The figure as an `<svg>` element; call inside `style`.

    Args:
        figure: What to draw.
        name: Prefix of every id; letters, digits and hyphens, unique in the page.
        description: What a reader who cannot see the figure is told.
    """
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", text, flags=re.DOTALL)
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'href="#', f'href="#{name}-', text)
    text = text.replace("url(#", f"url(#{name}-")
    # A namespace is a name, not an address, but nothing in the page should look like one; HTML needs neither.
    text = re.sub(r' xmlns(:xlink)?="[^"]*"', "", text).replace("xlink:href", "href")
    text = re.sub(r'(<svg\b[^>]*?) width="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg\b[^>]*?) height="[^"]*"', r"\1", text, count=1)
    return text.replace("<svg", f'<svg role="img" aria-label="{escape(description)}"', 1).strip()
