"""Limits on the CPU time of each call into a candidate program by itself, within the limit on all of them.

`limited`: at its end the kernel ends the process with SIGPROF, which the sandbox process tells as a time limit; the
program may not handle or ignore it (`walls.lockdown`). It can block the signal or disarm the timer, as it can do
anything in its own interpreter. So the process of the tests, where there is one, looks at the program's clock as well
(`Watch`), and a row of calls has no more CPU time than all of its calls together (`execution`).
"""

import contextlib
import select
import signal
import time
from collections.abc import Iterator

_LOOK_MS = 250


def restart(cpu_s: float) -> None:
    """From now on this process may take that many CPU seconds, whatever it was given before."""
    signal.setitimer(signal.ITIMER_PROF, cpu_s)


@contextlib.contextmanager
def limited(cpu_s: float) -> Iterator[None]:
    """The block may take that many CPU seconds of this process."""
    restart(cpu_s)
    try:
        yield
    finally:
        restart(0)


class Watch:
    """On the CPU time that another process takes for one request: the kernel tells it, and nothing there can hide it.

    Past the limit our own process ends as by its own timer. A quarter of a second more is allowed, so that the timer of
    a program that left it alone goes first.
    """

    def __init__(self, pid: int | None, cpu_s: float) -> None:
        """Args: pid: None, or of a process whose clock cannot be read here: nothing is watched."""
        self._clock = None if pid is None else (~pid << 3) | 2  # as clock_getcpuclockid(3) makes it
        self._cpu_s = cpu_s + _LOOK_MS / 1000
        self._end = self._cpu_s

    def begin(self) -> None:
        """The next request begins."""
        self._end = self._taken() + self._cpu_s

    def until_readable(self, descriptor: int) -> None:
        """Waits for a message, for as long as the other process may compute."""
        poller = select.poll()
        poller.register(descriptor, select.POLLIN)
        while self._clock is not None and not poller.poll(_LOOK_MS):
            if self._taken() > self._end:
                restart(1e-6)
                while True:
                    pass

    def _taken(self) -> float:
        if self._clock is None:
            return 0.0
        try:
            return time.clock_gettime(self._clock)
        except OSError:
            self._clock = None
            return 0.0
