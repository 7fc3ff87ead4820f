"""What a test needs to be there."""

from typing import Protocol, TypeVar

T = TypeVar("T")


class Ends(Protocol):
    """An interval."""

    @property
    def low(self) -> float | None: ...

    @property
    def high(self) -> float | None: ...


def known(value: T | None) -> T:
    """The value, which must be there."""
    assert value is not None
    return value


def ends(interval: Ends | None) -> tuple[float, float]:
    """Both ends of an interval, which must be there."""
    found = known(interval)
    return known(found.low), known(found.high)
