r"""Integer arithmetic, such as `734+52=?` with `\boxed{786}`."""

import random
from collections.abc import Callable
from typing import NamedTuple

from data_prep.synthetic.problem import Problem
from rewards import Domain


class _Sum(NamedTuple):
    """An expression as shown, its value, and what a pupil's typical slip would give."""

    shown: str
    value: int
    slip: int


def _step(rng: random.Random) -> _Sum:
    """A three or four-digit number plus or minus one, in the last digit alone."""
    sign = rng.choice((1, -1))
    last = rng.randint(0, 8) if sign > 0 else rng.randint(1, 9)
    a = 10 * rng.randint(10, rng.choice((99, 999))) + last
    return _Sum(f"{a}{'+' if sign > 0 else '-'}1", a + sign, a - sign)


def _no_carry(rng: random.Random, digits: int, places: int) -> _Sum:
    """A number of `digits` digits plus or minus one of `places`, digit by digit without carry or borrow."""
    sign = rng.choice((1, -1))
    a, b = 0, 0
    for place in range(digits - 1, -1, -1):
        left = rng.randint(1 if place == digits - 1 else 0, 9)
        right = rng.randint(0, left if sign < 0 else 9 - left) if place < places else 0
        a, b = a + left * 10**place, b + right * 10**place
    return _Sum(f"{a}{'+' if sign > 0 else '-'}{b}", a + sign * b, a - sign * b)


def _plus_minus(rng: random.Random, low: int, high: int) -> _Sum:
    a, b = rng.randint(low, high), rng.randint(low, high)
    if rng.random() < 0.5:
        return _Sum(f"{a}+{b}", a + b, a + b - 10)
    return _Sum(f"{max(a, b)}-{min(a, b)}", abs(a - b), abs(a - b) + 10)


def _product(rng: random.Random, low: int, high: int) -> _Sum:
    a, b, c = rng.randint(low, high), rng.randint(2, 9), rng.randint(0, 99)
    return _Sum(f"{a}*{b}+{c}", a * b + c, a * (b + 1) + c)


def _remainder(rng: random.Random) -> _Sum:
    a, b, m = rng.randint(10, 99), rng.randint(10, 99), rng.randint(3, 12)
    return _Sum(f"({a}+{b})%{m}", (a + b) % m, (a + b) // m)


_LARGE: tuple[Callable[[random.Random], _Sum], ...] = (
    lambda rng: _plus_minus(rng, 100, 999),
    lambda rng: _product(rng, 11, 99),
    _remainder,
)
_LEVELS: tuple[Callable[[random.Random], _Sum], ...] = (
    _step,
    lambda rng: _no_carry(rng, 3, 1),
    lambda rng: _no_carry(rng, 2, 2),
    lambda rng: _plus_minus(rng, 10, 99),
    lambda rng: _product(rng, 2, 9),
    lambda rng: rng.choice(_LARGE)(rng),
)
LEVELS = len(_LEVELS)


def generate(level: int, rng: random.Random) -> Problem:
    """A problem of `level`, 1 to `LEVELS`: without carry, with carry, products, remainders."""
    shown, value, slip = _LEVELS[level - 1](rng)
    return Problem(
        domain=Domain.MATH,
        data_source="math__synthetic",
        ability="math",
        prompt=f"{shown}=?",
        ground_truth=str(value),
        solution=_boxed(value),
        mistakes=tuple(_boxed(wrong) for wrong in dict.fromkeys((slip, value + 1, value + 10)) if wrong != value),
        level=level,
    )


def _boxed(value: int) -> str:
    return f"\\boxed{{{value}}}"
