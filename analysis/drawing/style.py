"""One colour and marker per group, told apart by colour-blind readers and on grey paper.

Up to seven groups take the palette of Okabe and Ito, more an ordered ramp (viridis without its bright end).
"""

from typing import NamedTuple

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
NEUTRAL = "#5a5a5a"
BRIGHT_END = 0.82  # of viridis: beyond it a line on white is too pale


class Look(NamedTuple):
    """How a group is drawn."""

    colour: str
    marker: str


def ramp(count: int) -> tuple[str, ...]:
    """Ordered colours, dark first."""
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    colours = colormaps["viridis"]
    return tuple(to_hex(colours(BRIGHT_END * i / max(count - 1, 1))) for i in range(count))
