"""The few members of numpy and pytest that test code mostly uses, so that they need not be imported or installed.

Any other member brings the real module in.
"""

import importlib
import math
import re
import sys
import types
from collections.abc import Mapping
from typing import Any, Self

from rewards.sandbox.inside import pytest_tests
from rewards.sandbox.inside.agreement import close


class StandIn(types.ModuleType):
    """A module with some members, which gives way to the real one of its name when asked for another."""

    def __init__(self, name: str, members: Mapping[str, object]) -> None:
        super().__init__(name)
        self.__dict__.update(members)
        self.__spec__ = None

    def __getattr__(self, name: str) -> object:
        return getattr(_real(self.__name__), name)


def _real(name: str) -> Any:
    """The module itself; raises ImportError where it is not installed."""
    if isinstance(sys.modules.get(name), StandIn):
        del sys.modules[name]
    return importlib.import_module(name)


class Approximation:
    """`pytest.approx`: equal to what is close, by element for a list or tuple."""

    def __init__(self, expected: Any, rel: float = 1e-6, abs: float = 1e-12) -> None:
        self._expected, self._tolerance = expected, max(rel, abs)

    def __eq__(self, value: object) -> bool:
        """Whether `value` is a number within the tolerance, or as many of them as were expected."""
        if isinstance(self._expected, list | tuple):
            return (
                isinstance(value, list | tuple)
                and len(value) == len(self._expected)
                and all(
                    Approximation(wanted, self._tolerance) == one
                    for one, wanted in zip(value, self._expected, strict=True)
                )
            )
        return isinstance(value, int | float) and close(float(value), float(self._expected), self._tolerance)

    __hash__ = None  # type: ignore[assignment]


def raises(expected: Any, function: Any = None, *arguments: Any, match: str = "", **named: Any) -> Any:
    """`pytest.raises`, with a function to call or for a `with`."""
    checking = Raises(expected, match or "")
    if function is None:
        return checking
    with checking:
        function(*arguments, **named)
    return checking


class Raises:
    """`pytest.raises` in a `with`; `value` is the exception afterwards, and `type` its class."""

    value: BaseException

    def match(self, pattern: str) -> bool:
        """Whether the exception's text matches, which it has to."""
        if not re.search(pattern, str(self.value)):
            raise AssertionError(f"{self.value} does not match {pattern}")
        return True

    def __init__(self, expected: type[BaseException] | tuple[type[BaseException], ...], match: str = "") -> None:
        self._expected, self._match = expected, match

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> bool:
        """Raises AssertionError if nothing was raised, or something of which the text does not match."""
        if error is None:
            raise AssertionError(f"nothing of {self._expected} was raised")
        if not isinstance(error, self._expected):
            return False
        if not re.search(self._match, str(error)):
            raise AssertionError(f"{error} does not match {self._match}")
        self.value, self.type = error, kind
        return True


class ArrayType:
    """A type of numpy, for `isinstance`: nothing is of it before numpy itself was needed."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __instancecheck__(self, value: object) -> bool:
        numpy = sys.modules.get("numpy")
        return not isinstance(numpy, StandIn) and isinstance(value, getattr(numpy, self._name))

    def __call__(self, *arguments: object, **named: object) -> object:
        """An instance, of the real one."""
        return getattr(_real("numpy"), self._name)(*arguments, **named)


def all_close(value: Any, expected: Any, rtol: float = 1e-5, atol: float = 1e-8, **options: Any) -> Any:
    """`numpy.allclose`; other values than numbers and nested lists are left to it, once it was needed."""
    if isinstance(value, int | float) and isinstance(expected, int | float):
        return value == expected or bool(abs(value - expected) <= atol + rtol * abs(expected))
    if isinstance(value, list | tuple) and isinstance(expected, list | tuple):
        return len(value) == len(expected) and all(
            all_close(one, other, rtol, atol) for one, other in zip(value, expected, strict=True)
        )
    if isinstance(sys.modules.get("numpy"), StandIn):  # no array has come
        return False
    return _real("numpy").allclose(value, expected, rtol, atol, **options)


def is_close(value: Any, expected: Any, **tolerances: Any) -> Any:
    """`numpy.isclose`, to which all but two numbers are left."""
    if isinstance(value, int | float) and isinstance(expected, int | float):
        return all_close(value, expected, **tolerances)
    return _real("numpy").isclose(value, expected, **tolerances)


_ARRAY_TYPES = ("ndarray", "float32", "float64", "integer", "floating", "generic")
_MEMBERS: dict[str, dict[str, object]] = {
    "numpy": {name: ArrayType(name) for name in _ARRAY_TYPES}
    | {"allclose": all_close, "isclose": is_close, "inf": math.inf, "nan": math.nan},
    "pytest": {"approx": Approximation, "raises": raises, **pytest_tests.MEMBERS},
}


def install() -> None:
    """Puts the stand-ins where `import` finds them."""
    for name, members in _MEMBERS.items():
        sys.modules.setdefault(name, StandIn(name, members))
