r"""Chains of operations on whole numbers, such as `47*83+21=?` with `\boxed{3922}`.

Who calculates one operation per call needs as many calls as the problem's level.
"""

import operator
import random
import re
from typing import NamedTuple

from data_prep.synthetic.conversation import Conversation
from data_prep.synthetic.problem import Problem
from data_prep.synthetic.tool_call import tool_call
from rewards import Domain

LEVELS = 4
DATA_SOURCE = "math__synthetic_chain"
CALCULATOR = "calculator"
_TOOLS = (CALCULATOR, CALCULATOR, "python")  # one of them for a conversation
_DO = {"+": operator.add, "-": operator.sub, "*": operator.mul}
_LEAST = 100  # below it a chain goes up, so that no value is negative


class _Chain(NamedTuple):
    first: int
    steps: tuple[tuple[str, int], ...]  # (sign, number)

    @property
    def shown(self) -> str:
        return f"{self.first}{''.join(f'{sign}{number}' for sign, number in self.steps)}=?"

    @property
    def value(self) -> int:
        value = self.first
        for sign, number in self.steps:
            value = _DO[sign](value, number)
        return value


def generate(level: int, rng: random.Random) -> Problem:
    """A problem of `level`, 1 to `LEVELS`: a product of two numbers, and one sum or difference per further level."""
    return _problem(_chain(level, rng))


def _chain(level: int, rng: random.Random) -> _Chain:
    first, factor = rng.randint(11, 99), rng.randint(11, 99)
    steps, value = [("*", factor)], first * factor
    for _ in range(level - 1):
        sign, number = "+" if value < _LEAST or rng.random() < 0.5 else "-", rng.randint(11, 99)
        steps.append((sign, number))
        value = _DO[sign](value, number)
    return _Chain(first, tuple(steps))


def conversation(level: int, rng: random.Random, *, calls: bool, slips: bool) -> Conversation:
    """A conversation about a problem of `level`.

    Args:
        level: As for `generate`.
        rng: Decides all else.
        calls: Whether tools work it out: a calculator, operation by operation, or Python, in one call. Otherwise the
            answer comes at once, in half of the cases although there are tools.
        slips: Whether one digit is wrong somewhere, and so the answer is.
    """
    chain, tool = _chain(level, rng), rng.choice(_TOOLS)
    if calls:
        turns, said = _worked_out(chain, tool, rng, slips=slips)
    else:
        turns, said = [], _digit_wrong(str(chain.value), rng) if slips else str(chain.value)
    there = [("system", tool)] if calls or rng.random() < 0.5 else []
    return Conversation(
        problem=_problem(chain),
        turns=(*there, ("user", chain.shown), *turns, ("assistant", _boxed(said))),
        is_correct=not slips,
    )


def _worked_out(chain: _Chain, tool: str, rng: random.Random, *, slips: bool) -> tuple[list[tuple[str, str]], str]:
    """The calls with what comes back, and the answer."""
    parts: list[tuple[tuple[str, int], ...]] = (
        [(step,) for step in chain.steps] if tool == CALCULATOR else [chain.steps]
    )
    spoilt_part = rng.randint(0, len(parts)) if slips else None  # the last: the answer itself
    turns, value = [], chain.first
    for number, steps in enumerate(parts):
        expression = f"{value}{''.join(f'{sign}{term}' for sign, term in steps)}"
        if number == spoilt_part:
            expression = _digit_wrong(expression, rng)
        value = _read(expression).value
        turns += [("assistant", tool_call(tool, expression)), ("tool", str(value))]
    return turns, _digit_wrong(str(value), rng) if spoilt_part == len(parts) else str(value)


def _read(expression: str) -> _Chain:
    """The chain of an expression in which products come first."""
    first, *rest = re.split(r"([-+*])", expression)
    return _Chain(int(first), tuple((sign, int(term)) for sign, term in zip(rest[::2], rest[1::2], strict=True)))


def _digit_wrong(text: str, rng: random.Random) -> str:
    """`text` with one digit replaced by another; the first of a number by no zero."""
    places = [match.start() for match in re.finditer(r"\d", text)]
    place = rng.choice(places)
    others = "123456789" if place == 0 or not text[place - 1].isdigit() else "0123456789"
    return text[:place] + rng.choice([digit for digit in others if digit != text[place]]) + text[place + 1 :]


def _problem(chain: _Chain) -> Problem:
    value, last = chain.value, chain.steps[-1]
    before = _Chain(chain.first, chain.steps[:-1]).value
    other = {"+": "-", "-": "+", "*": "+"}[last[0]]
    slips = dict.fromkeys((_DO[other](before, last[1]), value + 10, value + 1))
    return Problem(
        domain=Domain.MATH,
        data_source=DATA_SOURCE,
        ability="math",
        prompt=chain.shown,
        ground_truth=str(value),
        solution=_boxed(value),
        mistakes=tuple(_boxed(slip) for slip in slips if slip != value),
        level=len(chain.steps),
    )


def _boxed(value: int | str) -> str:
    return f"\\boxed{{{value}}}"
