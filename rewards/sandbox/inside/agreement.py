"""Whether two plain values agree, returned by a program or written down, in the scorer and in the tests' process alike.

Values come from trusted tests or were decoded by `inside.encoding`; nothing is evaluated, and no method of an object
of the candidate's can be reached from here.
"""

import math
import operator
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from rewards.sandbox.inside.encoding import Opaque, Record

TOLERANCE = 1e-6
_MAX_DEPTH = 200
# Below it, floats can tell any two integers apart.
_EXACT = 1 << 53
# Compared by value where the tests say `is`: which of two equal ones is at hand is the interpreter's affair.
_ATOMS = (int, float, str, bytes, tuple)
_EXACTLY_EQUAL = frozenset({int, bool, str, type(None)})
_NEARLY_EQUAL = (float, list, tuple, dict)
_CONTAINERS = (list, tuple, set, frozenset)


class Incomparable(ValueError):
    """A value is nested too deeply to be looked at."""


class Unjudged(AssertionError):
    """A comparison that says nothing, whichever way it comes out, so the test fails.

    Order with nan, which would satisfy `not abs(f(x) - 1) > 1e-6`; and equality of a plain value with an object that
    is not plain, which would satisfy `f(x) != 1`.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What is equal, where values of more than one language or origin meet.

    Attributes:
        is_json: The expected value was JSON, which knows neither tuples nor sets nor any keys but texts: then a tuple
            agrees with a list, and keys are compared as the text that JSON makes of them.
        keeps_bools: True is not 1.
        rounds_integers: A whole number may be written with a decimal point: 3 is, within the tolerance, 2.9999999.
        absolute: Tolerance of floats, beside a relative 1e-6; None compares them as Python does, nan included.
    """

    is_json: bool = False
    keeps_bools: bool = False
    rounds_integers: bool = False
    absolute: float | None = TOLERANCE


# What a program returned, to Python's or JSON's value; what was written down, to JSON's, or to what a program returned.
# A value that was computed may miss 0 by rounding, one that was written may not.
PYTHON = Rules()
JSON = Rules(is_json=True)
WRITTEN = Rules(is_json=True, keeps_bools=True, rounds_integers=True, absolute=1e-12)
EXACT = Rules(keeps_bools=True, absolute=None)


def close(value: float, expected: float, relative: float = TOLERANCE, absolute: float = TOLERANCE) -> bool:
    """Whether two numbers differ by at most one of the tolerances; nan agrees with nan only."""
    if math.isnan(value) or math.isnan(expected):
        return math.isnan(value) and math.isnan(expected)
    return math.isclose(value, expected, rel_tol=relative, abs_tol=absolute)


def values_agree(value: object, expected: object, rules: Rules = PYTHON) -> bool:
    """Python's `==`, except that two floats need only be close and nan agrees with nan (not if `EXACT`), at any depth.

    An integer never agrees with another by closeness, so 10**18 is not 10**18 + 1 in any spelling.

    Args:
        value: What the program returned, or what was written.
        expected: What the tests or the data demand.
        rules: What else is equal, or is not.

    Raises:
        Incomparable: Nested more than 200 deep.
    """
    return bool(_agree(value, expected, rules, 0))


def _agree(value: object, expected: object, rules: Rules, depth: int) -> object:
    if depth > _MAX_DEPTH:
        raise Incomparable("value nested too deeply")
    records = _records(value, expected)
    if records is not None:
        return _same_record(*records, rules, depth)
    if rules.keeps_bools and any(side is None or isinstance(side, bool) for side in (value, expected)):
        return value is expected
    if rules.absolute is not None and _are_floats(value, expected, rules):
        return value == expected or _are_close(value, expected, rules.absolute)
    if isinstance(value, list | tuple) and isinstance(expected, list | tuple):
        if not rules.is_json and isinstance(value, list) is not isinstance(expected, list):
            return False
        return len(value) == len(expected) and all(
            _agree(one, other, rules, depth + 1) for one, other in zip(value, expected, strict=True)
        )
    if isinstance(value, dict) and isinstance(expected, dict):
        if rules.is_json:
            value = {_key_text(key): item for key, item in value.items()}
            expected = {_key_text(key): item for key, item in expected.items()}
        return value.keys() == expected.keys() and all(
            _agree(item, expected[key], rules, depth + 1) for key, item in value.items()
        )
    return value == expected


def _records(value: object, expected: object) -> tuple[Record, Record] | None:
    """Of two instances of dataclasses, of which one at least is the program's; None: they are not."""
    if not isinstance(value, Opaque) and not isinstance(expected, Opaque):
        return None
    one, other = _record(value), _record(expected)
    return None if one is None or other is None else (one, other)


def _record(value: Any) -> Record | None:
    if isinstance(value, Opaque):
        return value.record()
    if not is_dataclass(value) or isinstance(value, type) or not value.__dataclass_params__.eq:  # type: ignore[attr-defined]
        return None
    return Record(type(value).__name__, [(one.name, getattr(value, one.name)) for one in fields(value) if one.compare])


