"""Numbers as people read them: three significant digits, and one way to write a value with its interval."""

import math

from analysis.passk.estimate import Estimate

DIGITS = 3
WHOLE = 10_000  # below it a count is written in full
SMALLEST, LARGEST = 1e-4, 1e5  # outside, a value is written with an exponent
UNKNOWN = "?"  # in the place of an end of an interval


def short(value: float) -> str:
    """A size as people say it: 27K, 1.6M, 7.1B."""
    for unit, suffix in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K")):
        if value >= unit * 0.9995:
            return f"{value / unit:.3g}{suffix}"
    return f"{value:.3g}"


def count(value: float) -> str:
    """How many, in full as far as people count so: 64, 1,024, 12K."""
    return f"{value:,.0f}" if value == round(value) and value < WHOLE else short(value)


def about(value: float) -> str:
    """A count that is an estimate, to three significant digits: 537, 1,550, 12K."""
    return count(float(f"{value:.{DIGITS}g}"))


def scientific(value: float) -> str:
    """A quantity over many decades, as FLOPs are: 1.23e12."""
    mantissa, _, exponent = f"{value:.{DIGITS - 1}e}".partition("e")
    return f"{mantissa}e{int(exponent)}"


def number(value: float) -> str:
    """A number by itself, to three significant digits."""
    return _written((value,), "")[0]


def signed(value: Estimate) -> str:
    """A difference with its interval: +0.123 [+0.101, +0.145]."""
    return _with_ends(value, "+")


def plain(value: Estimate) -> str:
    """A share with its interval: 0.123 [0.101, 0.145]."""
    return _with_ends(value, "")


def change(value: Estimate) -> str:
    """A difference after a word that tells its direction; both as rises: "by 0.123 [0.101, 0.145]"."""
    if value.value < 0:
        low, high = (None if end is None else -end for end in (value.high, value.low))
        return plain(Estimate(-value.value, low, high))
    return plain(value)


def _with_ends(value: Estimate, sign: str) -> str:
    known = [end for end in (value.low, value.high) if end is not None]
    said, *ends = _written((value.value, *known), sign)
    if not known:
        return f"{said} (no interval)"
    found = iter(ends)
    low, high = (UNKNOWN if end is None else next(found) for end in (value.low, value.high))
    return f"{said} [{low}, {high}]"


def _written(values: tuple[float, ...], sign: str) -> list[str]:
    """All to the same place: three significant digits of the largest, more where one would be written as 0."""
    largest = max(abs(value) for value in values)
    if largest and not SMALLEST <= largest < LARGEST:
        return [f"{'+' if sign and value >= 0 else ''}{scientific(value)}" for value in values]
    decimals = max(0, DIGITS - 1 - math.floor(math.log10(largest))) if largest else DIGITS
    if 0.1 <= largest <= 1:
        decimals = DIGITS  # a share of 1 beside its ends: 1.000 [0.943, 1.000]
    while decimals <= DIGITS and any(value and not round(value, decimals) for value in values):
        decimals += 1
    texts = [f"{round(value, decimals) + 0.0:{sign}.{decimals}f}" for value in values]
    return [text.lstrip("+") if float(text) == 0 else text for text in texts]
