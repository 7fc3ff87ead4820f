"""The few members of numpy and pytest that test code mostly uses, so that they need not be imported or installed.

Any other member brings the real module in.
"""

import importlib
import math
import sys
import types
from collections.abc import Mapping

from rewards.sandbox.inside.agreement import close


class StandIn(types.ModuleType):
    """A module with some members, which gives way to the real one of its name when asked for another."""

    def __init__(self, name: str, members: Mapping[str, object]) -> None:
        super().__init__(name)
        self.__dict__.update(members)
        self.__spec__ = None

    def __getattr__(self, name: str) -> object:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)


class Approximation:
    """`pytest.approx` of one number: equal to what is close."""

    def __init__(self, expected: float, rel: float = 1e-6, abs: float = 1e-12) -> None:
        self._expected, self._tolerance = expected, max(rel, abs)

    def __eq__(self, value: object) -> bool:
        """Whether `value` is a number within the tolerance."""
        return isinstance(value, int | float) and close(float(value), float(self._expected), self._tolerance)

    __hash__ = None  # type: ignore[assignment]


class NoArray:
    """The types of numpy: no value is of any of them while only these members are used."""


def all_close(value: object, expected: object, rtol: float = 1e-5, atol: float = 1e-8, **_: object) -> bool:
    """`numpy.allclose`, on numbers and nested lists; False for values of other shapes or kinds."""
    if isinstance(value, list | tuple) or isinstance(expected, list | tuple):
        if not (isinstance(value, list | tuple) and isinstance(expected, list | tuple)):
            return False
        return len(value) == len(expected) and all(
            all_close(one, other, rtol, atol) for one, other in zip(value, expected, strict=True)
        )
    if not isinstance(value, int | float) or not isinstance(expected, int | float):
        return False
    return value == expected or bool(abs(value - expected) <= atol + rtol * abs(expected))


_ARRAY_TYPES = ("ndarray", "float32", "float64", "integer", "floating", "generic")
_MEMBERS: dict[str, dict[str, object]] = {
    "numpy": dict.fromkeys(_ARRAY_TYPES, NoArray)
    | {"allclose": all_close, "isclose": all_close, "inf": math.inf, "nan": math.nan},
    "pytest": {"approx": Approximation},
}


def install() -> None:
    """Puts the stand-ins where `import` finds them."""
    for name, members in _MEMBERS.items():
        sys.modules.setdefault(name, StandIn(name, members))
