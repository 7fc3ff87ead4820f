"""Plain Python values as JSON and back, for results that come out of the sandbox.

Closed and typed: only built-in types pass (and numpy's numbers, as Python's). An object of a class derived from one
arrives as the plain value if it compares as that does (a named tuple, a member of an IntEnum), so an object of the
candidate's own class that claims to equal everything arrives as `Opaque`, which equals nothing. Decoding never
evaluates text.
"""

import sys
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple

_MAX_NODES = 1_000_000
_JSON_SAFE_INT = 1 << 62


class Record(NamedTuple):
    """An instance of a dataclass: name of the class, and the fields that it compares; a name is None if not known."""

    kind: str
    fields: list[tuple[str | None, object]]


class Opaque:
    """A value that is not made of plain built-in types; equal to nothing, itself included."""

    def __eq__(self, other: object) -> bool:
        """Always False."""
        return False

    def record(self) -> "Record | None":
        """What can be compared of it; None: nothing."""
        return None

    __hash__ = None  # type: ignore[assignment]


def encode_value(value: object, other: Callable[[object], object] | None = None) -> object:
    """A JSON-ready form of `value`.

    Args:
        value: Anything.
        other: Gives the form of a part that is of no plain type, a list with a tag of its own; None makes it opaque.
    """
    budget = [_MAX_NODES]
    return _encode(value, budget, other or (lambda part: _encode_derived(part, budget)))


def _encode_derived(value: object, budget: list[int]) -> object:
    """A value of a class derived from a plain type, whose equality is the plain type's."""
    kinds: tuple[Any, ...] = (int, float, complex, str, bytes, *_SEQUENCES, dict)
    for kind in kinds:
        if isinstance(value, kind) and getattr(type(value), "__eq__", None) is kind.__eq__:
            plain: object = kind(value)
            return _encode(plain, budget, lambda part: _encode_derived(part, budget)) if type(plain) is kind else ["?"]
    return ["?"]


def _encode(value: object, budget: list[int], other: Callable[[object], object]) -> object:
    budget[0] -= 1
    if budget[0] < 0:
        return ["?"]
    kind = type(value)
    if value is None or kind is bool or kind is str:
        return value
    if kind is int and isinstance(value, int):
        return value if -_JSON_SAFE_INT < value < _JSON_SAFE_INT else ["I", hex(value)]
    if kind is float and isinstance(value, float):
        return ["f", value.hex()]
    if kind is complex and isinstance(value, complex):
        return ["c", value.real.hex(), value.imag.hex()]
    if kind is bytes and isinstance(value, bytes):
        return ["b", value.hex()]
    if kind in _SEQUENCES and isinstance(value, list | tuple | set | frozenset):
        if len(value) > budget[0]:  # walking it would take long and end the same way
            return ["?"]
        return [_SEQUENCES[kind], [_encode(item, budget, other) for item in value]]
    if kind in (dict, Counter, OrderedDict, defaultdict) and isinstance(value, dict):
        if len(value) > budget[0]:
            return ["?"]
        return ["d", [[_encode(k, budget, other), _encode(v, budget, other)] for k, v in value.items()]]
    numpy = sys.modules.get("numpy")
    # Whatever a program passes off as numpy's, what comes of it here is one of the plain types or opaque.
    if numpy is not None and isinstance(value, numpy.generic):
        plain = value.item()
        return _encode(plain, budget, other) if type(plain) in _SCALARS else ["?"]
    return other(value)


_SEQUENCES: dict[type, str] = {list: "l", tuple: "t", set: "s", frozenset: "z"}
_SCALARS = frozenset({bool, int, float, complex, str, bytes})


def decode_value(coded: object, other: Callable[[list[object]], object] | None = None) -> object:
    """The value that `encode_value` was given, or `Opaque` in place of what cannot be decoded.

    Never raises on forged input: anything malformed is opaque. `other` gives the value of a form with a tag that is
    not one of the plain types'.
    """
    try:
        return _decode(coded, other or (lambda _: Opaque()))
    except (ValueError, TypeError, ArithmeticError, IndexError, RecursionError, AttributeError, ImportError):
        return Opaque()


def _decode(coded: object, other: Callable[[list[object]], object]) -> object:
    if coded is None or isinstance(coded, bool | str | int):
        return coded
    if not isinstance(coded, list):
        raise TypeError(f"not a coded value: {type(coded).__name__}")
    tag, parts = coded[0], coded[1:]
    match tag:
        case "I":
            return int(parts[0], 16)
        case "f":
            return float.fromhex(parts[0])
        case "c":
            return complex(float.fromhex(parts[0]), float.fromhex(parts[1]))
        case "b":
            return bytes.fromhex(parts[0])
        case "l":
            return [_decode(item, other) for item in parts[0]]
        case "t":
            return tuple(_decode(item, other) for item in parts[0])
        case "s":
            return {_decode(item, other) for item in parts[0]}
        case "z":
            return frozenset(_decode(item, other) for item in parts[0])
        case "d":
            return {_decode(key, other): _decode(item, other) for key, item in parts[0]}
    return other(coded)
