"""What the tests of a data set may use: built-in functions, methods, operators and modules, each safe on any value.

The tests are trusted not to attack, but the values they handle come from untrusted programs, so nothing here may
take unbounded time or memory for a hostile argument, and nothing here can name or run anything outside itself.
"""

import ast
import collections
import copy
import itertools
import math
import operator
import random
import string
from collections.abc import Callable, Sized

from rewards.code.script.plain_values import close
from rewards.sandbox.inside.encoding import Opaque

_MAX_ITEMS = 5_000_000
_MAX_BITS = 1 << 20


class Unsupported(Exception):
    """The tests use something that is not provided here; they have to be run in the sandbox instead."""


class CheckFailed(Exception):
    """A value of the program cannot satisfy the test, whatever the comparison."""


def truth(value: object) -> bool:
    """`bool(value)`, refused for what the sandbox could not represent."""
    if isinstance(value, Opaque):
        raise CheckFailed("truth of an opaque object")
    return bool(value)


def _multiply(left: object, right: object) -> object:
    for sequence, times in ((left, right), (right, left)):
        if (
            isinstance(sequence, str | bytes | list | tuple)
            and isinstance(times, int)
            and (len(sequence) * max(times, 0) > _MAX_ITEMS)
        ):
            raise CheckFailed("sequence too long")
    if isinstance(left, int) and isinstance(right, int) and left.bit_length() + right.bit_length() > _MAX_BITS:
        raise CheckFailed("number too large")
    return operator.mul(left, right)


def _power(left: object, right: object) -> object:
    if isinstance(left, int) and isinstance(right, int) and left.bit_length() * max(right, 1) > _MAX_BITS:
        raise CheckFailed("number too large")
    return operator.pow(left, right)


def _shift_left(left: object, right: object) -> object:
    if isinstance(right, int) and right > _MAX_BITS:
        raise CheckFailed("number too large")
    return operator.lshift(left, right)


def _modulo(left: object, right: object) -> object:
    if isinstance(left, str | bytes):  # "%999999999d" % 1
        raise Unsupported("formatting with %")
    return operator.mod(left, right)


OPERATORS: dict[type[ast.operator] | type[ast.unaryop], Callable[..., object]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: _multiply,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: _modulo,
    ast.Pow: _power,
    ast.LShift: _shift_left,
    ast.RShift: operator.rshift,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Invert: operator.invert,
    ast.Not: lambda value: not truth(value),
}


def _bounded(function: Callable[..., object]) -> Callable[..., object]:
    def call(*arguments: object, **options: object) -> object:
        for argument in arguments:
            if isinstance(argument, range) and len(argument) > _MAX_ITEMS:
                raise CheckFailed("range too long")
        return function(*arguments, **options)

    return call


def _small(function: Callable[..., object]) -> Callable[..., object]:
    def call(*arguments: object) -> object:
        if any(isinstance(argument, int) and argument > 5000 for argument in arguments):
            raise CheckFailed("argument too large")
        return function(*arguments)

    return call


def _length(value: Sized) -> int:
    if isinstance(value, Opaque):
        raise CheckFailed("length of an opaque object")
    return len(value)


def _allclose(value: object, expected: object, rtol: float = 1e-5, atol: float = 1e-8, **_: object) -> bool:
    """As numpy's, on numbers and nested lists."""
    if isinstance(value, list | tuple) or isinstance(expected, list | tuple):
        if not (isinstance(value, list | tuple) and isinstance(expected, list | tuple)):
            return False
        return len(value) == len(expected) and all(
            _allclose(one, other, rtol, atol) for one, other in zip(value, expected, strict=True)
        )
    if not isinstance(value, int | float) or not isinstance(expected, int | float):
        return False
    return value == expected or bool(abs(value - expected) <= atol + rtol * abs(expected))


