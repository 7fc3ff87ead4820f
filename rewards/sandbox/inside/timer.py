"""A limit on the CPU time of each call into a candidate program by itself, within the limit on all of them.

At its end the kernel ends the process with SIGPROF, which the sandbox process tells as a time limit; the program may
not handle or ignore it (`walls.lockdown`). It can block the signal or disarm the timer, as it can do anything in its
own interpreter; then only the limit on the whole series ends it, and a right answer within that is paid.
"""

import contextlib
import signal
from collections.abc import Iterator


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
