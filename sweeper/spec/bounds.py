"""What a setting may be, stated beside it as its type.

`lr: Positive` is a float to every reader of types. Whoever makes a spec has its bounds checked (`validated`), before
anything is computed of it, and a flag of a command line that has the same type checks the same (`argument`). A spec
that is read back is a record of what was run: bounds that were drawn later do not make it unreadable.
"""

import argparse
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, get_args

from rewards.terminal import is_plain
from sweeper.host.errors import ConfigError

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, ValidationError
    from pydantic_core import CoreSchema
    from pydantic_core.core_schema import ValidationInfo

RECORD = {"record": True}  # pydantic's context of what is read back


@dataclass(frozen=True, slots=True)
class Bound:
    """Metadata of an annotated type: the values that a setting may have.

    Attributes:
        fault: Why the setting may not have a value; None: it may.
        is_told: Whether a refusal repeats the value; not where what is written by mistake is a secret.
    """

    fault: Callable[[Any], str | None]
    is_told: bool = True

    def __get_pydantic_core_schema__(self, source: Any, handler: "GetCoreSchemaHandler") -> "CoreSchema":
        from pydantic_core.core_schema import with_info_after_validator_function

        return with_info_after_validator_function(self._checked, handler(source))

    def _checked(self, value: Any, info: "ValidationInfo") -> Any:
        if info.context is not RECORD and (fault := self.fault(value)):
            raise ValueError(fault) if self.is_told else _UntoldError(fault)
        return value


class _UntoldError(ValueError):
    """Of a value that no message repeats."""


def must(words: str, holds: Callable[[Any], bool]) -> Bound:
    """A bound by what a value must do, in words, and whether one does."""
    return Bound(lambda value: None if holds(value) else f"must {words}")


def between(low: float, high: float, *, above: bool = False, below: bool = False) -> Bound:
    """Numbers between two bounds, which are allowed unless `above` and `below`; never nan or infinity."""

    def holds(value: float) -> bool:
        fits = value > low if above else value >= low
        return math.isfinite(value) and fits and (value < high if below else value <= high)

    least = f"{'above' if above else 'at least'} {low:,}" if math.isfinite(low) else ""
    most = f"{'below' if below else 'at most'} {high:,}" if math.isfinite(high) else "finite"
    return must(f"be {' and '.join(filter(None, (least, most)))}", holds)


def one_of(*words: str) -> Bound:
    """Some words."""
    return must(f"be {' or '.join(words)}", lambda value: value in words)


def _infinite_leaves(tree: Mapping[str, Any]) -> str | None:
    from sweeper.spec.dotted import dotted  # with it comes Hydra, which no flag of a command line needs

    leaves = [(key, one) for key, leaf in dotted(tree).items() for one in (leaf if isinstance(leaf, list) else [leaf])]
    wrong = [f"{key}={one}" for key, one in leaves if isinstance(one, float) and not math.isfinite(one)]
    return f"must hold finite numbers, and {', '.join(wrong)} is none" if wrong else None


def _is_written(value: str) -> bool:
    return bool(value.strip()) and is_plain(value)


def _is_word(value: str) -> bool:  # what starts with "-" a program takes for a flag
    return _is_written(value) and not re.search(r"\s", value) and not value.startswith("-")


def _variable_fault(value: str) -> str | None:
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value):
        return None
    return "must be the name of a variable (letters, digits and '_', no digit first), and not what the variable holds"


def _is_name(value: str) -> bool:
    plain = re.fullmatch(r"\w[\w.+-]*", value) is not None and len(value.encode()) <= _LONGEST_NAME
    return plain and re.fullmatch(_NO_TEXT, value, re.IGNORECASE) is None


_FILLED_IN = "not be empty (is a variable of the shell unset?), nor have control characters"
_LONGEST_NAME = 64
# What YAML 1.1 and Hydra read as something else than text.
_NO_TEXT = r"[\d_]+(\.[\d_]*)?(e[+-]?\d+)?|0[xo][\da-f_]+|null|true|false|yes|no|on|off|nan|inf|[\d-]{8,10}"
_PLAIN = (
    f"be a plain name: letters, digits, '_', '.', '+' and '-', with a letter, digit or '_' first, at most "
    f"{_LONGEST_NAME} bytes, and nothing that YAML reads as a number, a truth or null"
)

FILLED = must("have at least one value, and none twice", lambda value: 0 < len(value) == len(set(value)))
FINITE_LEAVES = Bound(_infinite_leaves)  # of a tree of any keys: nothing else can be written as JSON
Count = Annotated[int, between(1, 1_000_000_000)]
CountOrZero = Annotated[int, between(0, 1_000_000_000)]
Parameters = Annotated[int, between(1, 10**15)]  # of a model
Seed = Annotated[int, between(-(2**31), 2**31 - 1)]  # what verl, torch and vLLM all take
Finite = Annotated[float, between(-math.inf, math.inf)]
Positive = Annotated[float, between(0, math.inf, above=True)]
PositiveOrZero = Annotated[float, between(0, math.inf)]
Share = Annotated[float, between(0, 1)]
ShareAboveZero = Annotated[float, between(0, 1, above=True)]
Text = Annotated[str, must(_FILLED_IN, _is_written)]
TextOrEmpty = Annotated[str, must("not have control characters", is_plain)]
Word = Annotated[str, must("be one word: not empty, without blanks, and no '-' first", _is_word)]
Variable = Annotated[str, Bound(_variable_fault, is_told=False)]  # of the environment, that holds a secret
Name = Annotated[str, must(_PLAIN, _is_name)]  # one plain part of a path and of a run's id


def validated(kind: Any, key: str, value: Any) -> Any:
    """A plain value as its type: an annotated one, or a dataclass with types of its own; `key` is its dotted key.

    Raises:
        ConfigError: a missing or ill-typed value, or one out of its bounds: key, value and what it may be.
    """
    from pydantic import ValidationError

    try:
        return adapter(kind).validate_python(value)
    except ValidationError as error:
        raise ConfigError(in_one_line(error, key)) from None


@cache
def adapter(kind: Any) -> Any:
    """Pydantic's reader and writer of a type, made once."""
    from pydantic import TypeAdapter

    return TypeAdapter(kind)


def in_one_line(error: "ValidationError", key: str = "") -> str:
    """The first fault that was found, with its key, below `key`, and its value."""
    first = error.errors()[0]
    path = [part for part in (key, *first["loc"]) if part != ""]
    name = ".".join(str(part) for part in path if not isinstance(part, int))  # a list's item has no key of its own
    if first["type"] == "missing":
        return f"{name} has no value: set it"
    reason = str(first["ctx"]["error"]) if first["type"] == "value_error" else first["msg"]
    if isinstance(first.get("ctx", {}).get("error"), _UntoldError):
        return f"{name} {reason}"
    is_part = not isinstance(first["input"], str | int | float | bool | None)
    if is_part:
        return reason if name in reason else f"{name}: {reason}"
    is_item = any(isinstance(part, int) for part in first["loc"][-1:])
    return f"{name}{', value ' if is_item else '='}{first['input']!r}: {reason}"


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
