"""Runs the functions and classes of a script that pytest would collect: fixtures, `parametrize`, marks.

The members that such a script uses of pytest itself are those of `MEMBERS`; `rewards.code.collected` refuses others.
"""

import contextlib
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import FunctionType, GeneratorType, SimpleNamespace
from typing import Any

from rewards.sandbox.inside.agreement import Unjudged


class Skipped(BaseException):
    """A test said that it is not to be run."""


@dataclass(frozen=True)
class Parameters:
    """`pytest.param`: one set of values, and whether it is to be left out."""

    values: tuple[Any, ...]
    marks: tuple["Mark", ...] = ()


def parameters(*values: Any, marks: Any = (), id: Any = None) -> Parameters:  # noqa: ARG001 - pytest's own name
    """`pytest.param`."""
    return Parameters(values, tuple(marks) if isinstance(marks, list | tuple) else (marks,))


@dataclass(frozen=True)
class Mark:
    """`pytest.mark.NAME`, with or without arguments; as a decorator it is added to what it decorates."""

    name: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The decorated function or class, or the mark with these arguments."""
        if len(args) == 1 and not kwargs and not self.kwargs and isinstance(args[0], FunctionType | type):
            decorated: Any = args[0]
            decorated.pytestmark = [*getattr(decorated, "pytestmark", []), self]
            return decorated
        return Mark(self.name, args, kwargs)

    def leaves_out(self) -> bool:
        """Whether the test is not to be run, or nothing follows from its failing."""
        return self.name in ("skip", "xfail") or (self.name == "skipif" and any(self.args))


class _Marks:
    def __getattr__(self, name: str) -> Mark:
        return Mark(name)


@dataclass(frozen=True, eq=False)
class Fixture:
    """`pytest.fixture`."""

    function: Callable[..., Any]
    name: str | None = None
    params: tuple[Any, ...] = ()
    autouse: bool = False
    scope: str = "function"


def fixture(function: Any = None, **options: Any) -> Any:
    """`pytest.fixture`, with or without options."""
    known: dict[str, Any] = {name: options[name] for name in ("name", "autouse", "scope") if name in options}
    known["params"] = tuple(options.get("params") or ())
    return Fixture(function, **known) if function is not None else lambda wrapped: Fixture(wrapped, **known)


def fail(reason: str = "", pytrace: bool = True) -> None:  # noqa: ARG001 - pytest's signature
    """`pytest.fail`."""
    raise AssertionError(reason)


def skip(reason: str = "", **_: Any) -> None:
    """`pytest.skip`."""
    raise Skipped(reason)


MEMBERS: dict[str, object] = {
    "fixture": fixture,
    "mark": _Marks(),
    "param": parameters,
    "fail": fail,
    "skip": skip,
    "main": lambda *_, **__: 0,
}


class Collected:
    """What a script has for pytest."""

    def __init__(self, names: Mapping[str, Any], called: frozenset[str]) -> None:
        """Args: names: The script's globals. called: Functions that it calls itself."""
        self._names = dict(names)
        self._called = called
        self._fixtures = _fixtures(self._names)
        self._kept: dict[object, Any] = {}  # of fixtures that outlive a test
        self._marks = _listed(self._names.get("pytestmark", []))

    def run(self) -> None:
        """Runs all tests; raises what the first that fails raises."""
        with contextlib.ExitStack() as end:
            for name, value in self._names.items():
                if isinstance(value, FunctionType) and name.startswith("test") and name not in self._called:
                    self._run_function(value, value, self._fixtures, self._marks, end)
                elif isinstance(value, type) and name.startswith("Test") and not hasattr(value, "assertEqual"):
                    self._run_class(value, end)

    def _run_class(self, cls: type, end: contextlib.ExitStack) -> None:
        fixtures = self._fixtures | _fixtures(dict(_members(cls)))
        marks = [*self._marks, *getattr(cls, "pytestmark", [])]
        _call(cls, "setup_class")
        for name, value in _members(cls):
            if not name.startswith("test") or not callable(value):
                continue
            instance = cls()
            _call(instance, "setup_method")
            self._run_function(getattr(instance, name), value, fixtures, marks, end, instance)
            _call(instance, "teardown_method")
        _call(cls, "teardown_class")

    def _run_function(
        self,
        function: Callable[..., Any],
        marked: Any,
        fixtures: Mapping[str, Fixture],
        marks: Sequence[Mark],
        end: contextlib.ExitStack,
        instance: object = None,
    ) -> None:
        marks = [*marks, *getattr(marked, "pytestmark", [])]
        if any(mark.leaves_out() for mark in marks):
            return
        wanted = [name for name in _wanted(marked) if name != "self"]
        automatic = [name for name, one in fixtures.items() if one.autouse]
        given = [list(_sets(mark)) for mark in marks if mark.name == "parametrize"]
        indirect = {name for mark in marks if mark.name == "parametrize" for name in _indirect(mark)}
        used = _closure([*automatic, *wanted], fixtures)
        varied = [
            [{name: value} for value in fixtures[name].params]
            for name in used
            if fixtures[name].params and name not in indirect
        ]
        for sets in itertools.product(*given, *varied):
            values = {name: value for part in sets for name, value in part.items()}
            with contextlib.ExitStack() as after, contextlib.suppress(Skipped):
                resolve = _Resolver(fixtures, values, indirect, self._kept, after, end, instance)
                for name in automatic:
                    resolve(name)
                function(**{name: resolve(name) for name in wanted})


