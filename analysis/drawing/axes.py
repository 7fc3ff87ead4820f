"""Axes that people can read: limits that hold what was measured, ticks where it was, decimal ticks on logarithms."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from analysis.drawing.answer import Scale
from analysis.estimates.numerals import count, number, scientific, short

MOST_PLACES = 6  # measured at, that get a tick each
MOST_TICKS = 6
FLOPS = "FLOP"  # in the label of an axis of compute, which is written with its power of ten
APART = 0.09  # of an axis, from which two labels do not touch
MARGIN = 0.05  # of the distance between the ends, left free on either side


@dataclass(frozen=True, slots=True)
class Axis:
    """A scale with its limits."""

    scale: Scale
    low: float
    high: float

    @classmethod
    def around(cls, scale: Scale, values: Iterable[float], *, margin: float = MARGIN) -> "Axis":
        """Limits around finite values, positive ones on a logarithm, within what the scale says is possible."""
        known = [value for value in values if math.isfinite(value) and (value > 0 or not scale.log)]
        low, high = (min(known), max(known)) if known else (1.0, 1.0)
        if low == high:
            low, high = (
                (low / 1.5, high * 1.5) if scale.log else (low - (abs(low) or 1) / 10, high + (abs(high) or 1) / 10)
            )
        axis = cls(scale, low, high)
        low, high = axis.at(-margin), axis.at(1 + margin)
        # A limit of what is possible is a limit of the axis, unless the axis is a logarithm and has no 0.
        if scale.least is not None and low < scale.least and not scale.log:
            low = scale.least
        if scale.most is not None and high > scale.most:
            high = scale.most
        return cls(scale, low, high)

    def at(self, share: float) -> float:
        """The value at a share of the way from the low to the high end."""
        if self.scale.log:
            return float(self.low * (self.high / self.low) ** share)
        return self.low + share * (self.high - self.low)

    def share(self, value: float) -> float:
        """Where a value lies: 0 at the low end, 1 at the high end."""
        if self.scale.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def held(self, value: float) -> float:
        """A value moved to the nearer end where it is outside."""
        return min(max(value, self.low), self.high)

    def text(self, value: float) -> str:
        """A value of the axis by itself."""
        return scientific(value) if FLOPS in self.scale.label else count(value) if value >= 0 else number(value)

    def channel(self, ticks: Sequence[float] = (), **axis: Any) -> dict[str, Any]:
        """Scale and axis of Vega-Lite; `ticks`: none for decimal ones."""
        places = list(ticks) or decimal_ticks(self)
        scale = {"type": "log" if self.scale.log else "linear", "domain": [self.low, self.high], "nice": False}
        texts = labels(places, self.scale)
        names = ", ".join(f"'{_key(place)}': '{text}'" for place, text in zip(places, texts, strict=True))
        shown = {"values": places, "labelExpr": f"{{{names}}}[datum.value]", "labelOverlap": "greedy", **axis}
        return {
            "type": "quantitative",
            "scale": scale | ({} if self.scale.log else {"zero": False}),
            "axis": {"title": self.scale.label, **shown},
        }


def ticks_at(axis: Axis, places: Iterable[float]) -> list[float]:
    """Where was measured, if that is at few places whose labels do not touch; else decimal ticks."""
    distinct = sorted(set(places))
    if not 1 < len(distinct) <= MOST_PLACES:
        return decimal_ticks(axis)
    kept = distinct[:1]
    for place in distinct[1:]:
        if axis.share(place) - axis.share(kept[-1]) > APART:
            kept.append(place)
    return kept if len(kept) > len(distinct) / 2 else decimal_ticks(axis)


def decimal_ticks(axis: Axis, most: int = MOST_TICKS) -> list[float]:
    """Round values within the limits, as many as fit; two at least where there are two."""
    if not axis.scale.log:
        return _even(axis.low, axis.high, most)
    # Within two decades 1, 2 and 5; over more of them the powers of ten, if those are three at least.
    order = ((1, 2, 5), (1, 3), (1,)) if axis.high < 100 * axis.low else ((1,), (1, 3), (1, 2, 5))
    sets = [_powers(axis, digits) for digits in order]
    found = next(
        (ticks for ticks in sets if 3 <= len(ticks) <= most), min(sets, key=lambda ticks: abs(len(ticks) - most))
    )
    found = found[:: max(1, -(-len(found) // most))]
    even = _even(axis.low, axis.high, most)
    return even if len(found) < 3 and axis.high < 10 * axis.low and len(even) > len(found) else found


def labels(ticks: Sequence[float], scale: Scale) -> list[str]:
    """Texts of ticks: as many decimals as tell neighbours apart, thousands as 1K, FLOPs as 1e12."""
    if FLOPS in scale.label and max(ticks, default=0.0) >= 1e6:
        return [f"{tick:.3g}".replace("e+", "e").replace("e0", "e") for tick in ticks]
    largest = max(map(abs, ticks), default=0.0)
    gaps = [high - low for low, high in pairwise(ticks)]
    if largest >= 1000 or largest < 1e-3 or not gaps or largest > 30 * min(gaps):
        return [_compact(tick) for tick in ticks]
    decimals = max(0, *(_decimals(tick) for tick in ticks))
    return [f"{tick:.{min(decimals, 4)}f}" for tick in ticks]


def _decimals(value: float) -> int:
    return len(f"{value:.6f}".rstrip("0").partition(".")[2])


def _compact(value: float) -> str:
    return short(value) if value < 1e15 else f"{value:.2g}".replace("e+", "e")


def _key(value: float) -> str:
    """A number as JavaScript writes it: the name under which its label is found."""
    if value == int(value) and abs(value) < 1e21:
        return str(int(value))
    text = repr(value)
    mantissa, e, power = text.partition("e")
    if e and -7 < int(power) < 0:  # 1e-05, which JavaScript writes in full
        return f"{value:.{len(mantissa.replace('.', '').lstrip('-')) - 1 - int(power)}f}"
    return f"{mantissa}e{'-' if int(power) < 0 else '+'}{abs(int(power))}" if e else text


def _even(low: float, high: float, most: int) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten."""
    raw = (high - low) / (most - 1)
    power = 10.0 ** math.floor(math.log10(raw))
    for step in (1, 2, 5, 10, 20):
        width = step * power
        first, last = math.ceil(low / width - 1e-9), math.floor(high / width + 1e-9)
        if last - first < most:
            # By a division of whole numbers where the width is below 1: 3 * 0.1 is not 0.3.
            return [i * width if width >= 1 else i * step / round(1 / power) for i in range(first, last + 1)]
    return []


def _powers(axis: Axis, digits: Sequence[int]) -> list[float]:
    """Digits times powers of ten."""
    first, last = math.floor(math.log10(axis.low)), math.ceil(math.log10(axis.high))
    all_of_them = (float(f"{digit}e{power}") for power in range(first, last + 1) for digit in digits)
    return [tick for tick in all_of_them if axis.low <= tick * (1 + 1e-9) and tick <= axis.high * (1 + 1e-9)]
