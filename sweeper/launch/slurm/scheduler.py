"""What SLURM says and is told, one command a question."""

import os
import re
import shutil
import subprocess
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sweeper.host import environment
from sweeper.host.errors import SweeperError
from sweeper.launch.slurm.sbatch_words import Meaning, cure

DEFAULT_MAX_ARRAY_SIZE = 1001
_SECONDS = 60.0
_ELSEWHERE = "submit from a login node of the cluster"
_JOB = re.compile(r"Submitted batch job (\d+)|^(\d+)(?:;|$)", re.MULTILINE)
# A name or a comment may have "|", and lines of its own.
_ELEMENT = re.compile(r"^(\d+)\|([^|\n]*)\|([A-Z_]+)\|([^|\n]*)\|", re.MULTILINE)
_COMMENT = "|comment="
# squeue's reasons that do not pass while jobs come and go: somebody has to change the job, or what it may use.
_FOR_GOOD = re.compile(
    r"Partition(Time|Node)Limit|(Account|QOS|Qos)NotAllowed|Invalid(Account|QOS)|BadConstraints|ReservationDeleted|"
    r"DependencyNeverSatisfied|JobHeldAdmin|requeued.held|(QOS|Assoc)Max\w*PerJob\w*|AssocMaxWall\w*",
    re.IGNORECASE,
)


class SchedulerError(SweeperError, RuntimeError):
    """SLURM did not answer, or refused; its own words."""


class NoSlurmError(SchedulerError):
    """A command of SLURM is not on this machine."""


class NoArraysError(SchedulerError):
    """The site has job arrays switched off."""


class QueueFullError(SchedulerError):
    """A limit on queued jobs is reached: the same will be accepted later."""


