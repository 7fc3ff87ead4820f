"""Plain Python values as source text, for the arguments of calls that are made in the sandbox."""

import math

_MAX_DEPTH = 200
_MAX_BITS = 1 << 13  # Python refuses to write some 4,300 digits


class NotPlain(ValueError):
    """A value has no source text."""


def source_of(value: object) -> str:
    """An expression for `value` that uses no names, so that a program which redefines `float` cannot change it.

    Raises:
        NotPlain: `value` is not made of plain built-in types, or nested more than 200 deep.
    """
    return _source(value, 0)


def _source(value: object, depth: int) -> str:
    if depth > _MAX_DEPTH:
        raise NotPlain("nested too deeply")
    kind = type(value)
    if value is None or kind in (bool, str, bytes, complex):
        return repr(value)
    if kind is int and isinstance(value, int):
        return repr(value) if value.bit_length() < _MAX_BITS else hex(value)
    if kind is float and isinstance(value, float):
        if math.isfinite(value):
            return repr(value)
        return "(1e999-1e999)" if math.isnan(value) else "1e999" if value > 0 else "(-1e999)"
    if isinstance(value, dict) and kind is dict:
        items = (f"{_source(k, depth + 1)}: {_source(v, depth + 1)}" for k, v in value.items())
        return "{" + ", ".join(items) + "}"
    if isinstance(value, list | tuple | set) and kind in (list, tuple, set):
        parts = [_source(item, depth + 1) for item in value]
        if kind is list:
            return "[" + ", ".join(parts) + "]"
        if kind is set:  # in an order that is the same in every process
            return "{" + (", ".join(sorted(parts)) or "*()") + "}"
        return "(" + ", ".join(parts) + ("," if len(parts) == 1 else "") + ")"
    raise NotPlain(f"no source text for a {kind.__name__}")
