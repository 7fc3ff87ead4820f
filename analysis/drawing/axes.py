"""Axes that people can read: ticks where was measured, decimal ticks on logarithms, straight lines with their names."""

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, LogFormatterSciNotation, LogLocator, MaxNLocator, NullLocator

from analysis.drawing.answer import Guide, Scale
from analysis.drawing.style import NEUTRAL
from analysis.estimates.numerals import short

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
    """Round numbers, as many as fit: on a decade or less they may be evenly spaced."""
    locators = (
        *((MaxNLocator(most - 1, steps=[1, 2, 5, 10], min_n_ticks=3),) if high < 10 * low else ()),
        *(LogLocator(subs=subs) for subs in ((1, 1.5, 2, 3, 5, 7), (1, 2, 5), (1,))),
    )
    inside = [[tick for tick in locator.tick_values(low, high) if low <= tick <= high] for locator in locators]
    return next((ticks for ticks in inside if 1 < len(ticks) <= most), inside[-1])


def _compact(value: float) -> str:
    return short(value) if value < 1e15 else f"{value:.2g}".replace("e+", "e")
