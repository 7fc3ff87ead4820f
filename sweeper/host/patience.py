"""Word of long work on stderr: nothing for ten seconds, then a line every ten."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")
SECONDS = 10.0


def counted(items: Iterable[T], *, total: int, what: str) -> Iterator[T]:
    """The same items, `total` at most; while they take long, says "planning: 20,000 of 100,000 points" (`what`)."""
    told = time.monotonic()
    for number, item in enumerate(items):
        if time.monotonic() - told >= SECONDS:
            told = time.monotonic()
            print(f"{what}: {number:,} of {total:,} points", file=sys.stderr, flush=True)
        yield item
