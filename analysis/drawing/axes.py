"""Axes that people can read: ticks at models, decimal ticks on logarithms, the same limits in neighbouring panels."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, LogFormatterSciNotation, LogLocator, MaxNLocator, NullLocator

from analysis.estimates.numerals import short
from analysis.passk.estimate import Estimate

FINE = (1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.2, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 5.5, 6.0, 6.5, 7.0, 7.5, 8.0, 8.5, 9.0, 9.5)
TICKS = (
    FINE,
    (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0),
    (1.0, 2.0, 3.0, 5.0, 7.0),
    (1.0, 2.0, 5.0),
    (1.0,),
)


def mark(axes: Axes, x: float, value: Estimate, *, colour: str, marker: str, hollow: bool = False) -> None:
    """A point with its interval."""
    if value.low is not None and value.high is not None:
        axes.plot([x, x], [value.low, value.high], color=colour, linewidth=1.3, solid_capstyle="butt", zorder=2)
    axes.plot(
        [x],
        [value.value],
        marker=marker,
        color=colour,
        linestyle="none",
        markersize=6.5,
        zorder=3,
        markerfacecolor="white" if hollow else colour,
        markeredgewidth=1.4,
    )


def size_axis(axes: Axes, sizes: Sequence[int]) -> None:
    """A logarithmic axis of model sizes, one tick a model."""
    axes.set_xscale("log")
    size_ticks(axes, sizes)
    margin = 1.6 if min(sizes) < max(sizes) else 3
    axes.set_xlim(min(sizes) / margin, max(sizes) * margin * 1.15)
    axes.set_xlabel("model size (parameters without embedding)")


def size_ticks(axes: Axes, sizes: Sequence[int]) -> None:
    """One tick a model; where labels would touch, the later one is left without a label."""
    distinct = sorted(set(sizes))
    span = max(math.log10(distinct[-1] / distinct[0]), 0.5)
    labelled = distinct[:1]
    for size in distinct[1:]:
        if math.log10(size / labelled[-1]) > 0.13 * span:
            labelled.append(size)
    axes.xaxis.set_major_locator(FixedLocator(distinct))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: short(x) if round(x) in labelled else ""))
    axes.xaxis.set_minor_locator(NullLocator())


def k_axis(axes: Axes, ks: Sequence[int]) -> None:
    """A base-2 axis of sample budgets."""
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_locator(FixedLocator(ks if len(ks) <= 9 else ks[:: math.ceil(len(ks) / 9)]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0f}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("k (samples a problem)")


def log_x(axes: Axes, label: str) -> None:
    """A logarithmic x: powers of ten over decades, plain numbers within one."""
    axes.set_xscale("log")
    axes.set_xlabel(label)
    low, high = axes.get_xlim()
    if high / low < 20:
        axes.xaxis.set_major_locator(FixedLocator(_decimal_ticks(low, high, most=5)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _compact(value)))
    else:
        axes.xaxis.set_major_locator(LogLocator(numticks=6))
        if high < 1e7:
            axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
        else:
            axes.xaxis.set_major_formatter(LogFormatterSciNotation())
    axes.xaxis.set_minor_locator(NullLocator())


def log_y(axes: Axes) -> None:
    """Decimal ticks on a logarithmic y, as many as fit."""
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    axes.yaxis.set_major_locator(FixedLocator(_decimal_ticks(low, high, most=7)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.3g}" if value < 1e3 else _compact(value)))
    axes.yaxis.set_minor_locator(NullLocator())


def step_axis(axes: Axes) -> None:
    """Training steps: whole numbers."""
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.set_xlabel("training step")


def shared_limits(axes: Axes, xs: Sequence[float], ys: Sequence[float]) -> None:
    """The same limits for every panel; zero is in sight when the values are not negative."""
    low, high = min(*ys, 0.0), max(ys)
    pad = 0.04 * ((high - low) or 1)
    axes.set_ylim(low - (pad if low < 0 else 0), high + pad)
    width = max(xs) - min(xs)
    axes.set_xlim(min(xs) - 0.02 * (width or 1), max(xs) + 0.02 * (width or 1))


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
