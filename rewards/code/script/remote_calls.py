"""The two sides of a test script that calls the program under test: recording the calls, then using their results.

Recording gives every call an unknown result and notes its text, so that all calls can be sent to the sandbox at
once. Replaying runs the same script again with the results. Neither the script nor its expected values leave this
process.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from rewards.code.script.builtins import Unsupported
from rewards.code.script.plain_values import NotPlain, has_opaque, source_of
from rewards.sandbox.inside.encoding import Opaque

_BOUND = "_call_{}"
_MAX_CALLS = 20_000
_MAX_TEXT = 32 << 20


@dataclass(frozen=True, slots=True)
class Remote:
    """Something of the program that was not read yet: a name, an attribute; `source` is its expression."""

    source: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that will be known after the run. `call` is the number of the call that gave it, if one did."""

    call: int | None = None

    @property
    def source(self) -> str:
        """The name under which the program's namespace holds the result.

        Raises:
            NotPlain: The value is computed in this process, so the program does not have it.
        """
        if self.call is None:
            raise NotPlain("a value computed from results")
        return _BOUND.format(self.call)


OPAQUE = Opaque()


def is_unknown(value: object, depth: int = 0) -> bool:
    """Whether `value` is, or holds within three levels, something unknown."""
    if isinstance(value, Unknown | Remote):
        return True
    if depth > 3:
        return False
    if isinstance(value, dict):
        return any(is_unknown(item, depth + 1) for item in (*value.keys(), *value.values()))
    return isinstance(value, list | tuple | set) and any(is_unknown(item, depth + 1) for item in value)


@dataclass(slots=True)
class Recording:
    """The calls of one script in order. `key` says which place of the script made each."""

    sources: list[str] = field(default_factory=list)
    keys: dict[tuple[str, int], list[int]] = field(default_factory=dict)
    needed: set[int] = field(default_factory=set)
    size: int = 0

    def add(self, key: tuple[str, int], source: str) -> Unknown:
        """Notes one call.

        Raises:
            Unsupported: More than 20,000 calls or 32 MB of them.
        """
        number = len(self.sources)
        self.size += len(source)
        if number >= _MAX_CALLS or self.size > _MAX_TEXT:
            raise Unsupported("too many calls")
        self.sources.append(source)
        self.keys.setdefault(key, []).append(number)
        return Unknown(number)

    def text_of(self, value: object) -> str:
        """The expression for an argument or an object of a call.

        Raises:
            Unsupported: It has none.
        """
        self._mark(value)
        try:
            return source_of(value)
        except NotPlain as error:
            raise Unsupported(str(error)) from error

    def _mark(self, value: object) -> None:
        if isinstance(value, Unknown) and value.call is not None:
            self.needed.add(value.call)
        elif isinstance(value, list | tuple | set):
            for item in value:
                self._mark(item)
        elif isinstance(value, dict):
            for item in (*value.keys(), *value.values()):
                self._mark(item)

    def calls(self) -> tuple[str, ...]:
        """The expressions to evaluate; results that later ones use are bound to a name."""
        return tuple(
            f"({_BOUND.format(number)} := {source})" if number in self.needed else source
            for number, source in enumerate(self.sources)
        )


class Diverged(Exception):
    """The script makes a call that was not recorded, because which calls it makes depends on results."""


class Results:
    """The values of a recording's calls, handed out in order."""

    def __init__(self, recording: Recording, values: Sequence[object]) -> None:
        """`values` has one entry a call of `recording`."""
        self._keys = recording.keys
        self._values = values
        self._last = -1

    def knows(self, key: tuple[str, int]) -> bool:
        """Whether that place of the script made any call."""
        return key in self._keys

    def take(self, key: tuple[str, int]) -> object:
        """The result of the next call from that place; opaque as a whole if any part of it is.

        Raises:
            Diverged: There is none left.
        """
        numbers = self._keys.get(key, [])
        index = bisect_right(numbers, self._last)
        if index == len(numbers):
            raise Diverged
        self._last = numbers[index]
        value = self._values[self._last]
        return OPAQUE if has_opaque(value) else value
