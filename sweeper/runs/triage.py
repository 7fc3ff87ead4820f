"""Why an attempt at a run failed: a class from a closed set, and the line that shows it.

One pure function of what is known of the ending: the job's own exit record, SLURM's words on it, and what was printed.
SLURM's messages are as users reported them; tests/sweeper/test_triage.py names each source. Those of the programs that
train are in `known_lines`.
"""

import itertools
import re
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sweeper.host.log_lines import TRACEBACK
from sweeper.host.secret import hidden
from sweeper.rows.failure_class import FailureClass
from sweeper.runs.known_lines import CAUSES, KINDS, NODE

_EVIDENCE = 300  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """A class, with the line it was read from."""

    failure_class: FailureClass
    evidence: str | None  # None: nothing was said


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What is known of how an attempt ended; absent parts were not recorded, or nobody was asked."""

    status: str | None = None  # the job's exit record: failed | expired | terminated
    cause: str | None = None  # of an expired one: preempted | timeout
    reason: str | None = None  # the job's own words on its failure
    scheduler: str | None = None  # "TIMEOUT, exit 0:15"
    step_log: Sequence[str] = ()  # what SLURM's own programs printed
    log: Sequence[str] = ()  # the end of the attempt's log, without colours and prefixes


# SLURM's words, from accounting or from its programs' output.
_SCHEDULER = (
    (FailureClass.host_oom, re.compile(r"\bOUT_OF_MEMORY\b|oom[_-]kill event|: Out Of Memory\b|exceeded memory limit")),
    (FailureClass.preempted, re.compile(r"\bPREEMPTED\b|DUE TO PREEMPTION")),
    (FailureClass.node, re.compile(r"\b(NODE_FAIL|BOOT_FAIL)\b|DUE TO NODE FAILURE|its Ray worker ended")),
    (FailureClass.timeout, re.compile(r"\b(TIMEOUT|DEADLINE)\b|DUE TO TIME LIMIT")),
)
_CANCELLED = re.compile(r"^CANCELLED\b")
# What is said where a job ends before anything of ours begins: its setup, its Python, its folder.
_NEVER_BEGAN = re.compile(
    r"^cluster\.setup failed|: (command )?not found$|: No such file or directory$|: Permission denied$|"
    r"^srun: fatal: |ModuleNotFoundError: |^(slurmstepd|srun): error: .*(chdir|execve|[Uu]nable to create step)"
)
_NO_OUTPUT = re.compile(r"\bexit 0:53\b")
_NO_ROOM = re.compile(r"\bexit 74:0\b")  # `sweeper.job.exit.EXIT_NO_ROOM`
# Who may say so in what a step printed: SLURM's programs, and ours of a node. A reason may quote anything.
_OF_SLURM = re.compile(r"^(slurm\w*|srun|sbatch|scancel|node \d+): ")

# Code of ours and of verl in which an exception means the reward or the data.
_REWARD_FRAME = re.compile(r'File "[^"]*/(rewards|reward_manager|reward_loop|reward_score)/[^"]*\.py"')
_DATA_FRAME = re.compile(r'File "[^"]*/(data_prep/[^"]*|rl_dataset)\.py"')
_EXCEPTION = re.compile(r"^([\w.]+\.)?\w*(Error|Exception|Invalid)\b(\(\w+\))?: ?\S")
# What these say ended a process is what ended it; of others (a dead actor, a broken pipe) the cause lies further up.
_SETTLED = re.compile(r"^(Value|Type|Key|Index|ZeroDivision|NotImplemented|Unicode\w*)Error\b")
_FRAME = re.compile(r'^File "/')
_RAISED = re.compile(r"^([A-Za-z_]\w*\.)*[A-Z]\w*(\(\w+\))?:(\s|$)")  # by whatever class
# A plain error of Python says these too, and only vLLM means by them what they say.
_PLAIN = re.compile(r"^([\w.]*RayTaskError\()?([\w.]+\.)?ValueError\b")
_OF_RAY = re.compile(r"^ray\.exceptions\.(?!RayTaskError)\w+: ")
_CHAINED = re.compile(r"^(The above exception was the direct cause|During handling of the above exception)")
_VLLM_FRAME = re.compile(r"/vllm/|vllm_rollout|\bEngineCore")


def classify(ending: Ending) -> Diagnosis:
    """The class of a failure and its evidence.

    What names itself goes first: SLURM's words, then the first telling line of the log. Messages that are mostly echoes
    (NCCL, dead actors) count only if nothing else is found. Ray's list of "common causes" of a dead worker names the
    OOM killer and is evidence of nothing.
    """
    # The last words first: the log of a job that was queued again begins with how its earlier attempts ended.
    step_log = [line for line in reversed(ending.step_log) if _OF_SLURM.search(line)]
    for line in [*([ending.scheduler] if ending.scheduler else []), *step_log]:
        for failure_class, pattern in _SCHEDULER:
            if pattern.search(line):
                return Diagnosis(failure_class=failure_class, evidence=_cut(line))
    if ending.status == "expired" and ending.cause == FailureClass.preempted:
        words = "the job was told to make room for another, long before its time limit"
        return Diagnosis(failure_class=FailureClass.preempted, evidence=words)
    if ending.status == "expired":
        words = "the job was warned that its time limit was near, or that it would be preempted"
        return Diagnosis(failure_class=FailureClass.timeout, evidence=words)
    if ending.scheduler and _CANCELLED.search(ending.scheduler):
        return Diagnosis(failure_class=FailureClass.cancelled, evidence=_cut(ending.scheduler))
    if ending.status == "terminated":
        return Diagnosis(failure_class=FailureClass.cancelled, evidence="the job was told to stop (SIGTERM or Ctrl-C)")
    if ending.reason and ending.reason.startswith("killed by SIGKILL"):  # nobody but the kernel does that to a run
        return Diagnosis(failure_class=FailureClass.host_oom, evidence=_cut(ending.reason))
    if ending.status is None and _NO_ROOM.search(ending.scheduler or ""):
        words = f"{ending.scheduler}: the disk of the results folder was full, and so nothing was written"
        return Diagnosis(failure_class=FailureClass.disk, evidence=words)
    if ending.status is None and not ending.log and (before := _never_began(ending)):
        return before
    # verl's exit code precedes the reason; what it says is in the log as well, with its surroundings.
    reason = [re.sub(r"^exit code \d+: ", "", ending.reason)] if ending.reason else []
    otherwise = Diagnosis(failure_class=FailureClass.unknown, evidence=_cut(ending.reason or ending.scheduler))
    return _of_log(ending.log, reason) or otherwise


def _never_began(ending: Ending) -> Diagnosis | None:
    """Of a job that ended before it opened an attempt."""
    said = next((line for line in reversed(ending.step_log) if _NEVER_BEGAN.search(line)), None)
    if said is None and _NO_OUTPUT.search(ending.scheduler or ""):
        said = f"{ending.scheduler}: the node cannot write slurm/logs of the results folder"
    return None if said is None else Diagnosis(failure_class=FailureClass.config, evidence=_cut(said))


def _of_log(log: Sequence[str], reason: Sequence[str]) -> Diagnosis | None:
    """What the last traceback says; where it only repeats that something ended, what the whole log says."""
    silent = _messages(log)
    start = len(log) - len(_last_traceback(log))
    if found := _named(log, silent, first=start):
        return found
    raised = [line for line in log[start:] if _EXCEPTION.search(line)]
    if raised and _SETTLED.search(raised[-1]):
        return None
    # An exception without its traceback; with it, what it says has been asked.
    lines = [*log, *(reason if start == len(log) else [])]
    if found := _named(lines, silent):
        return found
    node = next((line for number, line in enumerate(lines) if number not in silent and NODE.match(line)), None)
    return None if node is None else Diagnosis(failure_class=FailureClass.node, evidence=_cut(node))


def _headings(lines: Sequence[str]) -> list[int]:
    """Where tracebacks begin: a frame in a file follows; in an answer, whose traceback is mostly of `<stdin>`, none."""
    pairs = enumerate(itertools.pairwise([*lines, ""]))
    return [number for number, (line, after) in pairs if line.startswith(TRACEBACK) and _FRAME.search(after)]


def _last_traceback(lines: Sequence[str]) -> Sequence[str]:
    """The last traceback, with those that led to it, to the end of the log; empty: there is none."""
    starts = _headings(lines)
    while len(starts) > 1 and any(_CHAINED.search(line) for line in lines[starts[-2] : starts[-1]]):
        del starts[-1]
    return lines[starts[-1] :] if starts else []


def _messages(lines: Sequence[str]) -> set[int]:
    """The lines of tracebacks that may hold a model's answer.

    They are what an error says below its first line, up to the next traceback. The first line is heard, in which known
    forms stand at the beginning; not of an error that code of a reward raises, nor a plain one of Python, unless vLLM
    does: it may say an answer and nothing else. Ray's own errors are heard to their end, and below Ray's line of a
    worker's error come the worker's frames and the error itself.
    """
    found: set[int] = set()
    starts = _headings(lines)
    for start, end in itertools.pairwise([*starts, len(lines)]):
        raised = [number for number in range(start, end) if _RAISED.search(lines[number])]
        if len(raised) > 1 and "RayTaskError" in lines[raised[0]]:
            del raised[0]
        if not raised or _OF_RAY.search(lines[raised[0]]):
            continue
        first, frames = raised[0], [line for line in lines[start : raised[0]] if line.startswith('File "')]
        is_heard = not any(map(_REWARD_FRAME.search, frames[-4:])) and not (
            _PLAIN.search(lines[first]) and not any(map(_VLLM_FRAME.search, frames))
        )
        found.update(range(first + 1 if is_heard else first, end))
    return found


def _named(lines: Sequence[str], silent: Container[int], *, first: int = 0) -> Diagnosis | None:
    """The first cause that names itself, else what kind of code raised the first telling exception; None: neither.

    Args:
        lines: Of a log.
        silent: Numbers of those that name no cause.
        first: The number of the first that is asked.
    """
    for number, line in enumerate(lines):
        if number < first or number in silent:
            continue
        for failure_class, pattern in CAUSES:
            if pattern.match(line):
                if failure_class is FailureClass.cuda_oom and _raised_in(_VLLM_FRAME, lines, number):
                    failure_class = FailureClass.vllm_oom
                return Diagnosis(failure_class=failure_class, evidence=_cut(line))
    for number, line in enumerate(lines):
        if number < first:
            continue
        kind = next((kind for kind, pattern in KINDS if number not in silent and pattern.match(line)), None)
        if kind is None and _EXCEPTION.search(line):
            frames = ((FailureClass.reward, _REWARD_FRAME), (FailureClass.data, _DATA_FRAME))
            kind = next((one for one, pattern in frames if _raised_in(pattern, lines, number, innermost=4)), None)
        if kind is not None:
            return Diagnosis(failure_class=kind, evidence=_cut(line))
    return None


def _raised_in(pattern: re.Pattern[str], lines: Sequence[str], number: int, *, innermost: int = 12) -> bool:
    """Whether the traceback that ends in a line has a matching frame among its innermost ones."""
    frames = 0
    for line in reversed(lines[max(0, number - 80) : number]):
        if line.startswith("Traceback "):
            return False
        if 'File "' in line and not _EXCEPTION.search(line):  # which may quote anything
            if pattern.search(line):
                return True
            frames += 1
            if frames == innermost:
                return False
    return False


def of_exception(error: BaseException) -> FailureClass | None:
    """The class of an error that was raised in the job itself, where its type decides; None: it does not."""
    import errno

    from data_prep.spec import DataError
    from sweeper.host.errors import ConfigError, OtherWeightsError, StalledError

    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return FailureClass.disk
    kinds = {
        StalledError: FailureClass.stalled,
        OtherWeightsError: FailureClass.other_weights,
        DataError: FailureClass.data,
        ConfigError: FailureClass.config,
    }
    return next((found for kind, found in kinds.items() if isinstance(error, kind)), None)


def tail(log: Path) -> list[str]:
    """The last lines of a log, without colours and Ray's prefixes."""
    from sweeper.host.process import printed

    return printed(log, 0)


def classes(names: Iterable[str]) -> set[FailureClass]:
    """The classes people name, `oom` for the three of memory.

    Raises:
        ValueError: no such class.
    """
    short = {"oom": {FailureClass.host_oom, FailureClass.cuda_oom, FailureClass.vllm_oom}}
    found: set[FailureClass] = set()
    for name in names:
        found |= short[name] if name in short else {FailureClass(name)}
    return found


def _cut(line: str | None) -> str | None:
    return line if line is None else hidden(line).strip()[:_EVIDENCE]
