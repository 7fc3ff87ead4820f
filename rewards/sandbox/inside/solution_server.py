"""Serves a candidate program's functions and objects to the process of its tests (`inside.tester`), over a pipe.

This shares an interpreter with the candidate, which may take it over; so nothing it says is evidence. It has no
descriptor but the pipe, and never sees the tests.
"""

import json
import operator
from collections import deque
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any

from rewards.sandbox.inside.cell import fresh_module, prepare_interpreter, read_whole
from rewards.sandbox.inside.encoding import Opaque
from rewards.sandbox.inside.peer import Gone, Peer, Raised, coded_exception, decode_more, encode_more
from rewards.sandbox.inside.timer import limited

_MUTABLE = (list, dict, set, bytearray, deque)
_BATCH = 256
_OPERATIONS: dict[str, Callable[..., object]] = {
    **{name: getattr(operator, name) for name in ("getitem", "setitem", "delitem", "index", "abs", "neg")},
    **{name: getattr(operator, name) for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "matmul")},
    **{"len": len, "str": str, "repr": repr, "bool": bool, "int": int, "float": float, "iter": iter},
    **{"isinstance": isinstance, "setattr": setattr, "delattr": delattr},
}


def serve_solution(payload_fd: int, reading: int, writing: int) -> int:
    """Runs the program in `payload_fd` and then the tests' setup, tells how that went, and serves the namespace."""
    request = json.loads(read_whole(payload_fd))
    prepare_interpreter()
    namespace = fresh_module("solution").__dict__
    server = _Server(namespace, request["cpu_s"])
    peer = server.peer = Peer(reading, writing, server.handle)
    try:
        with limited(request["cpu_s"]):
            exec(compile(request["code"], "<solution>", "exec"), namespace)
            exec(compile(request["setup"], "<tests>", "exec"), namespace)
    except BaseException as error:  # the candidate's: it may raise anything
        names, arguments = coded_exception(error)
        peer.say(["raise", names, arguments])
        return 1
    peer.say(["return", None])
    try:
        peer.serve()
    except Gone:
        return 0
    return 0


