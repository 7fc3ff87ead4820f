"""Which process measures which problem: one file from which all of them take, on one node or several."""

import fcntl
import json
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rewards.bounded_file import parsed, read_text
from sweeper.host.files import write_atomic

SUFFIX = ".deal"
_NUMBERS = "{:010d} {:010d}\n"  # of problems dealt and of problems measured; the first line, rewritten in place
_WIDTH = len(_NUMBERS.format(0, 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal:
    """The problems that one start of an evaluation has yet to measure, each of which is dealt once.

    Two numbers in the file change, under a lock on it; the rest is written once. A process that dies takes what it
    was dealt with it: the next start deals it again.

    Attributes:
        path: Of the file; gone when the evaluation is over, or was begun anew.
        settings: First line of every file of measured problems.
        left: Places of the problems in problem order.
        total: How many problems the evaluation has.
        workers: How many processes take.
    """

    path: Path
    settings: str
    left: tuple[int, ...]
    total: int
    workers: int

    @classmethod
    def begin(cls, path: Path, *, settings: str, left: tuple[int, ...], total: int, workers: int) -> "Deal":
        """Make the file."""
        text = json.dumps({"settings": settings, "left": left, "total": total, "workers": workers})
        write_atomic(path, _NUMBERS.format(0, total - len(left)) + text + "\n", is_private=True)
        return cls(path=path, settings=settings, left=left, total=total, workers=workers)

    @classmethod
    def read(cls, path: Path) -> "Deal":
        """What `begin` wrote.

        Raises:
            FileNotFoundError: nothing is dealt there, or not any more.
        """
        told = parsed(read_text(path)[_WIDTH:])
        return cls(path=path, **told | {"left": tuple(told["left"])})

    def take(self, most: int) -> tuple[int, ...]:
        """The next problems for one process, by their places; none: all are dealt.

        At most `most`, and where several take, at most half of a process's share of the rest, so that all end together.
        """
        try:
            with self._numbers() as numbers:
                dealt = numbers[0]
                rest = len(self.left) - dealt
                share = math.ceil(rest / (2 * self.workers)) if self.workers > 1 else rest
                numbers[0] = dealt + min(most, share)
                return self.left[dealt : numbers[0]]
        except FileNotFoundError:
            return ()

    def finish(self, n: int) -> int:
        """Says that `n` more problems are measured; returns how many of all are."""
        try:
            with self._numbers() as numbers:
                numbers[1] += n
                return numbers[1]
        except FileNotFoundError:
            return self.total

    @contextmanager
    def _numbers(self) -> Iterator[list[int]]:
        """Dealt and measured, for this process alone; what the block makes of them is written."""
        with self.path.open("r+b", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            numbers = [int(word) for word in os.pread(file.fileno(), _WIDTH, 0).split()]
            yield numbers
            os.pwrite(file.fileno(), _NUMBERS.format(*numbers).encode(), 0)
