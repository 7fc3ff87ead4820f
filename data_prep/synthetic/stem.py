r"""Multiple choice physics, such as `v=3,t=4. s? A)7 B)12 C)14 D)1` with `\boxed{B}`."""

import random
from typing import NamedTuple

from data_prep.synthetic.problem import Problem
from rewards import Domain


class _Question(NamedTuple):
    asked: str
    answer: str
    distractors: list[str]  # at least three, none of them the answer


# Symbol of a quantity and its SI unit; one letter each, so that both are one token of a byte tokenizer.
_UNITS: tuple[tuple[str, str], ...] = (
    ("F", "N"),
    ("E", "J"),
    ("P", "W"),
    ("U", "V"),
    ("I", "A"),
    ("Q", "C"),
    ("s", "m"),
    ("t", "s"),
    ("T", "K"),
)
# Symbol of a quantity and of the two that it is the product of.
_PRODUCTS: tuple[tuple[str, str, str], ...] = (
    ("s", "v", "t"),
    ("F", "m", "a"),
    ("U", "I", "R"),
    ("P", "U", "I"),
    ("W", "F", "s"),
    ("p", "m", "v"),
    ("Q", "I", "t"),
    ("E", "P", "t"),
)
_LETTERS = "ABCD"
LEVELS = 6


def generate(level: int, rng: random.Random) -> Problem:
    """A problem of `level`, 1 to `LEVELS`: units ([F] is the unit of F), laws, then numbers in laws."""
    question = _question(level, rng)
    options = [question.answer, *rng.sample(question.distractors, 3)]
    rng.shuffle(options)
    right = _LETTERS[options.index(question.answer)]
    listed = " ".join(f"{letter}){option}" for letter, option in zip(_LETTERS, options, strict=True))
    return Problem(
        domain=Domain.STEM,
        data_source="stem__synthetic",
        ability="stem",
        prompt=f"{question.asked}? {listed}",
        ground_truth=right,
        solution=f"\\boxed{{{right}}}",
        mistakes=tuple(f"\\boxed{{{letter}}}" for letter in _LETTERS if letter != right),
        level=level,
    )


def _question(level: int, rng: random.Random) -> _Question:
    if level == 1:
        symbol, unit = rng.choice(_UNITS)
        return _Question(f"[{symbol}]=", unit, [other for _, other in _UNITS if other != unit])
    product, first, second = rng.choice(_PRODUCTS)
    if level == 2:
        laws = [f"{x}*{y}" for p, x, y in _PRODUCTS if p != product]
        return _Question(f"{product}=", f"{first}*{second}", laws)
    if level == 3:
        small, power = rng.randint(1, 9), rng.choice((10, 100))
        far = {small, small * 1000, small + power, power, small * power * 10}
        return _numbers(f"{first}={small},{second}={power}. {product}", small * power, far)
    x, y = rng.randint(2, 9), rng.randint(2, 9)
    if level == 4:
        return _numbers(f"{first}={x},{second}={y}. {product}", x * y, {x + y, x * y + 10, x * y + 25, abs(x - y)})
    if level == 5:
        return _numbers(f"{product}={x * y},{first}={x}. {second}", y, {x + 1, x * y - x, y + 2, x * y})
    z = rng.randint(2, 9)
    work = x * y * z  # W = m a s
    return _numbers(f"m={x},a={y},s={z}. W", work, {x * y + z, x + y * z, work + x, work - y, work + 10})


def _numbers(asked: str, answer: int, wrong: set[int]) -> _Question:
    distractors = sorted(wrong - {answer})
    while len(distractors) < 3:
        distractors.append(max([answer, *distractors]) + 3)
    return _Question(asked, str(answer), [str(number) for number in distractors])
