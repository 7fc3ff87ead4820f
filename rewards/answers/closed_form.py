r"""The value of a constant written as an expression, such as `\sqrt{2}` or `\frac{\pi}{4}`, and the unit behind it."""

import math
import re
from fractions import Fraction

from rewards.answers.written_number import WrittenNumber
from rewards.math.equality.value import value_of
from rewards.math.reading.parser import parse
from rewards.math.reading.text import normalise
from rewards.math.reading.tokens import Unreadable

_MAX_LENGTH = 200
_UNIT = re.compile(r"(?:\\[,;: ]|\s|~)*\\(?:text|mathrm|rm)\s*\{([^{}]*)\}\s*$")
_EXPRESSION = re.compile(
    r"\\(?:sqrt|frac|dfrac|tfrac|pi|ln|log|exp|sin|cos|tan|arc|cdot|times)|[√π]|[a-z]\(|\^|\d\s*[*/+-]"
)


def read_closed_form(answer: str) -> WrittenNumber | None:
    """The expression's real value, to the precision of a float, as an exactly written number; None if it has none."""
    if len(answer) > _MAX_LENGTH or not _EXPRESSION.search(answer):
        return None
    unit = _UNIT.search(answer)
    expression = answer[: unit.start()] if unit else answer
    try:
        value = value_of(parse(normalise(expression)))
    except Unreadable:
        return None
    if value is None:
        return None
    number = complex(value)
    if not math.isfinite(number.real) or abs(number.imag) > 1e-12 * max(1.0, abs(number.real)):
        return None
    return WrittenNumber(Fraction(number.real), False, None, Fraction(0), unit.group(1).strip() if unit else "")
