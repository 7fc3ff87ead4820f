"""Independent pieces of work on all cores, in order, with the results that one after the other would give.

Worker processes are forked: they see what was computed before, and only their results are sent back. A piece that fails
leaves the others alone.
"""

import os
import sys
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

Result = TypeVar("Result")

_work: Sequence[Callable[[], Any]] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """What a piece gives that raised: the error in a line, and where it was raised."""

    why: str


def side_by_side(work: Sequence[Callable[[], Result]]) -> list[Result | Failed]:
    """What each piece gives, on as many processes as this one may use cores; where no fork is safe, on one."""
    # Apple's libraries do not survive a fork, and Windows has none.
    processes = min(len(work), len(os.sched_getaffinity(0))) if sys.platform.startswith("linux") else 1
    if processes < 2:
        return [tried(piece) for piece in work]
    with ProcessPoolExecutor(processes, mp_context=get_context("fork"), initializer=_keep, initargs=(work,)) as pool:
        return list(pool.map(_do, range(len(work))))


def tried(piece: Callable[[], Result]) -> Result | Failed:
    """What a piece gives, or why it failed."""
    try:
        return piece()
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        text = " ".join(str(error).split())
        return Failed(f"{type(error).__name__}: {text} ({Path(place.filename).name}:{place.lineno})")


def _keep(work: Sequence[Callable[[], Any]]) -> None:
    global _work
    _work = work


def _do(number: int) -> Any:
    return tried(_work[number])
