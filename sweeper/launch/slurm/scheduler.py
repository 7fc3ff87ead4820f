"""What SLURM says and is told, one command a question."""

import getpass
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sweeper.host import environment
from sweeper.host.errors import SweeperError

DEFAULT_MAX_ARRAY_SIZE = 1001
_SECONDS = 60.0
_JOB = re.compile(r"Submitted batch job (\d+)|^(\d+)(?:;|$)", re.MULTILINE)
# Limits on how many jobs may be queued; anything else that sbatch refuses is a mistake in the request.
_FULL = re.compile(
    r"(QOS|Assoc)?Max\w*Submit\w*|submit limit|Job violates accounting/QOS policy|Slurm temporarily unable to accept|"
    r"Reached (the )?MaxJobCount|Resource temporarily unavailable",
    re.IGNORECASE,
)


# Our keys for what sbatch complains of.
_KEYS = {
    "account": "cluster.account",
    "partition": "cluster.partition",
    "qos": "cluster.qos",
    "time limit": "model.resources.hours",
    "memory": "cluster.memory_gb_per_gpu",
}


class SchedulerError(SweeperError, RuntimeError):
    """SLURM did not answer, or refused; its own words."""


class NoSlurmError(SchedulerError):
    """A command of SLURM is not on this machine."""


class QueueFullError(SchedulerError):
    """A limit on queued jobs is reached: the same will be accepted later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """One array element in the queue."""

    job: int  # of the array
    index: int
    name: str
    state: str  # SLURM's word: PENDING, RUNNING, COMPLETING, ...
    reason: str

    @property
    def is_blocked(self) -> bool:
        """Whether it is held, or waits for other jobs to end."""
        return self.reason in ("JobHeldUser", "Dependency")


def queue() -> list[Element]:
    """This user's queued and running array elements that this program submitted.

    Raises:
        SchedulerError: squeue did not answer.
    """
    text = ask(["squeue", "-h", "-r", "-u", getpass.getuser(), "-o", "%F|%K|%T|%j|%r"])
    found = []
    for line in text.splitlines():
        job, index, state, name, reason = line.split("|", 4)
        if index.isdigit():
            found.append(Element(job=int(job), index=int(index), name=name, state=state, reason=reason))
    return found


def submit(script: Path, *, lock: int | None = None) -> int:
    """Submit a script; returns the array's job id.

    sbatch inherits the descriptor of the submitter's `lock` and so holds it too: it survives a submitter that is
    killed, and no other may look into the queue before it has arrived there.

    Raises:
        QueueFullError: too many jobs are queued.
        SchedulerError: sbatch refused, or did not answer.
    """
    command = ["sbatch", "--parsable", str(script)]
    text = ask(command, keep=() if lock is None else (lock,))
    match = _JOB.search(text)
    if match is None:
        raise SchedulerError(f"sbatch answered {text.strip()!r}, which names no job")
    return int(match.group(1) or match.group(2))


def cancel(elements: Iterable[Element]) -> None:
    """Take elements out of the queue, or stop them."""
    names = [f"{element.job}_{element.index}" for element in elements]
    for start in range(0, len(names), 500):
        ask(["scancel", *names[start : start + 500]])


def release(name: str) -> None:
    """Let go the held jobs of a name.

    Raises:
        SchedulerError: there are none, or SLURM did not answer.
    """
    ask(["scontrol", "release", f"jobname={name}"])


def endings(jobs: Sequence[int]) -> dict[tuple[int, int], str]:
    """How elements of arrays ended, as accounting tells ("TIMEOUT, exit 0:15"), by job and index.

    Raises:
        SchedulerError: sacct did not answer, or the cluster keeps no accounts.
    """
    if not jobs:
        return {}
    names = ",".join(map(str, jobs))
    text = ask(["sacct", "-n", "-P", "-X", "-j", names, "-o", "JobID,State,ExitCode"])
    found: dict[tuple[int, int], str] = {}
    for line in text.splitlines():
        name, state, code = line.split("|")
        job, _, indices = name.partition("_")
        for index in _expand(indices):
            found[int(job), index] = f"{state}, exit {code}"
    return found


def _expand(indices: str) -> Iterator[int]:
    """The elements of "7", or of "[0-3,7%2]": what never began is one line of sacct."""
    for part in re.sub(r"[][]|%\d+", "", indices).split(","):
        first, _, last = part.partition("-")
        if first.isdigit() and (last or first).isdigit():
            yield from range(int(first), int(last or first) + 1)


def max_array_size() -> int:
    """Elements that one array may have: MaxArraySize bounds the index, which begins at 0.

    Raises:
        SchedulerError: scontrol did not answer, or the site has job arrays switched off.
    """
    match = re.search(r"^MaxArraySize\s*=\s*(\d+)", ask(["scontrol", "show", "config"]), re.MULTILINE)
    largest = int(match.group(1)) if match else DEFAULT_MAX_ARRAY_SIZE
    if largest < 1:
        raise SchedulerError(
            "MaxArraySize=0 (scontrol show config): this site has no job arrays, and runs are submitted in them"
        )
    return largest


def require() -> None:
    """Refuse a machine from which nothing can be submitted, before anything is fetched or made for it.

    Raises:
        NoSlurmError: there is no sbatch here.
    """
    if shutil.which("sbatch") is None:
        raise _absent("sbatch")


def _absent(command: str) -> "NoSlurmError":
    return NoSlurmError(f"{command}: not on this machine; submit from a login node of the cluster")


def ask(command: Sequence[str], *, keep: Sequence[int] = ()) -> str:
    """What a command of SLURM's answers, whatever allocation or settings the shell is in; it inherits `keep`.

    Raises:
        QueueFullError: sbatch refused for a limit on queued jobs.
        NoSlurmError: there is no such command here.
        SchedulerError: silent for a minute, or an error, in its own words.
    """
    try:
        env = environment.for_scheduler(os.environ)
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, pass_fds=keep, env=env)
    except FileNotFoundError:
        raise _absent(command[0]) from None
    except subprocess.TimeoutExpired:
        raise SchedulerError(f"{command[0]} did not answer in {_SECONDS:.0f} s") from None
    if done.returncode == 0:
        return done.stdout
    words = re.sub(rf"({command[0]}: )?(error: )?", "", " ".join(done.stderr.split())) or f"exit code {done.returncode}"
    if command[0] != "sbatch":
        raise SchedulerError(f"{command[0]}: {words}")
    if _FULL.search(words):
        raise QueueFullError(f"sbatch: {words}")
    keys = " or ".join(key for word, key in _KEYS.items() if word in words.lower())
    cure = f"; change {keys} (what this cluster has: python -m sweeper doctor cluster=slurm)" if keys else ""
    raise SchedulerError(f"sbatch: {words}{cure}")