def _same_record(value: Record, expected: Record, rules: Rules, depth: int) -> bool:
    """Field by field, by name where both have names, else in order."""
    if value.kind != expected.kind or len(value.fields) != len(expected.fields):
        return False
    by_name = {name: one for name, one in value.fields if name is not None}
    for place, (name, wanted) in enumerate(expected.fields):
        if name is not None and by_name and name not in by_name:
            return False
        given = by_name[name] if name is not None and by_name else value.fields[place][1]
        if not _agree(given, wanted, rules, depth + 1):
            return False
    return True


def _are_floats(value: object, expected: object, rules: Rules) -> bool:
    kinds = type(value), type(expected)
    return kinds == (float, float) or (rules.rounds_integers and kinds in ((int, float), (float, int)))


def _are_close(value: Any, expected: Any, absolute: float) -> bool:
    try:
        return close(value, expected, absolute=absolute)
    except OverflowError:  # an integer beyond all floats
        return False


def _key_text(key: object) -> str:
    if isinstance(key, bool):
        return str(key).lower()
    return "null" if key is None else str(key)


def has_opaque(value: object, depth: int = 0) -> bool:
    """Whether `value` is, or holds at any depth, something the sandbox could not represent."""
    if isinstance(value, Opaque) or depth > _MAX_DEPTH:
        return True
    if isinstance(value, Mapping):
        return any(has_opaque(k, depth + 1) or has_opaque(v, depth + 1) for k, v in value.items())
    if isinstance(value, _CONTAINERS):
        return any(has_opaque(item, depth + 1) for item in value)
    return False


def nearly_equal(value: object, expected: object, tolerance: float = 1e-5) -> bool:
    """Guru's comparison of results: lists and tuples by element, floats within `tolerance`, all else by `==`.

    Stricter in that an expected integer is met by no other integer, however large both are, and by a float only
    within 1e-6.
    """
    if type(value) is float and type(expected) is int:
        return value == expected or (abs(expected) < _EXACT and abs(value - expected) <= TOLERANCE)
    if type(expected) is float or type(value) is float:
        if not isinstance(value, int | float) or not isinstance(expected, int | float):
            return False
        if math.isnan(expected):
            return math.isnan(value)
        if max(abs(value), abs(expected)) > sys.float_info.max:
            return value == expected
        return math.isclose(value, expected, rel_tol=tolerance, abs_tol=tolerance)
    if isinstance(value, list | tuple):
        return (
            isinstance(expected, list | tuple)
            and len(value) == len(expected)
            and all(nearly_equal(one, other, tolerance) for one, other in zip(value, expected, strict=True))
        )
    return bool(value == expected)


def holds(operations: tuple[str, ...], first: object, *others: object) -> object:
    """What a comparison of Python's, or a chain of them, says of its operands.

    Equality is that of `values_agree`. Else as Python has it: arrays of numpy compare by element.

    Args:
        operations: Names of the classes in `ast`, such as ("Lt", "LtE").
        first: The leftmost operand.
        others: The others, one for each operation.

    Raises:
        Unjudged: An operand of `<` and its like is nan, or only one of `==` or `!=` is opaque and the other not None.
        Incomparable: Nested more than 200 deep.
    """
    result: object = True
    for name, other in zip(operations, others, strict=True):
        result = COMPARISONS[name](first, other)
        if len(operations) > 1 and not result:
            break
        first = other
    return result


def _equal(left: object, right: object) -> object:
    if type(left) in _EXACTLY_EQUAL and type(right) in _EXACTLY_EQUAL:
        return left == right
    _refuse_opaque(left, right)
    return _agree(left, right, PYTHON, 0)


def _unequal(left: object, right: object) -> object:
    near = isinstance(left, _NEARLY_EQUAL) and isinstance(right, _NEARLY_EQUAL)
    if near or _records(left, right) is not None:
        return not _agree(left, right, PYTHON, 0)
    _refuse_opaque(left, right)
    return left != right


def _refuse_opaque(left: object, right: object) -> None:
    one_is = isinstance(left, Opaque) is not isinstance(right, Opaque) and left is not None and right is not None
    if one_is and _records(left, right) is None:
        raise Unjudged


def _same(left: object, right: object) -> bool:
    return left is right or (type(left) is type(right) and isinstance(left, _ATOMS) and left == right)


def _different(left: object, right: object) -> bool:
    _refuse_opaque(left, right)
    return not _same(left, right)


def _ordered(compare: Callable[..., object]) -> Callable[[object, object], object]:
    def ordered(left: object, right: object) -> object:
        if any(type(side) is float and math.isnan(side) for side in (left, right)):
            raise Unjudged
        return compare(left, right)

    return ordered


# By name of the class in `ast`.
COMPARISONS: dict[str, Callable[..., object]] = {
    "Eq": _equal,
    "NotEq": _unequal,
    "Is": _same,
    "IsNot": _different,
    "In": lambda left, right: left in right,
    "NotIn": lambda left, right: left not in right,
    "Lt": _ordered(operator.lt),
    "LtE": _ordered(operator.le),
    "Gt": _ordered(operator.gt),
    "GtE": _ordered(operator.ge),
}
