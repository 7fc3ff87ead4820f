"""What a setting may be, stated beside it as its type.

`lr: Positive` is a float to every reader of types. Whoever makes a spec has its bounds checked (`validated`), before
anything is computed of it, and a flag of a command line that has the same type checks the same (`argument`). A spec
that is read back is a record of what was run: bounds that were drawn later do not make it unreadable.
"""

import argparse
import math
import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, get_args

from sweeper.host.errors import ConfigError

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, ValidationError
    from pydantic_core import CoreSchema
    from pydantic_core.core_schema import ValidationInfo

RECORD = {"record": True}  # pydantic's context of what is read back


class Bound(ABC):
    """Metadata of an annotated type: the values that a setting may have, in words that follow "must"."""

    @abstractmethod
    def holds(self, value: Any) -> bool:
        """Whether the setting may have this value."""

    def __get_pydantic_core_schema__(self, source: Any, handler: "GetCoreSchemaHandler") -> "CoreSchema":
        from pydantic_core.core_schema import with_info_after_validator_function

        return with_info_after_validator_function(self._checked, handler(source))

    def _checked(self, value: Any, info: "ValidationInfo") -> Any:
        if info.context is not RECORD and (fault := self.fault(value)):
            raise ValueError(fault)
        return value

    def fault(self, value: Any) -> str | None:
        """Why the setting may not have this value; None: it may."""
        return None if self.holds(value) else f"must {self}"


@dataclass(frozen=True, slots=True)
class Range(Bound):
    """Numbers between two bounds, which belong to it unless they are `above` and `below`; never nan or infinity."""

    low: float
    high: float
    above: bool = False
    below: bool = False

    def holds(self, value: float) -> bool:
        """Whether a number lies in it."""
        fits = value > self.low if self.above else value >= self.low
        return math.isfinite(value) and fits and (value < self.high if self.below else value <= self.high)

    def __str__(self) -> str:
        low = f"{'above' if self.above else 'at least'} {self.low:,}" if math.isfinite(self.low) else ""
        high = f"{'below' if self.below else 'at most'} {self.high:,}" if math.isfinite(self.high) else "finite"
        return f"be {' and '.join(filter(None, (low, high)))}"


@dataclass(frozen=True, slots=True)
class OneOf(Bound):
    """Some words."""

    words: tuple[str, ...]

    def holds(self, value: str) -> bool:
        """Whether it is one of them."""
        return value in self.words

    def __str__(self) -> str:
        return f"be {' or '.join(self.words)}"


@dataclass(frozen=True, slots=True)
class Filled(Bound):
    """A list that has something in it, and nothing twice."""

    def holds(self, value: tuple[Any, ...]) -> bool:
        """Whether it is such a list."""
        return len(value) > 0 and len(set(value)) == len(value)

    def __str__(self) -> str:
        return "have at least one value, and none twice"


@dataclass(frozen=True, slots=True)
class FiniteLeaves(Bound):
    """A tree of any keys whose numbers are finite: nothing else can be written as JSON."""

    def holds(self, value: Mapping[str, Any]) -> bool:
        """Whether it is such a tree."""
        return self.fault(value) is None

    def fault(self, value: Mapping[str, Any]) -> str | None:
        """The leaves that it may not have."""
        from sweeper.spec.dotted import dotted  # with it comes Hydra, which no flag of a command line needs

        leaves = [
            (key, one) for key, leaf in dotted(value).items() for one in (leaf if isinstance(leaf, list) else [leaf])
        ]
        wrong = [f"{key}={one}" for key, one in leaves if isinstance(one, float) and not math.isfinite(one)]
        return f"must {self}, and {', '.join(wrong)} is none" if wrong else None

    def __str__(self) -> str:
        return "hold finite numbers"


@dataclass(frozen=True, slots=True)
class Written(Bound):
    """Text that is there, without control characters."""

    def holds(self, value: str) -> bool:
        """Whether it is such text."""
        return bool(value.strip()) and not any(unicodedata.category(sign) in ("Cc", "Cs") for sign in value)

    def __str__(self) -> str:
        return "not be empty (is a variable of the shell unset?), nor have control characters"


