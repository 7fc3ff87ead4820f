"""Axes that people can read: ticks where was measured, decimal ticks on logarithms, straight lines with their names."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, LogFormatterSciNotation, LogLocator, MaxNLocator, NullLocator

from analysis.drawing.answer import Guide, Scale
from analysis.drawing.style import NEUTRAL
from analysis.estimates.numerals import short

FINE = (1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.2, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 5.5, 6.0, 6.5, 7.0, 7.5, 8.0, 8.5, 9.0, 9.5)
TICKS = (
    FINE,
    (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0),
    (1.0, 2.0, 3.0, 5.0, 7.0),
    (1.0, 2.0, 5.0),
    (1.0,),
)
MOST_PLACES = 9  # measured at, that get a tick each
APART = 0.09  # of a logarithmic axis, from which two labels do not touch


def scale_x(axes: Axes, scale: Scale, places: Sequence[float] = ()) -> None:
    """Label and ticks of the horizontal axis; `places`: where was measured."""
    axes.set_xlabel(scale.label)
    if not scale.log:
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=bool(places) and all(x == round(x) for x in places)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _compact(value)))
        return
    axes.set_xscale("log")
    distinct = sorted(set(places))
    labelled = _apart(distinct, *axes.get_xlim())
    if 1 < len(distinct) <= MOST_PLACES and len(labelled) > len(distinct) / 2:
        axes.xaxis.set_major_locator(FixedLocator(distinct))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _compact(value) if value in labelled else ""))
    else:
        _log_x(axes)
    axes.xaxis.set_minor_locator(NullLocator())


def scale_y(axes: Axes, scale: Scale) -> None:
    """Label and ticks of the vertical axis."""
    axes.set_ylabel(scale.label)
    if scale.log:
        _log_y(axes)


def draw_guide(axes: Axes, guide: Guide, *, height: int = 1) -> None:
    """A line; the label of an upright one stands above the panel (height 1) or on its floor (0), else in the legend."""
    if guide.axis == "y":
        axes.axhline(guide.value, color=NEUTRAL, linewidth=1, linestyle="--")
        return
    axes.axvline(guide.value, color=NEUTRAL, linewidth=1, linestyle=":")
    if guide.label:
        axes.annotate(
            guide.label, (guide.value, height), xycoords=("data", "axes fraction"), xytext=(2, 1),
            textcoords="offset points", fontsize=7.5, color=NEUTRAL, va="bottom",
        )  # fmt: skip


def _apart(places: Sequence[float], low: float, high: float) -> list[float]:
    """Places in ascending order without those whose labels would touch the one before, on a logarithmic axis."""
    kept: list[float] = []
    for place in places:
        if not kept or math.log(place / kept[-1]) > APART * math.log(high / low):
            kept.append(place)
    return kept


def _log_x(axes: Axes) -> None:
    """Powers of ten over decades, plain numbers within one."""
    low, high = axes.get_xlim()
    if high / low < 20:
        axes.xaxis.set_major_locator(FixedLocator(_decimal_ticks(low, high, most=5)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _compact(value)))
        return
    axes.xaxis.set_major_locator(LogLocator(numticks=6))
    plain = FuncFormatter(lambda value, _: short(value))
    axes.xaxis.set_major_formatter(plain if high < 1e7 else LogFormatterSciNotation())


def _log_y(axes: Axes) -> None:
    """Decimal ticks, as many as fit."""
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    axes.yaxis.set_major_locator(FixedLocator(_decimal_ticks(low, high, most=7)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _compact(value)))
    axes.yaxis.set_minor_locator(NullLocator())


def _decimal_ticks(low: float, high: float, *, most: int) -> list[float]:
    inside: list[float] = []
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in TICKS:
        ticks = [step * 10.0**power for power in powers for step in steps]
        inside = [tick for tick in ticks if low <= tick <= high]
        if len(inside) <= most:
            break
    if len(inside) < 2:
        inside = [float(f"{tick:.2g}") for tick in np.geomspace(low, high, 5)[1:-1]]
    return inside


def _compact(value: float) -> str:
    return short(value) if value < 1e15 else f"{value:.2g}".replace("e+", "e")
