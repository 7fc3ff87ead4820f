"""Which answers never reach a scorer of reasoning-gym, because it would execute them or be deceived by them.

Nine scorers hand the model's text to `eval` or to sympy's parser, which evaluates. They run isolated, but in the
process that reports their verdict: text that is executed there could write the verdict itself. Others take some texts
for right whatever was asked: numbers that are none, an integral that is only written down. So an answer to such a task
counts as wrong, unread, unless it is built of what answers to the task are built of.
"""

import re

# `eval` there only grants partial credit to a list of the right symbols, which is no right answer here.
_WITH_EVAL = ("binary_matrix", "n_queens", "spiral_matrix", "string_insertion")
_WITH_SYMPY = (
    "countdown", "intermediate_integration", "polynomial_multiplication", "puzzle24", "simple_integration",
)  # fmt: skip
EXECUTING = frozenset((*_WITH_EVAL, *_WITH_SYMPY))

_MOST_CHARACTERS = 100_000  # the longest right answers, moves of tower_of_hanoi, have some 30,000
_NO_CALL = re.compile(r"[^()@]*")
_NUMBER = r"(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
_FUNCTIONS = (
    *("sin", "cos", "tan", "cot", "sec", "csc", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh"),
    *("atanh", "exp", "log", "ln", "sqrt", "Abs", "Rational", "pi"),
)
_NAME = "|".join(("[A-Za-z]", *_FUNCTIONS))
_FORMULA = re.compile(rf"(?:{_NUMBER}(?![\w.])|(?<!\w)(?:{_NAME})(?!\w)|[-+*/^(),\s])*")
# No number is far from `nan`. Neither `1e2` nor `x/x` is among the numbers that countdown's scorer counts.
_CHARACTERS = {
    "complex_arithmetic": re.compile(r"[-+\d.eEiIjJ()\s]*"),
    "countdown": re.compile(r"[-+\d*/()\s]*"),
    "number_sorting": re.compile(r"[-+\d.eE,\[\]'\"\s]*"),
}
# By how much a number may miss the gold's, where the package allows 1, and one in a hundred. Sorted numbers are copied;
# means of a pool may be rounded to two places.
_MOST_APART = {"number_sorting": 1e-9, "pool_matrix": 0.0051}
_WRITTEN = re.compile(rf"[-+]?{_NUMBER}")


def has_its_numbers(task: str, answer: str, gold: str) -> bool:
    """Whether an answer has the gold's numbers, one by one, of the tasks whose scorers are too generous with them."""
    if task not in _MOST_APART:
        return True
    given, wanted = (list(map(float, _WRITTEN.findall(text))) for text in (answer, gold))
    return len(given) == len(wanted) and all(
        abs(one - two) <= _MOST_APART[task] for one, two in zip(given, wanted, strict=True)
    )


def is_of_its_form(task: str, answer: str) -> bool:
    """Whether the scorer may see it.

    Of the tasks in `EXECUTING`: text without calls, or a formula of numbers, single letters and functions. Of those in
    `_CHARACTERS`: these characters alone. Of all: a text of bounded length.
    """
    if len(answer) > _MOST_CHARACTERS:
        return False
    if task in _CHARACTERS and _CHARACTERS[task].fullmatch(answer) is None:
        return False
    if task in _WITH_EVAL:
        return _NO_CALL.fullmatch(answer) is not None
    return task not in _WITH_SYMPY or _FORMULA.fullmatch(answer) is not None