@dataclass(frozen=True, slots=True)
class Unbroken(Written):
    """A word: text without blanks that no program takes for a flag."""

    def holds(self, value: str) -> bool:
        """Whether it is a word."""
        return Written.holds(self, value) and not re.search(r"\s", value) and not value.startswith("-")

    def __str__(self) -> str:
        return "be one word: not empty, without blanks, and no '-' first"


@dataclass(frozen=True, slots=True)
class Component(Bound):
    """A name that is one plain part of a path and of a run's id, and that YAML reads as text."""

    def holds(self, value: str) -> bool:
        """Whether it is such a name."""
        plain = re.fullmatch(r"\w[\w.+-]*", value) is not None and len(value.encode()) <= _LONGEST_NAME
        return plain and re.fullmatch(_NO_TEXT, value, re.IGNORECASE) is None

    def __str__(self) -> str:
        return (
            f"be a plain name: letters, digits, '_', '.', '+' and '-', with a letter, digit or '_' first, at most "
            f"{_LONGEST_NAME} bytes, and nothing that YAML reads as a number, a truth or null"
        )


_LONGEST_NAME = 64
# What YAML 1.1 and Hydra read as something else than text.
_NO_TEXT = r"[\d_]+(\.[\d_]*)?(e[+-]?\d+)?|0[xo][\da-f_]+|null|true|false|yes|no|on|off|nan|inf|[\d-]{8,10}"

Count = Annotated[int, Range(1, 1_000_000_000)]
CountOrZero = Annotated[int, Range(0, 1_000_000_000)]
Parameters = Annotated[int, Range(1, 10**15)]  # of a model
Seed = Annotated[int, Range(-(2**31), 2**31 - 1)]  # what verl, torch and vLLM all take
Finite = Annotated[float, Range(-math.inf, math.inf)]
Positive = Annotated[float, Range(0, math.inf, above=True)]
PositiveOrZero = Annotated[float, Range(0, math.inf)]
Share = Annotated[float, Range(0, 1)]
ShareAboveZero = Annotated[float, Range(0, 1, above=True)]
Text = Annotated[str, Written()]
Word = Annotated[str, Unbroken()]
Name = Annotated[str, Component()]


def validated(kind: Any, key: str, value: Any) -> Any:
    """A plain value as its type, which may be a part with types of its own.

    Args:
        kind: A dataclass, or an annotated type.
        key: Its dotted key.
        value: As composed.

    Raises:
        ConfigError: a missing or ill-typed value, or one out of its bounds: key, value and what it may be.
    """
    from pydantic import ValidationError

    try:
        return _adapter(kind).validate_python(value)
    except ValidationError as error:
        raise ConfigError(in_one_line(error, key)) from None


@cache
def _adapter(kind: Any) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(kind)


def in_one_line(error: "ValidationError", key: str = "") -> str:
    """The first fault that was found, with its key, below `key`, and its value."""
    first = error.errors()[0]
    name = ".".join(str(part) for part in (key, *first["loc"]) if part != "")
    if first["type"] == "missing":
        return f"{name} has no value: set it"
    reason = str(first["ctx"]["error"]) if first["type"] == "value_error" else first["msg"]
    is_part = not isinstance(first["input"], str | int | float | bool | None)
    return f"{name}: {reason}" if is_part else f"{name}={first['input']!r}: {reason}"


def argument(kind: Any) -> Callable[[str], Any]:
    """The `type=` of a command line's argument that may be what an annotated type allows."""
    base, *bounds = get_args(kind)

    def read(text: str) -> Any:
        try:
            value = base(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is no {base.__name__}") from None
        for bound in bounds:
            if fault := bound.fault(value):
                raise argparse.ArgumentTypeError(f"{text!r}: {fault}")
        return value

    return read