class RefusedError(SchedulerError):
    """sbatch refused a job for what it asks: nothing was queued, and the same will never be accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """One array element in the queue, or a job that is no array, as its only one."""

    job: int  # of the array
    index: int  # 0 of a job that is none
    name: str
    state: str  # SLURM's word: PENDING, RUNNING, COMPLETING, ...
    reason: str
    mark: str = ""  # the first word of its comment: what we called it, whatever its name is by now
    in_array: bool = True

    @property
    def id(self) -> str:
        """As SLURM's programs call it."""
        return f"{self.job}_{self.index}" if self.in_array else f"{self.job}"

    @property
    def is_blocked(self) -> bool:
        """Whether it is held, or waits for other jobs to end."""
        return self.reason in ("JobHeldUser", "Dependency")

    @property
    def waits_for_good(self) -> bool:
        """Whether it waits for what does not come by itself."""
        return self.state == "PENDING" and _FOR_GOOD.search(self.reason) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What a cluster says of itself."""

    cluster: str  # its name; empty: it has none
    max_array_size: int

    def elements(self) -> int:
        """Elements that one array may have, at least 1.

        Raises:
            NoArraysError: the site has job arrays switched off.
        """
        if self.max_array_size < 1:
            raise NoArraysError(
                "MaxArraySize=0 (scontrol show config): this site has no job arrays; set cluster.arrays=false, and "
                "each run is a job of its own"
            )
        return self.max_array_size


def queue(users: Iterable[int] = ()) -> list[Element]:
    """Jobs and array elements that are queued, running or completing: this user's and those of `users`, by uid.

    In every partition, hidden ones too, whatever the shell's LOGNAME and `SQUEUE_` variables say.

    Raises:
        SchedulerError: squeue did not answer, or knows no user of this process's uid.
    """
    me = os.getuid()
    done = _queue({me, *users})
    if done.returncode and re.search(r"Invalid user", done.stderr):
        done = _queue({me})  # another who submitted here has no account any more
    if re.search(rf"Invalid user: {me}\b", done.stderr):  # it ends well, and has left the user out
        raise SchedulerError(f"squeue knows no user {me}, whose jobs these are; {_ELSEWHERE}")
    text, found = _answer(["squeue"], done), []
    matches = list(_ELEMENT.finditer(text))
    ends = [*(later.start() for later in matches[1:]), len(text)]
    for match, end in zip(matches, ends, strict=False):
        job, index, state, reason = match.groups()
        name, _, comment = text[match.end() : end].rstrip("\n").partition(_COMMENT)
        mark = comment.split()[0] if comment.strip() else ""
        in_array = index.isdigit()  # of no array it says N/A
        number = int(index) if in_array else 0
        about = {"name": name, "state": state, "reason": reason, "mark": mark}
        found.append(Element(job=int(job), index=number, in_array=in_array, **about))
    return found


def _queue(uids: Collection[int]) -> "subprocess.CompletedProcess[str]":
    users = ",".join(map(str, sorted(uids)))
    return _ran(["squeue", "-h", "-r", "-a", "-u", users, "-o", f"%F|%K|%T|%r|%j{_COMMENT}%k"])


def submit(script: Path, *, lock: int | None = None) -> int:
    """Submit a script; returns the array's job id.

    sbatch inherits the descriptor of the submitter's `lock` and so holds it too: it survives a submitter that is
    killed, and no other may look into the queue before it has arrived there.

    Raises:
        QueueFullError: too many jobs are queued.
        RefusedError: sbatch refused.
        SchedulerError: it did not answer, so that the job may be queued.
    """
    command = ["sbatch", "--parsable", str(script)]
    text = ask(command, keep=() if lock is None else (lock,))
    match = _JOB.search(text)
    if match is None:
        raise SchedulerError(f"sbatch answered {text.strip()!r}, which names no job")
    return int(match.group(1) or match.group(2))


def cancel(elements: Iterable[Element]) -> None:
    """Take elements out of the queue, or stop them: one question, with an argument for each array or job.

    Raises:
        SchedulerError: SLURM did not answer, or refused some, in its words; the others are cancelled.
    """
    indices, alone = dict[int, list[int]](), list[str]()
    for element in elements:
        if element.in_array:
            indices.setdefault(element.job, []).append(element.index)
        else:
            alone.append(element.id)
    if indices or alone:
        ask(["scancel", *(f"{job}_[{_ranges(each)}]" for job, each in indices.items()), *alone])


def _ranges(indices: Iterable[int]) -> str:
    """As "0-3,7"."""
    found: list[list[int]] = []
    for index in sorted(set(indices)):
        if found and index == found[-1][1] + 1:
            found[-1][1] = index
        else:
            found.append([index, index])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in found)


def release(name: str, job: int | None) -> None:
    """Let go a held array: by its `job`, or by its name where that was not recorded.

    Raises:
        SchedulerError: there is none, or SLURM did not answer.
    """
    ask(["scontrol", "release", f"jobname={name}" if job is None else str(job)])


def configuration() -> Configuration:
    """The cluster that is asked from here.

    Raises:
        SchedulerError: scontrol did not answer.
    """
    said = dict(re.findall(r"^(\w+)\s*=[ \t]*(\S+)", ask(["scontrol", "show", "config"]), re.MULTILINE))
    largest = int(said.get("MaxArraySize", DEFAULT_MAX_ARRAY_SIZE))
    fewer = re.search(r"\bmax_array_tasks=(\d+)", said.get("SchedulerParameters", ""), re.IGNORECASE)
    return Configuration(
        cluster=said.get("ClusterName", ""), max_array_size=min(largest, int(fewer[1])) if fewer else largest
    )


def max_array_size() -> int:
    """Elements that one array may have: MaxArraySize bounds the index, which begins at 0, max_array_tasks their number.

    Raises:
        SchedulerError: scontrol did not answer.
        NoArraysError: the site has job arrays switched off.
    """
    return configuration().elements()


def require() -> None:
    """Refuse a machine from which nothing can be submitted, before anything is fetched or made for it.

    Raises:
        NoSlurmError: there is no sbatch here.
    """
    if shutil.which("sbatch") is None:
        raise _absent("sbatch")


def _absent(command: str) -> "NoSlurmError":
    return NoSlurmError(f"{command}: not on this machine; {_ELSEWHERE}")


def ask(command: Sequence[str], *, keep: Sequence[int] = ()) -> str:
    """What a command of SLURM's answers, whatever allocation or settings the shell is in; it inherits `keep`.

    Raises:
        QueueFullError, RefusedError: sbatch refused, for a limit on queued jobs or for good.
        NoSlurmError: there is no such command here.
        SchedulerError: silent for a minute, or an error, in its own words.
    """
    return _answer(command, _ran(command, keep=keep))


def _ran(command: Sequence[str], *, keep: Sequence[int] = ()) -> "subprocess.CompletedProcess[str]":
    try:
        env = environment.for_scheduler(os.environ)
        return subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, pass_fds=keep, env=env)
    except FileNotFoundError:
        raise _absent(command[0]) from None
    except subprocess.TimeoutExpired:
        raise SchedulerError(f"{command[0]} did not answer in {_SECONDS:.0f} s") from None


def _answer(command: Sequence[str], done: "subprocess.CompletedProcess[str]") -> str:
    if done.returncode == 0:
        return done.stdout
    words = re.sub(rf"({command[0]}: )?(error: )?", "", " ".join(done.stderr.split())) or f"exit code {done.returncode}"
    if command[0] != "sbatch":
        raise SchedulerError(f"{command[0]}: {words}")
    kinds = {Meaning.full: QueueFullError, Meaning.refused: RefusedError, Meaning.lost: SchedulerError}
    meaning = Meaning.lost if _JOB.search(done.stdout) else Meaning.of(words)
    raise kinds[meaning](f"sbatch: {words}{cure(words)}")
