"""How long a run has slept: wall time in which it neither computed nor waited for a core.

A limit on it ends a program that sleeps or waits for ever, whatever its neighbours do: what computes is limited by CPU
time, and what waits for a core is nobody's fault. Linux tells both by thread, in nanoseconds, in
/proc/PID/task/TID/schedstat. Where the kernel does not tell, seconds count for less by the machine's load per core.
"""

import contextlib
import logging
import os
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

logger = logging.getLogger(__name__)

_LOOK_S = 1.0  # a run is not looked at sooner, nor more often
UNTOLD = (
    "the kernel does not tell how long a process slept (/proc/PID/task/TID/schedstat, children): wall time counts "
    "in its place, less by the load per core, so on a busy machine a slow program may count as late"
)


class Sleep:
    """The sleep of what a sandbox process has under way, from now on."""

    def __init__(self, pid: int, limit_s: float) -> None:
        """Args: pid: Of the sandbox process. limit_s: Seconds of sleep at which a run is late."""
        self._pid = pid
        self._limit_s = limit_s
        self._begun = self._looked = time.monotonic()
        self.seconds = 0.0

    def left(self) -> float:
        """Seconds until it should be asked again; 0 or less once the run has slept for longer than its limit."""
        now = time.monotonic()
        first = min(_LOOK_S, self._limit_s)
        if now - self._looked >= first:
            known = _awake_s(self._pid)
            if known is None:
                _say_untold()
                self.seconds += (now - self._looked) / max(1.0, _load_per_core())
            else:
                self.seconds = max(self.seconds, now - self._begun - known)
            self._looked = now
        if self.seconds >= self._limit_s:
            return 0.0
        return max(0.001, min(self._looked + first - now, self._limit_s - self.seconds))


def is_told() -> bool:
    """Whether this machine's kernel tells how long a process has slept."""
    return _awake_s(os.getpid()) is not None and _is_timed(os.getpid())


def _is_timed(pid: int) -> bool:
    try:
        return len(Path(f"/proc/{pid}/task/{pid}/schedstat").read_bytes().split()) == 3
    except OSError:
        return False


@cache
def _say_untold() -> None:
    logger.warning("%s", UNTOLD)


def _awake_s(pid: int) -> float | None:
    """Seconds that the running descendants of a process have computed or waited for a core; None: the kernel is silent.

    Of one process the busiest thread counts, and of several (a program and its tests, which take turns) the sum.
    """
    try:
        return sum(_awake_of(one) for one in list(_descendants(pid)))
    except OSError:
        return None


def _awake_of(pid: int) -> float:
    busiest = 0
    if not _is_timed(pid) and Path(f"/proc/{pid}/task/{pid}").exists():
        raise FileNotFoundError("schedstat")
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
        for thread in Path(f"/proc/{pid}/task").iterdir():
            computed, waited, _ = map(int, (thread / "schedstat").read_bytes().split())
            busiest = max(busiest, computed + waited)
    return busiest / 1e9


def _descendants(pid: int) -> Iterator[int]:
    """The processes below `pid` that have no child themselves: candidates, and never what forks them."""
    children = [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_bytes().split()]
    for child in children:
        inner = None
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            for inner in _descendants(child):
                yield inner
            if inner is None:
                yield child


def _load_per_core() -> float:
    return os.getloadavg()[0] / len(os.sched_getaffinity(0))
