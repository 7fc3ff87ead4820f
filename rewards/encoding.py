"""Plain Python values as JSON and back, for results that come out of the sandbox.

Closed and typed: only exact built-in types pass, so an object of the candidate's own class that claims to equal
everything arrives as `Opaque`, which equals nothing. Decoding never evaluates text.
"""

from collections import Counter, OrderedDict, defaultdict

_MAX_NODES = 200_000
_JSON_SAFE_INT = 1 << 62


class Opaque:
    """A value that is not made of plain built-in types; equal to nothing, itself included."""

    def __eq__(self, other: object) -> bool:
        """Always False."""
        return False

    __hash__ = None  # type: ignore[assignment]


def encode_value(value: object) -> object:
    """A JSON-ready form of `value`; parts of any other type than the exact plain ones become opaque."""
    return _encode(value, [_MAX_NODES])


def _encode(value: object, budget: list[int]) -> object:
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
        return [_SEQUENCES[kind], [_encode(item, budget) for item in value]]
    if kind in (dict, Counter, OrderedDict, defaultdict) and isinstance(value, dict):
        return ["d", [[_encode(k, budget), _encode(v, budget)] for k, v in value.items()]]
    return ["?"]


_SEQUENCES: dict[type, str] = {list: "l", tuple: "t", set: "s", frozenset: "z"}


def decode_value(coded: object) -> object:
    """The value that `encode_value` was given, or `Opaque` in place of what cannot be decoded.

    Never raises on forged input: anything malformed is opaque.
    """
    try:
        return _decode(coded)
    except (ValueError, TypeError, OverflowError, IndexError, RecursionError):
        return Opaque()


def _decode(coded: object) -> object:
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
            return [_decode(item) for item in parts[0]]
        case "t":
            return tuple(_decode(item) for item in parts[0])
        case "s":
            return {_decode(item) for item in parts[0]}
        case "z":
            return frozenset(_decode(item) for item in parts[0])
        case "d":
            return {_decode(key): _decode(item) for key, item in parts[0]}
    return Opaque()