TYPES: dict[str, type] = {
    kind.__name__: kind for kind in (bool, int, float, complex, str, bytes, list, tuple, set, frozenset, dict, object)
}
_BOUNDED: dict[str, Callable[..., object]] = {
    "all": all,
    "any": any,
    "enumerate": lambda *a, **k: list(enumerate(*a, **k)),
    "filter": lambda f, xs: list(filter(f, xs)),
    "map": lambda f, *xs: list(map(f, *xs)),
    "max": max,
    "min": min,
    "reversed": lambda xs: list(reversed(xs)),
    "sorted": sorted,
    "sum": sum,
    "zip": lambda *a, strict=False: list(zip(*a, strict=strict)),
}
BUILTINS: dict[str, object] = {
    **{name: _bounded(function) for name, function in _BOUNDED.items()},
    "abs": abs,
    "bin": bin,
    "chr": chr,
    "divmod": divmod,
    "hex": hex,
    "isinstance": isinstance,
    "len": _length,
    "oct": oct,
    "ord": ord,
    "pow": _power,
    "print": lambda *_, **__: None,
    "range": range,
    "repr": repr,
    "round": round,
    "type": type,
}
# Spelled so by JSON, which generated tests paste into Python.
CONSTANTS: dict[str, object] = {
    "true": True,
    "false": False,
    "null": None,
    "inf": math.inf,
    "nan": math.nan,
    "__name__": "__main__",
}
# One argument of theirs may be any iterable, so the program may return a generator there.
ITERATING = frozenset({"list", "tuple", "set", "frozenset", "sorted", "sum", "max", "min", "any", "all"})

METHODS = frozenset(
    {
        *("append", "appendleft", "clear", "copy", "count", "extend", "index", "insert", "pop", "popleft", "remove"),
        *("reverse", "sort", "add", "difference", "discard", "intersection", "isdisjoint", "issubset", "issuperset"),
        *("symmetric_difference", "union", "update", "elements", "get", "items", "keys", "most_common", "setdefault"),
        *("values", "capitalize", "casefold", "endswith", "find", "isalnum", "isalpha", "isdigit", "islower"),
        *("isnumeric", "isspace", "isupper", "join", "lower", "lstrip", "partition", "replace", "rfind", "rpartition"),
        *("rsplit", "rstrip", "split", "splitlines", "startswith", "strip", "swapcase", "title", "upper"),
        *("bit_length", "is_integer"),
        *("choice", "choices", "gauss", "getrandbits", "randint", "random", "randrange", "sample", "seed", "shuffle"),
        *("uniform",),
    }
)
# A program's own object may have a `get`, but one with a `startswith` only poses as a text.
REFUSED_OF_OBJECTS = frozenset({"startswith", "endswith", *(name for name in METHODS if name.startswith("is"))})
METHOD_TYPES = (
    str,
    bytes,
    int,
    float,
    list,
    tuple,
    set,
    frozenset,
    dict,
    collections.deque,
    random.Random,
)


def modules() -> dict[str, dict[str, object]]:
    """The importable modules and what is in them; fresh, because `random` starts from a fixed seed in every run."""
    mathematics: dict[str, object] = {
        name: getattr(math, name) for name in dir(math) if not name.startswith("_") and name != "prod"
    }
    mathematics |= {name: _small(getattr(math, name)) for name in ("factorial", "comb", "perm")}
    generator = random.Random(0)
    drawing: dict[str, object] = {
        name: getattr(generator, name)
        for name in ("choice", "choices", "randint", "random", "randrange", "sample", "seed", "shuffle", "uniform")
    }
    numeric: dict[str, object] = {
        **dict.fromkeys(("ndarray", "float32", "float64", "integer", "floating", "generic"), _NoArray),
        "allclose": _allclose,
        "isclose": _allclose,
        "inf": math.inf,
        "nan": math.nan,
    }
    return {
        "math": mathematics,
        "random": drawing | {"Random": random.Random},
        "copy": {"copy": copy.copy, "deepcopy": copy.deepcopy},
        "string": {name: getattr(string, name) for name in dir(string) if isinstance(getattr(string, name), str)},
        "itertools": {
            "chain": lambda *a: list(itertools.chain(*a)),
            "zip_longest": lambda *a, **k: list(itertools.zip_longest(*a, **k)),
        },
        "collections": {
            "Counter": _bounded(collections.Counter),
            "deque": _bounded(collections.deque),
            "OrderedDict": collections.OrderedDict,
        },
        "numpy": numeric,
        "np": numeric,
        "pytest": {"approx": _Approximation},
    }


class _NoArray:
    """numpy's types: no value here is of any of them."""


class _Approximation:
    """`pytest.approx`: equal to what is close."""

    def __init__(self, expected: float, rel: float = 1e-6, abs: float = 1e-12) -> None:
        self._expected, self._tolerance = expected, max(rel, abs)

    def __eq__(self, value: object) -> bool:
        return isinstance(value, int | float) and close(float(value), float(self._expected), self._tolerance)

    __hash__ = None  # type: ignore[assignment]
