"""One gold answer with what says the same and what does not, before anything is framed."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import gcd
from random import Random


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Texts that say the same as `gold`, and texts that do not.

    `is_one_value` says that exactly one value is asked for, so that a second one beside it hedges. `is_whole` says that
    the texts are whole responses, which nothing is put around.
    """

    gold: str
    right: tuple[str, ...]
    wrong: tuple[str, ...]
    is_one_value: bool = False
    is_whole: bool = False


Kind = Callable[[Random], Draft]


def other(rng: Random, value: int, low: int, high: int) -> int:
    """An integer between `low` and `high`, both included, that is not `value`."""
    return rng.choice([number for number in range(low, high + 1) if number != value])


def proper(rng: Random, most: int = 20) -> Fraction:
    """A positive fraction that is no integer, in lowest terms."""
    while True:
        bottom = rng.randint(2, most)
        top = rng.randint(1, 2 * most)
        if gcd(top, bottom) == 1:
            return Fraction(top, bottom)


def tex(value: Fraction | int) -> str:
    r"""`-\\frac{3}{4}`, or the digits of an integer."""
    value = Fraction(value)
    if value.denominator == 1:
        return str(value.numerator)
    return f"{'-' * (value < 0)}\\frac{{{abs(value.numerator)}}}{{{value.denominator}}}"


def signed(value: int) -> str:
    """`+ 3` or `- 3`."""
    return f"{'-' if value < 0 else '+'} {abs(value)}"


def term(factor: int, name: str) -> str:
    """`-3x`, `x`, `-x`."""
    return f"{'' if factor == 1 else '-' if factor == -1 else factor}{name}"


def added(factor: int, name: str) -> str:
    """`+ 3x`, `- x`, nothing for 0."""
    if not factor:
        return ""
    return f" {'-' if factor < 0 else '+'} {'' if abs(factor) == 1 and name else abs(factor)}{name}"


def shuffled(rng: Random, things: list[str]) -> list[str]:
    """The same in another order (at least two different things)."""
    while True:
        mixed = rng.sample(things, len(things))
        if mixed != things:
            return mixed