class _Server:
    peer: Peer

    def __init__(self, namespace: dict[str, object], cpu_s: float) -> None:
        self._namespace = namespace
        self._cpu_s = cpu_s  # of each request
        self._depth = 0  # of requests in requests, by way of the tests' own functions
        self._objects: list[object] = []  # by reference; kept alive as long as the tests run
        self._numbers: dict[int, int] = {}
        self._twins: list[object] = []  # of the tests' own objects in the call under way
        self._twin_numbers: dict[int, int] = {}
        self._telling: set[int] = set()  # whose fields are being coded

    def handle(self, operation: str, *operands: Any) -> object:
        self._depth += 1
        try:
            if self._depth > 1:
                return self._answer(operation, *operands)
            with limited(self._cpu_s):
                return self._answer(operation, *operands)
        finally:
            self._depth -= 1

    def _answer(self, operation: str, *operands: Any) -> object:
        match operation, operands:
            case "global", (str(name),):
                if name not in self._namespace:
                    raise NameError(name)
                return self._encode(self._namespace[name])
            case "attribute", (int(number), str(name)):
                return self._encode(getattr(self._objects[number], name))
            case "call", (int(number), list(arguments), list(named), list(table)):
                return self._call(self._objects[number], arguments, named, table)
            case "next", (int(number),):
                return self._next(self._objects[number])
            case "operation", (str(name), list(coded)):
                result = _OPERATIONS[name](*[self._decode(part) for part in coded])
                return self._encode(result)
        raise TypeError(operation)

    def _call(self, function: Any, arguments: list[Any], named: list[Any], table: list[Any]) -> object:
        outer = self._twins, self._twin_numbers
        try:
            self._make_twins(table)
            given = [self._decode(part) for part in arguments]
            keywords = {name: self._decode(part) for name, part in named}
            result = function(*given, **keywords)
            position = next((i for i, one in enumerate(given) if one is result and type(one) in _MUTABLE), None)
            coded = self._encode(result) if position is None else ["argument", position]
            before = [*enumerate(arguments), *named]
            return [coded, self._changes(dict(enumerate(given)) | keywords, before), self._twin_changes(table)]
        finally:
            self._twins, self._twin_numbers = outer

    def _changes(self, given: dict[Any, Any], coded: list[Any]) -> list[object]:
        """The arguments that the call changed in place, by position or name."""
        changes: list[object] = []
        for slot, before in coded:
            if type(given[slot]) in _MUTABLE and (after := self._encode(given[slot])) != before:
                changes.append([slot, after])
        return changes

    def _make_twins(self, table: list[Any]) -> None:
        """Instances of the program's own classes of the same names, for instances of the tests' classes."""
        self._twins = []
        for name, _ in table:
            cls: Any = self._namespace.get(name)
            if not isinstance(cls, type):  # a class of the tests' own: its data must do
                cls = type(str(name), (), {})
            self._twins.append(cls.__new__(cls))
        self._twin_numbers = {id(twin): number for number, twin in enumerate(self._twins)}
        for twin, (_, attributes) in zip(self._twins, table, strict=True):
            for name, coded in attributes:
                setattr(twin, name, self._decode(coded))

    def _twin_changes(self, table: list[Any]) -> list[object]:
        changes: list[object] = []
        for number, (twin, (_, before)) in enumerate(zip(self._twins, table, strict=True)):
            after = [[name, self._encode(value)] for name, value in vars(twin).items()]
            if after != before:
                changes.append([number, after])
        return changes

    def _next(self, iterator: Any) -> object:
        """Up to a batch of items, and how it ended: an exception comes after the items before it."""
        items: list[object] = []
        try:
            for item in iterator:
                items.append(self._encode(item))
                if len(items) == _BATCH:
                    return [items, None]
        except Exception as error:
            return [items, list(coded_exception(error))]
        return [items, []]

    def _encode(self, value: object) -> object:
        return encode_more(value, self._refer)

    def _refer(self, value: object) -> object:
        twin = self._twin_numbers.get(id(value))
        if twin is not None:
            return ["twin", twin]
        if isinstance(value, Opaque):
            return ["?"]
        number = self._numbers.get(id(value))
        if number is None:
            number = self._numbers[id(value)] = len(self._objects)
            self._objects.append(value)
        if isinstance(value, type):
            bases = [cls.__name__ for cls in value.__mro__]
            return ["remote", number, "exception" if issubclass(value, BaseException) else "class", bases]
        kind = "iterator" if hasattr(type(value), "__next__") else "object"
        return ["remote", number, kind, [type(value).__name__], *self._fields(value, number)]

    def _fields(self, value: Any, number: int) -> list[object]:
        """Names and values that a dataclass compares, as they are now; nothing of another object."""
        kind: Any = type(value)
        if not is_dataclass(value) or number in self._telling or not kind.__dataclass_params__.eq:
            return []
        self._telling.add(number)
        try:
            compared = [field.name for field in fields(value) if field.compare]
            return [[[name, self._encode(getattr(value, name))] for name in compared]]
        finally:
            self._telling.discard(number)

    def _decode(self, coded: object) -> Any:
        return decode_more(coded, self._resolve)

    def _resolve(self, part: list[Any]) -> object:
        match part:
            case ["remote", int(number)]:
                return self._objects[number]
            case ["twin", int(number)]:
                return self._twins[number]
            case ["callback", int(number)]:
                return self._callback(number)
        return Opaque()

    def _callback(self, number: int) -> Callable[..., object]:
        def function(*arguments: object) -> object:
            try:
                return self._decode(self.peer.ask("callback", number, [self._encode(one) for one in arguments]))
            except Raised as error:
                raise RuntimeError(f"the tests' function raised {error.names[:1]}") from None

        return function
