"""The tests' side of the pipe to the candidate program's process, and the objects there that it knows."""

import builtins
import os
from typing import Any

from rewards.sandbox.inside.encoding import Opaque, Record
from rewards.sandbox.inside.peer import Gone, Peer, Raised, decode_more, encode_more
from rewards.sandbox.inside.remote_object import Remote, RemoteIterator
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
        self.acts = 0  # questions that may have changed an object of the program
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
        self.acts += name != "isinstance"
        return self.get("operation", name, [self._encode(operand) for operand in operands])

    def next_items(self, number: int) -> tuple[list[Any], BaseException | None, bool]:
        """Items of a remote iterator, the exception after them, and whether there may be more."""
        self.acts += 1
        items, ending = self.ask("next", number)
        decoded = [self._decode(item) for item in items]
        if ending:
            return decoded, self._exception(ending[0], ending[1]), False
        return decoded, None, ending is None

    def make(self, cls: "Remote", arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """An instance of a class of the program, which stands for a value that the tests expect."""
        made = self.call(cls.number, arguments, named, acts=False)
        if isinstance(made, Remote) and made.record() is not None:
            # What the tests gave it, not what the program's class made of that.
            wanted = [(None, one) for one in arguments], list(named.items())
            made.tell(Record(cls.kind, [*wanted[0], *wanted[1]]))
        return made

    def call(self, number: int, arguments: tuple[Any, ...], named: dict[str, Any], *, acts: bool = True) -> Any:
        """Calls a remote function, and applies to the arguments here what it did to its copies in place."""
        self.acts += acts
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
            return ["remote", value.number]
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
            case ["remote", int(number), str(kind), [str(name), *_], *told]:
                if number not in self._known:
                    self._known[number] = (RemoteIterator if kind == "iterator" else Remote)(self, number)
                found = self._known[number]
                if kind == "class":
                    object.__setattr__(found, "kind", name)
                if told and isinstance(found, Remote):
                    found.tell(Record(name, [(str(field), self._decode(value)) for field, value in told[0]]))
                return found
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
