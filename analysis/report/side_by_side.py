"""Independent pieces of work on all cores, in order, with the results that one after the other would give.

Worker processes are forked: they see what was computed before, and only their results are sent back.
"""

import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, TypeVar

Result = TypeVar("Result")

_work: Sequence[Callable[[], Any]] = ()


def side_by_side(work: Sequence[Callable[[], Result]]) -> list[Result]:
    """What each piece gives, on as many processes as this one may use cores; where no fork is safe, on one.

    Raises:
        Exception: whatever the first failing piece raises.
    """
    # Apple's libraries do not survive a fork, and Windows has none.
    processes = min(len(work), len(os.sched_getaffinity(0))) if sys.platform.startswith("linux") else 1
    if processes < 2:
        return [piece() for piece in work]
    with ProcessPoolExecutor(processes, mp_context=get_context("fork"), initializer=_keep, initargs=(work,)) as pool:
        return list(pool.map(_do, range(len(work))))


def _keep(work: Sequence[Callable[[], Any]]) -> None:
    global _work
    _work = work


def _do(number: int) -> Any:
    return _work[number]()
