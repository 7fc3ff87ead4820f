"""The pipe between a candidate program's process and the process of its tests: requests both ways, values by copy.

Values are those of `inside.encoding`, and a few more types of the standard library. What has no plain form (functions,
classes, instances, iterators of the program) goes over as a reference, which the other side may only ask about.
"""

import builtins
import sys
from collections import deque, namedtuple
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

from rewards.sandbox.frames import WorkerDied, receive, send
from rewards.sandbox.inside.encoding import decode_value, encode_value

# Types, exceptions and pure functions: what either side may hand to the other by name.
_BUILTINS = frozenset(name for name, value in vars(builtins).items() if isinstance(value, type)) | {
    *("abs", "all", "any", "bin", "callable", "chr", "divmod", "format", "hash", "hex", "id", "iter", "len", "max"),
    *("min", "next", "oct", "ord", "pow", "print", "repr", "round", "sorted", "sum"),
}
# A program's own object may have a `get`, but one with a `startswith` only poses as a text.
JUDGING = frozenset({"startswith", "endswith"}) | {
    name for kind in (str, set, float) for name in dir(kind) if name.startswith("is")
}
# With time zones of the standard library's own kind only as far as ISO 8601 has them.
_TIMES: dict[str, Any] = {"date": date, "datetime": datetime, "time": time}


def is_named_tuple(cls: type) -> bool:
    """Whether a class is as `collections.namedtuple` makes them."""
    fields = getattr(cls, "_fields", None)
    return issubclass(cls, tuple) and type(fields) is tuple and all(type(name) is str for name in fields)


@lru_cache(256)
def _named_tuple(name: str, fields: tuple[str, ...]) -> Any:
    return namedtuple(name, fields)


class Gone(BaseException):
    """The other side ended, or sent what is no message."""


class Raised(Exception):
    """The other side raised: names of the exception's classes, most derived first, and its plain arguments."""

    def __init__(self, names: list[str], arguments: list[object]) -> None:
        super().__init__(names, arguments)
        self.names = names
        self.arguments = arguments


class Peer:
    """One end. `handle(operation, *operands)` serves the other side's requests, and returns a coded reply."""

    def __init__(
        self, reading: int, writing: int, handle: Callable[..., object], wait: Callable[[int], None] | None = None
    ) -> None:
        """Args: wait: Called with `reading` before a message is read from it."""
        self._reading = reading
        self._wait = wait
        self._writing = writing
        self._handle = handle

    def ask(self, operation: str, *operands: object) -> Any:
        """Sends a request, serves the other side's until the answer comes, and returns it, coded.

        Raises:
            Raised: The answer is an exception.
            Gone: There is none.
        """
        self.say([operation, *operands])
        while True:
            message = self.hear()
            match message:
                case ["return", reply]:
                    return reply
                case ["raise", list(names), list(arguments)]:
                    raise Raised([str(name) for name in names], arguments)
            self._serve(message)

    def serve(self) -> None:
        """Serves until the other side is gone."""
        while True:
            self._serve(self.hear())

    def _serve(self, message: list[object]) -> None:
        try:
            reply: object = ["return", self._handle(*message)]
        except Gone:
            raise
        except BaseException as error:  # of the candidate's or the tests' functions: it belongs to the other side
            reply = ["raise", *coded_exception(error)]
        try:
            self.say(reply)
        except (RecursionError, ValueError, TypeError):
            self.say(["raise", ["ValueError"], []])

    def say(self, reply: object) -> None:
        """Sends one message, such as the answer to a question that was never asked: how the start went."""
        try:
            send(self._writing, reply)
        except WorkerDied as error:
            raise Gone from error

    def hear(self) -> list[object]:
        """The next message, whatever it is."""
        if self._wait is not None:
            self._wait(self._reading)
        try:
            message = receive(self._reading)
        except WorkerDied as error:
            raise Gone from error
        if not isinstance(message, list) or not message:
            raise Gone
        return message


def coded_exception(error: BaseException) -> tuple[list[str], list[object]]:
    """Names of an exception's classes, most derived first, and its arguments as far as they are plain."""
    names = [cls.__name__ for cls in type(error).__mro__ if cls is not object]
    try:
        arguments = [encode_value(argument) for argument in error.args]
    except Exception:  # the candidate's: its class may define `args`
        arguments = []
    return names, arguments


def encode_more(value: object, other: Callable[[object], object]) -> object:
    """The coded form of a plain value or of one of some more types; `other` codes the rest."""

    def more(part: object) -> object:
        match part:
            case range() if type(part) is range:
                return ["range", part.start, part.stop, part.step]
            case deque() if type(part) is deque:
                return ["deque", encode_more(list(part), other), part.maxlen]
            case bytearray() if type(part) is bytearray:
                return ["bytearray", part.hex()]
            case Decimal() if type(part) is Decimal:
                return ["Decimal", str(part)]
            case Fraction() if type(part) is Fraction:
                return ["Fraction", hex(part.numerator), hex(part.denominator)]
            case timedelta() if type(part) is timedelta:
                return ["timedelta", part.days, part.seconds, part.microseconds]
            case date() | time() if type(part).__name__ in _TIMES and type(part) is _TIMES[type(part).__name__]:
                return [type(part).__name__, part.isoformat()]
            case tuple() if type(part).__eq__ is tuple.__eq__ and is_named_tuple(type(part)):
                return ["named", type(part).__name__, list(part._fields), encode_more(tuple(part), other)]  # type: ignore[attr-defined]
        numpy = sys.modules.get("numpy")
        if numpy is not None and type(part) is numpy.ndarray and part.dtype.kind in "biufcU":  # type: ignore[attr-defined]
            return ["array", encode_value(part.tolist()), part.dtype.str]  # type: ignore[attr-defined]
        name = getattr(part, "__name__", None) if isinstance(part, type) or callable(part) else None
        if isinstance(name, str) and name in _BUILTINS and getattr(builtins, name) is part:
            return ["builtin", name]
        return other(part)

    return encode_value(value, more)


def decode_more(coded: object, other: Callable[[list[Any]], object]) -> Any:
    """The value of a form made by `encode_more`."""

    def more(part: list[Any]) -> object:
        match part:
            case ["range", int(start), int(stop), int(step)]:
                return range(start, stop, step)
            case ["deque", items, (int() | None) as most]:
                return deque(decode_more(items, other), most)
            case ["bytearray", str(text)]:
                return bytearray.fromhex(text)
            case ["Decimal", str(text)]:
                return Decimal(text)
            case ["Fraction", str(numerator), str(denominator)]:
                return Fraction(int(numerator, 16), int(denominator, 16))
            case ["timedelta", int(days), int(seconds), int(microseconds)]:
                return timedelta(days, seconds, microseconds)
            case [("date" | "datetime" | "time") as kind, str(text)]:
                return _TIMES[kind].fromisoformat(text)
            case ["named", str(name), list(fields), items] if JUDGING.isdisjoint(fields):
                return _named_tuple(name, tuple(fields))(*decode_more(items, other))
            case ["array", items, str(dtype)]:
                import numpy

                return numpy.array(decode_value(items), dtype=dtype)
            case ["builtin", str(name)] if name in _BUILTINS:
                return getattr(builtins, name)
        return other(part)

    return decode_value(coded, more)
