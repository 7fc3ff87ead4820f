"""The parent of one lane: adopts all that its tests leave behind, ends it, and counts what all of it computed.

python -m tests.lanes.keeper REPORT COMMAND ...
"""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil

from sweeper.host.process import adopt_orphans, die_with_parent, kill_descendants

# For tests to take down what they have put up: at most a SLURM with its jobs.
GRACE_SECONDS = 60


def keep(report: Path, command: list[str]) -> int:
    """Run a command to its end; told to end by SIGTERM, interrupt it first as a keyboard would.

    Returns:
        Its exit code, negative where a signal ended it.
    """
    die_with_parent()
    signal.signal(signal.SIGUSR2, signal.SIG_DFL)  # tests send it
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    adopt_orphans()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    signal.signal(signal.SIGALRM, lambda *_: kill_descendants())
    told: list[int] = []

    def end(*_: object) -> None:
        told.append(0)
        if len(told) == 1:
            signal.alarm(GRACE_SECONDS)
            process.send_signal(signal.SIGINT)
        else:
            kill_descendants()

    signal.signal(signal.SIGTERM, end)
    code = _wait(process.pid)
    signal.alarm(0)
    left = [] if told else remaining()
    kill_descendants()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    report.write_text(json.dumps({"code": code, "cpu_seconds": used.ru_utime + used.ru_stime, "left": left}))
    return code


def _wait(pid: int) -> int:
    """Wait for one child and meanwhile for all adopted ones."""
    while True:
        try:
            ended, status = os.wait()
        except ChildProcessError:  # killed by a handler above, which waited for it
            return -signal.SIGKILL
        if ended == pid:
            return os.waitstatus_to_exitcode(status)


def remaining(seconds: float = 2.0) -> list[str]:
    """Command lines of the children that have not ended after a while."""
    deadline = time.monotonic() + seconds
    with suppress(ChildProcessError):
        while time.monotonic() < deadline:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.05)
    found = []
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            found.append(" ".join(child.cmdline()))
    return found


if __name__ == "__main__":
    sys.exit(keep(Path(sys.argv[1]), sys.argv[2:]) != 0)
