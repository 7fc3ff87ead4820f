"""Stand-ins, in the process of the tests, for what the candidate program's process holds.

A stand-in never answers for equality or order, so an object that claims to equal everything equals nothing here, and it
never passes the tests' values to the object's operators. It gives what takes no operand (length, text, items, ...).
"""

import builtins
import os
from collections.abc import Callable, Iterator
from typing import Any

from rewards.sandbox.inside.agreement import Unjudged
from rewards.sandbox.inside.encoding import Opaque
from rewards.sandbox.inside.peer import JUDGING, Gone, Peer, Raised, decode_more, encode_more
from rewards.sandbox.inside.timer import Watch, restart

# Raised by a call inside a loop or generator these would end it quietly, as if all its items had been tested.
_ENDS_OF_LOOPS = frozenset({"StopIteration", "StopAsyncIteration", "GeneratorExit"})


class Solution:
    """The tests' side of the pipe.

    Between two answers of the program the tests may take `cpu_s` CPU seconds: its values can make them compute on. So
    may the program for each of the tests' questions, with all that it asks the tests meanwhile; `pid` is its process.
    """

    def __init__(self, reading: int, writing: int, cpu_s: float, pid: int | None = None) -> None:
        self._cpu_s = cpu_s
        self._watch = Watch(pid, cpu_s)
        self._asking = 0  # questions that wait for their answers
        self._peer = Peer(reading, writing, self._handle, self._watch.until_readable)
        self._callbacks: list[Any] = []
        self._known: dict[int, object] = {}
        self._exceptions: dict[str, type[BaseException]] = {}
        self._table: list[tuple[Any, list[object]]] = []
        self._table_numbers: dict[int, int] = {}

    def loaded(self) -> bool:
        """Waits until the program has run; whether it got to its end."""
        there = self._peer.hear() == ["return", None]
        restart(self._cpu_s)
        return there

    def ask(self, operation: str, *operands: object) -> Any:
        """As `Peer.ask`, but raises the exception that the program raised."""
        if not self._asking:
            self._watch.begin()
        self._asking += 1
        try:
            return self._peer.ask(operation, *operands)
        except Raised as error:
            raise self._exception(error.names, error.arguments) from None
        except Gone:
            # Not an exception, which tests that expect one would take for the program's.
            os._exit(1)
        finally:
            self._asking -= 1
            restart(self._cpu_s)

    def get(self, kind: str, *operands: object) -> Any:
        """A value of the program: a "global" by its name, or an "attribute" by its object's number and its name."""
        return self._decode(self.ask(kind, *operands))

    def operation(self, name: str, *operands: object) -> Any:
        """One of the operations that the server offers."""
        return self.get("operation", name, [self._encode(operand) for operand in operands])

    def next_items(self, number: int) -> tuple[list[Any], BaseException | None, bool]:
        """Items of a remote iterator, the exception after them, and whether there may be more."""
        items, ending = self.ask("next", number)
        decoded = [self._decode(item) for item in items]
        if ending:
            return decoded, self._exception(ending[0], ending[1]), False
        return decoded, None, ending is None

    def call(self, number: int, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """Calls a remote function, and applies to the arguments here what it did to its copies in place."""
        outer = self._table, self._table_numbers
        self._table, self._table_numbers = [], {}
        try:
            coded = [self._encode(argument) for argument in arguments]
            coded_named = [[name, self._encode(value)] for name, value in named.items()]
            table = self._coded_table()
            result, changed, twins = self.ask("call", number, coded, coded_named, table)
            given = dict(enumerate(arguments)) | named
            for slot, after in changed:
                _assign(given[slot], self._decode(after))
            for index, attributes in twins:
                for name, after in attributes:
                    setattr(self._table[index][0], name, self._decode(after))
            if isinstance(result, list) and result[:1] == ["argument"]:
                return arguments[result[1]]
            return self._decode(result)
        finally:
            self._table, self._table_numbers = outer

    def _coded_table(self) -> list[object]:
        """The tests' own objects among the arguments, which grows while their attributes are coded."""
        table: list[object] = []
        done = 0
        while done < len(self._table):
            value, _ = self._table[done]
            attributes = [[name, self._encode(part)] for name, part in vars(value).items()]
            table.append([type(value).__name__, attributes])
            done += 1
        return table

    def _handle(self, operation: str, *operands: Any) -> object:
        match operation, operands:
            case "callback", (int(number), list(arguments)):
                try:
                    return self._encode(self._callbacks[number](*[self._decode(one) for one in arguments]))
                except AssertionError:  # the program could catch it and go on
                    os._exit(1)
        raise TypeError(operation)

    def _encode(self, value: object) -> object:
        return encode_more(value, self._refer)

    def _refer(self, value: object) -> object:
        if isinstance(value, Remote):
            return ["remote", value._number]
        if callable(value):
            self._callbacks.append(value)
            return ["callback", len(self._callbacks) - 1]
        if isinstance(value, Opaque) or not hasattr(value, "__dict__"):
            return ["?"]
        number = self._table_numbers.get(id(value))
        if number is None:
            number = self._table_numbers[id(value)] = len(self._table)
            self._table.append((value, []))
        return ["twin", number]

    def _decode(self, coded: object) -> Any:
        return decode_more(coded, self._resolve)

    def _resolve(self, part: list[Any]) -> object:
        match part:
            case ["twin", int(number)]:
                return self._table[number][0]
            case ["remote", int(number), "exception", list(bases)]:
                return self._exception_class([str(base) for base in bases])
            case ["remote", int(number), str(kind), list()]:
                if number not in self._known:
                    self._known[number] = (RemoteIterator if kind == "iterator" else Remote)(self, number)
                return self._known[number]
        return Opaque()

    def _exception(self, names: Any, arguments: Any) -> BaseException:
        cls = self._exception_class([str(name) for name in names])
        if cls.__name__ in _ENDS_OF_LOOPS:
            cls = RuntimeError
        try:
            return cls(*[self._decode(argument) for argument in arguments])
        except Exception:  # an exception class whose constructor wants something else
            return Exception(cls.__name__)

    def _exception_class(self, names: list[str]) -> type[BaseException]:
        """The built-in class of that name, or one made for the program's own, below its built-in base."""
        known = getattr(builtins, names[0], None) if names else None
        if isinstance(known, type) and issubclass(known, BaseException):
            return known
        if not names:
            return Exception
        if names[0] not in self._exceptions:
            self._exceptions[names[0]] = type(names[0], (self._exception_class(names[1:]),), {})
        return self._exceptions[names[0]]


def _assign(target: Any, after: Any) -> None:
    """Makes a container equal to `after` in place, and the lists inside it where they are still lists."""
    if isinstance(target, list) and isinstance(after, list):
        for index, item in enumerate(after):
            if (
                index < len(target)
                and isinstance(target[index], list | dict | set)
                and type(item) is type(target[index])
            ):
                _assign(target[index], item)
                after[index] = target[index]
        target[:] = after
    elif isinstance(target, dict | set) and isinstance(after, dict | set):
        target.clear()
        target.update(after)
    elif type(target) is type(after):
        target.clear()
        target.extend(after)


class Remote(Opaque):
    """Stands in for a function, class or object of the program."""

    _solution: Solution
    _number: int

    def __init__(self, solution: Solution, number: int) -> None:
        object.__setattr__(self, "_solution", solution)
        object.__setattr__(self, "_number", number)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name not in ("__name__", "__doc__", "__dict__"):
            raise AttributeError(name)
        if name in JUDGING:
            raise Unjudged(name)
        return self._solution.get("attribute", self._number, name)

    def __setattr__(self, name: str, value: object) -> None:
        self._solution.operation("setattr", self, name, value)

    def __delattr__(self, name: str) -> None:
        self._solution.operation("delattr", self, name)

    def __call__(self, *arguments: object, **named: object) -> Any:
        """Calls it in the program's process."""
        return self._solution.call(self._number, arguments, named)

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:  # type: ignore[override]
        return id(self)

    def __instancecheck__(self, instance: object) -> bool:
        return isinstance(instance, Remote) and self._solution.operation("isinstance", instance, self) is True

    def __iter__(self) -> Iterator[Any]:
        return iter(self._solution.operation("iter", self))


class RemoteIterator(Remote):
    """Stands in for an iterator or generator; fetches its items in batches."""

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        waiting = self.__dict__.setdefault("_waiting", [])
        if not waiting and not self.__dict__.get("_ended"):
            items, error, more = self._solution.next_items(self._number)
            waiting.extend(reversed(items))
            self.__dict__["_ended"] = not more
            self.__dict__["_error"] = error
        if waiting:
            return waiting.pop()
        error = self.__dict__.pop("_error", None)
        if error is not None:
            raise error
        raise StopIteration


def _unary(name: str, kind: type) -> Callable[[Remote], Any]:
    def operation(self: Remote) -> Any:
        value = self._solution.operation(name, self)
        if type(value) is not kind:
            raise TypeError(f"not a plain {kind.__name__}")
        return value

    return operation


def _of_items(name: str) -> Callable[..., Any]:
    return lambda self, *operands: self._solution.operation(name, self, *operands)


def _binary(name: str) -> Callable[[Any, Any], Any]:
    def operation(self: Remote, other: object) -> Any:
        # With a value of the tests as operand it could be told what is expected, or answer "no difference".
        return self._solution.operation(name, self, other) if isinstance(other, Remote) else NotImplemented

    return operation


for _name, _kind in {
    "len": int,
    "bool": bool,
    "str": str,
    "repr": str,
    "int": int,
    "index": int,
    "float": float,
}.items():
    setattr(Remote, f"__{_name}__", _unary(_name, _kind))
for _name in ("getitem", "setitem", "delitem"):
    setattr(Remote, f"__{_name}__", _of_items(_name))
for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "matmul"):
    setattr(Remote, f"__{_name}__", _binary(_name))
