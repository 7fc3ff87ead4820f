"""One colour and marker a series or a size, everywhere the same, told apart by colour-blind readers and on grey paper.

Series take the palette of Okabe and Ito, sizes an ordered ramp (viridis without its bright end).
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from analysis.drawing.page import Key
from analysis.estimates.numerals import short
from analysis.runs.selection import SEPARATOR

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
NEUTRAL = "#5a5a5a"
BRIGHT_END = 0.82  # of viridis: beyond it a line on white is too pale


class Look(NamedTuple):
    """How a series or size is drawn."""

    colour: str
    marker: str


def series_looks(labels: Mapping[str, str]) -> dict[str, Look]:
    """The look of each series in the order of the runs.

    Up to seven series have a colour and marker each. Of more, the last part of the label is the colour and what stands
    before it the marker.
    """
    names = list(dict.fromkeys(labels.values()))
    if len(names) <= len(PALETTE):
        return {name: Look(PALETTE[i], MARKERS[i]) for i, name in enumerate(names)}
    parts = [name.rsplit(SEPARATOR, 1) for name in names]
    colours = list(dict.fromkeys(part[-1] for part in parts))
    markers = list(dict.fromkeys(part[0] if len(part) > 1 else "" for part in parts))
    return {
        name: Look(
            PALETTE[colours.index(part[-1]) % len(PALETTE)],
            MARKERS[markers.index(part[0] if len(part) > 1 else "") % len(MARKERS)],
        )
        for name, part in zip(names, parts, strict=True)
    }


def ramp(count: int) -> tuple[str, ...]:
    """Ordered colours, dark first."""
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    colours = colormaps["viridis"]
    return tuple(to_hex(colours(BRIGHT_END * i / max(count - 1, 1))) for i in range(count))


def size_looks(sizes: Iterable[int]) -> dict[int, Look]:
    """The look of each model size, dark for the smallest."""
    ordered = sorted(set(sizes))
    colours = ramp(len(ordered))
    return {size: Look(colours[i], MARKERS[i % len(MARKERS)]) for i, size in enumerate(ordered)}


def series_keys(looks: dict[str, Look], *, marker: bool = False, line: bool = False) -> tuple[Key, ...]:
    """Legend entries of the series."""
    return tuple(
        Key(label=name, colour=look.colour, marker=look.marker if marker else None, line=line)
        for name, look in looks.items()
    )


def size_keys(looks: dict[int, Look], names: dict[int, str], *, line: bool = False) -> tuple[Key, ...]:
    """Legend entries of the sizes."""
    return tuple(
        Key(label=f"{names[size]} ({short(size)})", colour=look.colour, marker=look.marker, line=line)
        for size, look in looks.items()
    )
