"""How figures look: one colour and marker per group, and the themes of a light page, a dark page and a file.

Up to seven groups take the palette of Okabe and Ito, its black made a grey that is seen on dark pages too; more take an
ordered ramp. Both are told apart by colour-blind readers, and markers on grey paper.
"""

from typing import Any, NamedTuple

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C8C8C")
MARKERS = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "triangle-right")
NEUTRAL = "#808080"  # 3:1 or more on both papers
# Viridis (Smith and van der Walt, 2015) without its ends: one is too pale on white, the other too dark on black.
RAMP = ("#3B528B", "#31688E", "#287C8E", "#20928C", "#1F9E89", "#35B779", "#5EC962")
DIVERGING = ("#E08214", "#FDB863", "#F7F7F7", "#B2ABD2", "#8073AC")  # PuOr of ColorBrewer: pale at its centre
FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif'


class Look(NamedTuple):
    """How a group is drawn."""

    colour: str
    marker: str


def ramp(count: int) -> tuple[str, ...]:
    """Ordered colours, dark first; `count` at least 1."""
    places = [i * (len(RAMP) - 1) / max(count - 1, 1) for i in range(count)]
    return tuple(_between(RAMP[int(at)], RAMP[min(int(at) + 1, len(RAMP) - 1)], at % 1) for at in places)


def theme(ink: str, grid: str, *, paper: str = "transparent", font: str = FONT, legend: bool = False) -> dict[str, Any]:
    """A configuration of Vega-Lite.

    Args:
        ink: Colour of texts and axes.
        grid: Colour of the lines of the grid.
        paper: Colour behind everything.
        font: Of all texts.
        legend: Whether a figure has its legend in it; a page has it beside the figure, as buttons.
    """
    axis = {"labelColor": ink, "titleColor": ink, "tickColor": ink, "domainColor": ink, "gridColor": grid}
    return {
        "background": paper,
        "font": font,
        "view": {"stroke": None},
        "axis": axis | {"labelFontSize": 11, "titleFontSize": 11, "titleFontWeight": "normal", "titlePadding": 6},
        "title": {"color": ink, "fontSize": 12, "anchor": "start", "fontWeight": "bold"},
        "text": {"color": ink},
        "legend": {
            "orient": "bottom",
            "title": None,
            "columns": 3,
            "labelColor": ink,
            "labelLimit": 0,
            "symbolOpacity": 1,
        }
        | ({} if legend else {"disable": True}),
    }


THEMES = {"light": theme("#1d1d1f", "#e2e2e2"), "dark": theme("#e6e6e6", "#3a3d42")}
OF_A_FILE = theme("#1d1d1f", "#e2e2e2", paper="#ffffff", font="sans-serif", legend=True)
# Inside a page, before its script runs or where it has none: the style sheet of the page says which colours these are.
OF_A_PAGE = theme("currentColor", "var(--line)", font="inherit")


def _between(one: str, other: str, share: float) -> str:
    pairs = [(int(one[i : i + 2], 16), int(other[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(low + share * (high - low)):02x}" for low, high in pairs)
