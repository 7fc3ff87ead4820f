"""Whether two written quantities are the same: numbers within the gold's precision, in units of the same dimension."""

import math
import re
from dataclasses import dataclass
from fractions import Fraction

from rewards.answers.plain_text import unwrapped
from rewards.answers.written_number import WrittenNumber, read_number
from rewards.math.equality.value import value_of
from rewards.math.reading.measure import with_one_unit
from rewards.math.reading.money import currencies, one_differs
from rewards.math.reading.numerals import ABBREVIATED_MULTIPLIERS, MULTIPLIERS, scripts_as_tex
from rewards.math.reading.parser import parse
from rewards.math.reading.text import normalise
from rewards.math.reading.tokens import Unreadable
from rewards.math.reading.unit import Unit, parse_unit

# What a measured value may differ by, at most, however coarsely the gold is written.
_RELATIVE = Fraction(1, 200)
_MIN_SIGNIFICANT = 3
# Of conversions in floating point, where the gold is 0.
_ROUNDING = Fraction(1, 10**30)
# Degrees that temperatures on different scales may differ by: 273.15 is often taken as 273.
_TEMPERATURE = Fraction(2, 10)
_NO_NAMES = {"or", "and", "to", "not", "times", "x", *MULTIPLIERS, *ABBREVIATED_MULTIPLIERS}
_NO_UNIT = Unit(Fraction(1), ())
_SYMBOL = re.compile(
    r"^\s*(?:\\?[A-Za-z]{1,10} ?){1,3}(?:_\{?[^{}=\s]{1,12}\}?|\([a-z]\))?\s*(?:=|\\approx|≈|:)\s*(?=[^=]+$)"
)
_MAX_LENGTH = 200  # of an expression
_MAX_UNIT = 100
_DEGREES = re.compile(r"(?:\^\s*\{?\s*\\circ\s*\}?|\\degree|°|º|\bdegrees?|\bdeg)\s*(C(?:elsius)?|F(?:ahrenheit)?)\b")
_KELVINS = re.compile(r"(?:\^\s*\{?\s*\\circ\s*\}?|\\degree|°)\s*K\b")
_ANGLE = re.compile(r"\^\s*\{?\s*\\circ\s*\}?|\\degree\b")
_FRACTION = re.compile(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}")
_UNIT = re.compile(r"(?:\\[,;: ]|\s|~)*\\(?:text|mathrm|rm)\s*\{([^{}]*)\}\s*$")
_EXPRESSION = re.compile(
    r"\\(?:sqrt|frac|dfrac|tfrac|pi|ln|log|exp|sin|cos|tan|arc|cdot|times)|[√π]|[a-z]\(|\^|\d\s*[*/+-]"
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number and its unit as written; `unit` is None where there is none or it is not known.

    `is_computed` says that the number is the value of an expression.
    """

    number: WrittenNumber
    unit_text: str
    unit: Unit | None
    is_computed: bool


def without_symbol(answer: str) -> str:
    """`answer` without what it is called: `v = 5 m/s` is `5 m/s`."""
    return _SYMBOL.sub("", answer, count=1)


def read_quantity(answer: str) -> Quantity | None:
    """The quantity that `answer` is; None if it does not begin with a number."""
    text = with_one_unit(without_symbol(answer))
    number = read_number(text)
    unit = read_unit(number.rest.strip().rstrip(".")) if number else None
    computed = None
    if number is None or (unit is None and _is_operator(number.rest)):
        computed = _closed_form(text)
        unit = read_unit(computed.rest) if computed else unit
    number = computed or number
    if number is None:
        return None
    return Quantity(number, unwrapped(number.rest).strip().rstrip(".").strip("()[] "), unit, computed is not None)


def _closed_form(answer: str) -> WrittenNumber | None:
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


def read_unit(text: str) -> Unit | None:
    r"""The unit that `text` writes: `m/s^2`, `kg·m²`, `\text{J/(mol K)}`, `kilometers per hour`; None if unknown."""
    return parse_unit(_plain(text)) if len(text) <= _MAX_UNIT else None


def _plain(text: str) -> str:
    text = _FRACTION.sub(r"(\1)/(\2)", scripts_as_tex(text))
    text = _KELVINS.sub("K", text)
    text = re.sub(r"\\mu\b\s*", "µ", re.sub(r"\\Omega\b", "Ω", text)).replace("º", "°")
    text = re.sub(r"\\(?:cdot|times)(?![A-Za-z])|[·⋅∙×]", "*", text)  # noqa: RUF001
    text = unwrapped(text.replace("$", " \\$") if text.strip() == "$" else text)
    text = _DEGREES.sub(lambda m: f"°{m.group(1)[0]}", text)
    return _ANGLE.sub("°", text)


def _is_operator(rest: str) -> bool:
    r"""Whether a number goes on as an expression, as in `2\pi` or `3/4 * 5`."""
    return rest[:1] in tuple("\\^*/+-(√π")


def same_quantity(answer: str, gold: str) -> bool | None:
    """Compares values in the same unit; None: one of them is no quantity, or its unit is not known.

    A unit missing on either side is supplied by the other, since questions often name it. 5 cm is not 5 m, and 0.05 m
    is 5 cm.
    """
    given, wanted = read_quantity(answer), read_quantity(gold)
    if given is None or wanted is None:
        return None
    if (given.is_computed or wanted.is_computed) and not (given.number.is_decimal or wanted.number.is_decimal):
        return None  # two exact expressions are a matter of algebra
    if one_differs(currencies(answer), currencies(gold)):
        return None if {"cents", "dollars"} == currencies(answer) | currencies(gold) else False
    same = close_to(given.number, wanted.number, is_count=not _measures(wanted))
    if not all(quantity.unit is not None or not quantity.unit_text for quantity in (given, wanted)):
        if "".join(given.unit_text.split()).casefold() == "".join(wanted.unit_text.split()).casefold():
            return same
        one_has_none = not given.unit_text or not wanted.unit_text
        return same if one_has_none and _is_name(given.unit_text or wanted.unit_text) else None
    if given.unit is None or wanted.unit is None:
        return same or ((_is_ratio(given) or _is_ratio(wanted)) and _same_in_si(given, wanted))
    if given.unit.dimension != wanted.unit.dimension:
        return False
    return same if given.unit == wanted.unit else _same_in_si(given, wanted)


def _measures(quantity: Quantity) -> bool:
    """Whether it has a unit of something that is measured, not counted."""
    return quantity.unit is not None and (any(quantity.unit.dimension) or quantity.unit.factor != 1)


def _is_name(text: str) -> bool:
    """Whether what follows a number can be a unit that the table lacks, as in `3 electrons`."""
    first = text.casefold().partition(" ")[0]
    return first not in _NO_NAMES and bool(re.fullmatch(r"[A-Za-z]{1,20}(?: [A-Za-z]{1,20})?", text))


def _is_ratio(quantity: Quantity) -> bool:
    return quantity.unit is not None and quantity.unit_text in ("%", "percent", "ppm", "ppb")


def _same_in_si(given: Quantity, wanted: Quantity) -> bool:
    one, two = given.unit or _NO_UNIT, wanted.unit or _NO_UNIT
    scale, shift = one.factor / two.factor, one.offset - two.offset
    value = given.number.value * scale + shift / two.factor
    if shift and abs(value - wanted.number.value) <= _TEMPERATURE:
        return True
    return _within(value, wanted.number) or _rounds_to(wanted.number, given.number, value, scale)


def close_to(given: WrittenNumber, gold: WrittenNumber, *, is_count: bool = False) -> bool:
    """Whether a number is the gold one, as far as the gold is precise.

    Integers and fractions are exact among themselves. Else it may differ by half a unit in the gold's last place, but
    by no more than 0.5 %; or the gold rounds to it where it has at least three significant digits itself. An integer
    that counts is exact: 2018.6 is not 2019.
    """
    if is_count and not gold.is_decimal and gold.significant is not None:
        return given.value == gold.value
    if not given.is_decimal and not gold.is_decimal:
        return given.value == gold.value
    return _within(given.value, gold) or _rounds_to(gold, given, given.value, Fraction(1))


def _within(value: Fraction, gold: WrittenNumber) -> bool:
    difference = abs(value - gold.value)
    if difference <= _ROUNDING:
        return True
    allowed = _RELATIVE * abs(gold.value)
    if gold.significant is None:
        return difference <= allowed / 5
    return difference <= min(allowed, max(gold.unit_in_last_place / 2, abs(gold.value) / 10**9))


def _rounds_to(gold: WrittenNumber, given: WrittenNumber, value: Fraction, scale: Fraction) -> bool:
    if given.significant is None or given.significant < _MIN_SIGNIFICANT or not given.is_decimal:
        return False
    return abs(value - gold.value) <= min(given.unit_in_last_place * scale / 2, _RELATIVE * abs(gold.value))
