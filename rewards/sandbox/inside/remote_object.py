"""Stands in, in the process of the tests, for an object of the candidate program's; `.remote_objects` keeps them.

A stand-in never answers for equality or order, so an object that claims to equal everything equals nothing here, and it
never passes the tests' values to the object's operators. It gives what takes no operand (length, text, items, ...). Of
a dataclass the tests compare the fields themselves, as they came with the object.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from rewards.sandbox.inside.agreement import Unjudged
from rewards.sandbox.inside.encoding import Opaque, Record
from rewards.sandbox.inside.peer import JUDGING

if TYPE_CHECKING:
    from rewards.sandbox.inside.remote_objects import Solution


class Remote(Opaque):
    """Stands in for a function, class or object of the program."""

    _solution: "Solution"
    number: int
    kind = ""  # of a class, its name
    _told: tuple[int, Record] | None = None

    def __init__(self, solution: "Solution", number: int) -> None:
        object.__setattr__(self, "_solution", solution)
        object.__setattr__(self, "number", number)

    def tell(self, record: Record) -> None:
        """Its fields as they are now. Had they been asked for later, the program would know what the tests expect."""
        object.__setattr__(self, "_told", (self._solution.acts, record))

    def record(self) -> Record | None:
        """Its fields, unless the program has acted since they were told."""
        return self._told[1] if self._told is not None and self._told[0] == self._solution.acts else None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name not in ("__name__", "__doc__", "__dict__"):
            raise AttributeError(name)
        if name in JUDGING:
            raise Unjudged(name)
        return self._solution.get("attribute", self.number, name)

    def __setattr__(self, name: str, value: object) -> None:
        self._solution.operation("setattr", self, name, value)

    def __delattr__(self, name: str) -> None:
        self._solution.operation("delattr", self, name)

    def __call__(self, *arguments: object, **named: object) -> Any:
        """Calls it in the program's process."""
        if self.kind:
            return self._solution.make(self, arguments, named)
        return self._solution.call(self.number, arguments, named)

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
            items, error, more = self._solution.next_items(self.number)
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