@dataclass(frozen=True)
class _Resolver:
    fixtures: Mapping[str, Fixture]
    values: Mapping[str, Any]
    indirect: frozenset[str] | set[str]
    kept: dict[object, Any]
    after: contextlib.ExitStack
    end: contextlib.ExitStack
    instance: object
    made: dict[str, Any] = field(default_factory=dict)

    def __call__(self, name: str) -> Any:
        """The value of an argument."""
        one = self.fixtures.get(name)
        if name in self.values and (one is None or (name not in self.indirect and not one.params)):
            return self.values[name]
        if one is None:
            raise Unjudged(f"nothing gives {name}")
        if name not in self.made:
            outlives = one.scope != "function"
            key = (id(one), repr(self.values.get(name)))
            if outlives and key in self.kept:
                return self.kept[key]
            self.made[name] = self._make(one, self.values.get(name), self.end if outlives else self.after)
            if outlives:
                self.kept[key] = self.made[name]
        return self.made[name]

    def _make(self, one: Fixture, parameter: Any, stack: contextlib.ExitStack) -> Any:
        arguments: dict[str, Any] = {}
        for name in _wanted(one.function):
            if name == "self":
                arguments[name] = self.instance
            elif name == "request":
                arguments[name] = SimpleNamespace(param=parameter, getfixturevalue=self)
            else:
                arguments[name] = self(name)
        result = one.function(**arguments)
        if not isinstance(result, GeneratorType):
            return result
        value = next(result)
        stack.callback(lambda: next(result, None))
        return value


def _wanted(function: Any) -> list[str]:
    """The arguments of a function that have no default."""
    code, defaults = function.__code__, len(function.__defaults__ or ())
    named = code.co_varnames[: code.co_argcount - defaults]
    only = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    return [*named, *(name for name in only if name not in (function.__kwdefaults__ or {}))]


def _sets(mark: Mark) -> Iterator[dict[str, Any]]:
    names, rows = _names(mark), mark.args[1] if len(mark.args) > 1 else mark.kwargs["argvalues"]
    for row in rows:
        if isinstance(row, Parameters):
            if any(mark.leaves_out() for mark in row.marks):
                continue
            values = row.values
        else:
            is_one = len(names) == 1 and isinstance(mark.args[0] if mark.args else mark.kwargs["argnames"], str)
            values = (row,) if is_one else tuple(row)
        yield dict(zip(names, values, strict=True))


def _names(mark: Mark) -> list[str]:
    names = mark.args[0] if mark.args else mark.kwargs["argnames"]
    return [name.strip() for name in names.split(",") if name.strip()] if isinstance(names, str) else list(names)


def _indirect(mark: Mark) -> list[str]:
    said = mark.args[2] if len(mark.args) > 2 else mark.kwargs.get("indirect", False)
    return _names(mark) if said is True else list(said or ())


def _closure(names: Sequence[str], fixtures: Mapping[str, Fixture]) -> list[str]:
    """The fixtures that are needed for some arguments, and for those fixtures."""
    found: dict[str, None] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in fixtures and name not in found:
            found[name] = None
            waiting += _wanted(fixtures[name].function)
    return list(found)


def _fixtures(names: Mapping[str, Any]) -> dict[str, Fixture]:
    return {one.name or name: one for name, one in names.items() if isinstance(one, Fixture)}


def _members(cls: type) -> list[tuple[str, Any]]:
    """Of a class and those that it derives from, each name once."""
    found: dict[str, Any] = {}
    for one in reversed(cls.__mro__[:-1]):
        found |= vars(one)
    return list(found.items())


def _call(owner: Any, name: str) -> None:
    method = getattr(owner, name, None)
    if method is not None:
        method(*[None] * (len(_wanted(method.__func__)) - 1))


def _listed(value: Any) -> list[Mark]:
    return list(value) if isinstance(value, list | tuple) else [value]
