"""Child processes that die with their parent and leave a telling reason behind.

A run's job starts verl, the supervised stage and the evaluation as children. Whatever happens to the job, even
`kill -9`, none of them may keep computing.
"""

import ctypes
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rewards.bounded_file import last_bytes
from sweeper.host.call import Call
from sweeper.host.errors import RunFailedError
from sweeper.host.files import appended
from sweeper.host.log_lines import heard
from sweeper.host.machine import Device
from sweeper.host.secret import hidden

PACKAGES = Path(__file__).parents[2]  # the folder that our packages lie in
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_EXCEPTION = re.compile(r"^([\w.]+\.)?\w*(Error|Exception|Interrupt)\b: ?\S")


def die_with_parent() -> None:
    """Ask the kernel (Linux) for SIGTERM when the parent dies; called in the child before exec.

    SIGUSR2, SLURM's warning before the time limit, is for the job alone: it reaches all processes of a step, and kills
    those that do not know it.

    The death signal is tied to the thread that forked, so children are started from the main thread only.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)


def adopt_orphans() -> None:
    """Become the parent of orphaned descendants, so that `kill_descendants` finds Ray's daemons too."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)


def start_child(
    command: Sequence[str], *, log: Path, env: Mapping[str, str], cwd: Path | None = None
) -> subprocess.Popen[bytes]:
    """Start a command that dies with this process; what it prints is appended to `log`, `env` adds to ours."""
    with appended(log) as output:
        return subprocess.Popen(
            command,
            env={**os.environ, **env},
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            preexec_fn=die_with_parent,
        )


def run_child(
    command: Sequence[str],
    *,
    log: Path,
    env: Mapping[str, str],
    cwd: Path | None = None,
    on_tick: Callable[[], None] | None = None,
) -> float:
    """Run a command to its end; returns the wall seconds.

    What it prints is appended to `log`, `env` adds to this process's variables, and `on_tick` is called about twice a
    second meanwhile.

    Raises:
        RunFailedError: the command ended with a non-zero code; the message is the reason, from the log.
    """
    start, offset = time.monotonic(), log.stat().st_size if log.exists() else 0
    code = 0
    process = start_child(command, log=log, env=env, cwd=cwd)
    try:
        while True:
            try:
                code = process.wait(timeout=0.5)
                break
            except subprocess.TimeoutExpired:
                if on_tick:
                    on_tick()
        if on_tick:
            on_tick()
    except BaseException:
        kill_descendants()  # before the child alone: orphans of it would be out of reach
        process.wait()
        raise
    finally:
        kill_descendants()
    if code != 0:
        raise RunFailedError(reason(log, offset, code))
    return time.monotonic() - start


@dataclass(frozen=True, slots=True, kw_only=True)
class Children:
    """How a process starts the children that compute for it.

    Attributes:
        device: What they compute on; never `auto`.
        threads: Of one child on CPU (`machine.threads_for`).
        log: Gets what they print.
        on_tick: Called about twice a second while one runs; None: nobody is.
        call: How other nodes of the job are called to work beside one; None: there are none.
    """

    device: Device
    threads: int
    log: Path
    on_tick: Callable[[], None] | None = None
    call: Call | None = None

    @property
    def env(self) -> dict[str, str]:
        """Variables of every child."""
        return {"OMP_NUM_THREADS": str(self.threads)} if self.device is Device.cpu else {}

    def run(self, command: Sequence[str], env: Mapping[str, str] | None = None, cwd: Path | None = None) -> float:
        """Run a command to its end, as `run_child` does; `env` adds to the variables of every child."""
        return run_child(command, log=self.log, env=self.env | dict(env or {}), cwd=cwd, on_tick=self.on_tick)


def kill_descendants() -> None:
    """Kill every process that descends from this one, repeatedly, until there is none."""
    import psutil

    for _ in range(20):
        children = psutil.Process().children(recursive=True)
        if not children:
            return
        for child in children:
            try:
                child.kill()
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(children, timeout=1)


def reason(log: Path, offset: int, code: int) -> str:
    """Why a process ended, from its log: its first exception, since later ones follow from it; else the last line."""
    ending = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    lines = printed(log, offset)
    first = next((line for line in lines if _EXCEPTION.search(line)), None)
    telling = first or next((line for line in reversed(lines) if line), None)
    return f"{ending}: {hidden(telling)[:500]}" if telling else ending


def printed(log: Path, offset: int) -> list[str]:
    """The lines of a log from a byte on, of its last MiB alone, as `heard` has them.

    Returns:
        No line where there is no log.

    Raises:
        OSError: it is no regular file.
    """
    return heard(last_bytes(log, start=offset).decode(errors="replace")) if log.exists() else []
