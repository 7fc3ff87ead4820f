"""Plain Python values: whether two agree, their source text, and whether anything in them is opaque.

Everything here works on values that came from trusted tests or were decoded by the sandbox; nothing is ever
evaluated.
"""

import math
from collections.abc import Mapping

from rewards.sandbox.inside.encoding import Opaque

TOLERANCE = 1e-6
_CONTAINERS = (list, tuple, set, frozenset)
_MAX_DEPTH = 200


class Incomparable(ValueError):
    """A value is nested too deeply to be looked at."""


def close(value: float, expected: float, tolerance: float = TOLERANCE) -> bool:
    """Whether two floats differ by at most `tolerance`, absolutely or relatively; nan agrees with nan only."""
    if math.isnan(value) or math.isnan(expected):
        return math.isnan(value) and math.isnan(expected)
    return math.isclose(value, expected, rel_tol=tolerance, abs_tol=tolerance)


def values_agree(value: object, expected: object, *, json_gold: bool = False) -> bool:
    """Python's `==`, except that two floats need only be close and nan agrees with nan, at any depth.

    An integer never agrees with a float by closeness, so 10**18 is not 10**18 + 1 in any spelling.

    Args:
        value: What the program returned.
        expected: What the tests demand.
        json_gold: `expected` was JSON, which knows neither tuples nor sets nor integer keys: then a tuple agrees
            with a list, and integer keys agree with their decimal text.

    Raises:
        Incomparable: Nested more than 200 deep.
    """
    return _agree(value, expected, json_gold, 0)


def _agree(value: object, expected: object, json_gold: bool, depth: int) -> bool:
    if depth > _MAX_DEPTH:
        raise Incomparable("value nested too deeply")
    if type(value) is float and type(expected) is float:
        return value == expected or close(value, expected)
    if isinstance(value, Opaque) or isinstance(expected, Opaque):
        return False
    if isinstance(value, list | tuple) and isinstance(expected, list | tuple):
        if not json_gold and isinstance(value, list) is not isinstance(expected, list):
            return False
        return len(value) == len(expected) and all(
            _agree(one, other, json_gold, depth + 1) for one, other in zip(value, expected, strict=True)
        )
    if isinstance(value, dict) and isinstance(expected, dict):
        if json_gold:
            value = {_key_text(key): item for key, item in value.items()}
            expected = {_key_text(key): item for key, item in expected.items()}
        return value.keys() == expected.keys() and all(
            _agree(item, expected[key], json_gold, depth + 1) for key, item in value.items()
        )
    return bool(value == expected)


def _key_text(key: object) -> object:
    return str(key) if type(key) is int else key


def has_opaque(value: object, depth: int = 0) -> bool:
    """Whether `value` is, or holds at any depth, something the sandbox could not represent."""
    if isinstance(value, Opaque) or depth > _MAX_DEPTH:
        return True
    if isinstance(value, Mapping):
        return any(has_opaque(k, depth + 1) or has_opaque(v, depth + 1) for k, v in value.items())
    if isinstance(value, _CONTAINERS):
        return any(has_opaque(item, depth + 1) for item in value)
    return False


class NotPlain(ValueError):
    """A value has no source text."""


def source_of(value: object) -> str:
    """An expression for `value` that uses no names, so that a program which redefines `float` cannot change it.

    Objects may bring their own `source` attribute, a string.

    Raises:
        NotPlain: `value` is not made of plain built-in types.
    """
    return _source(value, 0)


def _source(value: object, depth: int) -> str:
    if depth > _MAX_DEPTH:
        raise NotPlain("nested too deeply")
    kind = type(value)
    if value is None or kind in (bool, str, bytes):
        return repr(value)
    if kind is int and isinstance(value, int):
        return repr(value) if abs(value) < 1 << 64 else hex(value)
    if kind is float and isinstance(value, float):
        if math.isfinite(value):
            return repr(value)
        return "(1e999-1e999)" if math.isnan(value) else "1e999" if value > 0 else "(-1e999)"
    if kind is complex:
        return repr(value)
    if isinstance(value, dict) and kind is dict:
        items = (f"{_source(k, depth + 1)}: {_source(v, depth + 1)}" for k, v in value.items())
        return "{" + ", ".join(items) + "}"
    if isinstance(value, list | tuple | set) and kind in (list, tuple, set):
        parts = [_source(item, depth + 1) for item in value]
        if kind is list:
            return "[" + ", ".join(parts) + "]"
        if kind is set:
            return "{" + (", ".join(parts) or "*()") + "}"
        return "(" + ", ".join(parts) + ("," if len(parts) == 1 else "") + ")"
    source = getattr(value, "source", None)
    if isinstance(source, str):
        return source
    raise NotPlain(f"no source text for a {kind.__name__}")
