"""Equality of plain values that were written down: JSON or Python literals."""

import math

_RELATIVE = 1e-6
_TINY = 1e-12


def same_value(given: object, wanted: object) -> bool:
    """Whether two literals are the same value.

    True is not 1 and "1" is not 1. Whole numbers are compared exactly; where one is written with a decimal point, a
    relative difference of 1e-6 is rounding. Lists and tuples are the same, since JSON has only one of them, and so
    are keys that JSON had to turn into text.
    """
    if isinstance(given, bool) or isinstance(wanted, bool) or given is None or wanted is None:
        return given is wanted
    if isinstance(given, int | float) and isinstance(wanted, int | float):
        return same_number(given, wanted)
    if isinstance(given, list | tuple) and isinstance(wanted, list | tuple):
        return len(given) == len(wanted) and all(map(same_value, given, wanted))
    if isinstance(given, dict) and isinstance(wanted, dict):
        by_text = {_key(key): value for key, value in given.items()}
        wanted_by_text = {_key(key): value for key, value in wanted.items()}
        return by_text.keys() == wanted_by_text.keys() and all(
            same_value(by_text[key], value) for key, value in wanted_by_text.items()
        )
    return type(given) is type(wanted) and given == wanted


def same_number(given: float, wanted: float) -> bool:
    """Exact between integers, else within a relative 1e-6; not-a-number equals itself."""
    if isinstance(given, int) and isinstance(wanted, int):
        return given == wanted
    try:
        left, right = float(given), float(wanted)
    except OverflowError:
        return False
    if math.isnan(left) or math.isnan(right):
        return math.isnan(left) and math.isnan(right)
    return left == right or math.isclose(left, right, rel_tol=_RELATIVE, abs_tol=_TINY)


def _key(key: object) -> str:
    if isinstance(key, bool):
        return str(key).lower()
    return "null" if key is None else str(key)
