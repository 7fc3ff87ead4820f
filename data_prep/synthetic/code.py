"""Small Python functions described in words, such as `Python: add 2, times 3`; checked by running assertions."""

import json
import random

from data_prep.synthetic.problem import Problem
from rewards import Domain

_INPUTS = (0, 1, 2, 7, -3, 100, 997)
# Words, and the source they stand for with {e} the expression so far and {n} the number.
_OPERATIONS: dict[str, str] = {
    "add": "{e}+{n}",
    "minus": "{e}-{n}",
    "times": "{e}*{n}",
    "mod": "{e}%{n}",
    "div": "{e}//{n}",
}
_LOOSE = ("add", "minus")  # bind looser than the rest, so a following operation needs parentheses
_EASY = ("add", "minus", "times")
LEVELS = 6


def generate(level: int, rng: random.Random) -> Problem:
    """A problem of `level`, 1 to `LEVELS`: one to four operations in words; the last level gives examples only."""
    if level == 1:
        # Most numbers are short, for the smallest models; about 15,000 problems.
        steps = [(rng.choice(tuple(_OPERATIONS)), rng.randint(2, rng.choice((30, 99, 2999))))]
    elif level == 2:
        steps = [
            (rng.choice(("times", "mod", "div")), rng.randint(2, 9)),
            (rng.choice(_LOOSE), rng.randint(1, 99)),
        ]
    elif level in (3, 4):
        steps = [(rng.choice(tuple(_OPERATIONS)), rng.randint(2, 9)) for _ in range(level - 1)]
        if level == 3:
            steps = [(word, rng.randint(2, 30)) for word, _ in steps]
    elif level == 5:
        steps = [(rng.choice(tuple(_OPERATIONS)), rng.randint(2, 9)) for _ in range(4)]
    else:
        steps = [("times", rng.randint(2, 9)), (rng.choice(_LOOSE), rng.randint(1, 99))]
    expression = _expression(steps)
    function = _function(expression)
    tests = "\n".join(f"assert f({x})=={_apply(steps, x)}" for x in _INPUTS)
    words = ", ".join(f"{word} {number}" for word, number in steps)
    if level == LEVELS:
        points = sorted(rng.sample(range(6), 2))
        words = ", ".join(f"f({x})={_apply(steps, x)}" for x in points)
    return Problem(
        domain=Domain.CODE,
        data_source="codegen__synthetic",
        ability="codegen",
        prompt=f"Python: {words}",
        ground_truth=json.dumps({"functional": tests}),
        solution=function,
        mistakes=_mistakes(steps, function),
        level=level,
    )


def _expression(steps: list[tuple[str, int]]) -> str:
    expression, is_loose = "x", False
    for word, number in steps:
        if is_loose and word not in _LOOSE:
            expression = f"({expression})"
        expression = _OPERATIONS[word].format(e=expression, n=number)
        is_loose = word in _LOOSE
    return expression


def _apply(steps: list[tuple[str, int]], x: int) -> int:
    for word, number in steps:
        match word:
            case "add":
                x += number
            case "minus":
                x -= number
            case "times":
                x *= number
            case "mod":
                x %= number
            case _:
                x //= number
    return x


def _function(expression: str) -> str:
    return f"```python\ndef f(x):return {expression}\n```"


def _mistakes(steps: list[tuple[str, int]], right: str) -> tuple[str, ...]:
    """An operation confused, a number off by one, a step left out: each differs on some input."""
    word, number = steps[-1]
    other = _EASY[(_EASY.index(word) + 1) % 3] if word in _EASY else "add"
    candidates = [
        [*steps[:-1], (other, number)],
        [*steps[:-1], (word, number + 1)],
        [(steps[0][0], steps[0][1] + 1), *steps[1:]],
        steps[:-1],
    ]
    expected = [_apply(steps, x) for x in _INPUTS]
    wrong = [
        _function(_expression(candidate))
        for candidate in candidates
        if [_apply(candidate, x) for x in _INPUTS] != expected
    ]
    return tuple(mistake for mistake in dict.fromkeys(wrong) if mistake != right)
