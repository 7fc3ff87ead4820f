"""Why an attempt at a run failed: a class from a closed set, and the line that shows it.

One pure function of what is known of the ending: the job's own exit record, SLURM's words on it, and what was printed.
The patterns are messages of torch, NCCL, vLLM, Ray, verl and SLURM as users reported them; tests/sweeper/test_triage.py
names each source.
"""

import itertools
import re
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sweeper.host.log_lines import TRACEBACK
from sweeper.host.secret import hidden
from sweeper.rows.failure_class import FailureClass

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
# Who may say so in what a step printed: SLURM's programs, and ours of a node. A reason may quote anything.
_OF_SLURM = re.compile(r"^(slurm\w*|srun|sbatch|scancel|node \d+): ")

# Causes that name themselves. The first line that matches any of them counts: what follows in a log follows from it.
_CAUSES = (
    (FailureClass.disk, re.compile(r"No space left on device|Disk quota exceeded|PytorchStreamWriter failed writing")),
    (
        FailureClass.vllm_oom,
        re.compile(
            r"No available memory for the cache blocks|cumem_allocator|"
            r"Free memory on device .*less than desired GPU memory utilization|"
            r"(is larger than|exceeds) the (available KV cache memory|maximum number of tokens that can be stored)",
            re.IGNORECASE,
        ),
    ),
    (
        FailureClass.cuda_oom,
        re.compile(
            r"CUDA out of memory|CUDA error: out of memory|torch\.(cuda\.)?OutOfMemoryError|CUBLAS_STATUS_ALLOC_FAILED"
        ),
    ),
    (
        FailureClass.host_oom,
        re.compile(
            r"due to the node running low on memory|killed due to memory pressure|DefaultCPUAllocator: can't allocate|"
            r"\bCannot allocate memory\b|^MemoryError\b"
        ),
    ),
)
# Code of ours and of verl in which an exception means the reward or the data.
_REWARD_FRAME = re.compile(r'File "[^"]*/(rewards|reward_manager|reward_loop|reward_score)/[^"]*\.py"')
_DATA_FRAME = re.compile(r'File "[^"]*/(data_prep/[^"]*|rl_dataset)\.py"')
_EXCEPTION = re.compile(r"^([\w.]+\.)?\w*(Error|Exception|Invalid)\b(\(\w+\))?: ?\S")
_TEXTS = (
    (
        FailureClass.reward,
        re.compile(r"Reward function is not implemented|JudgeUnavailable|SandboxUnavailable|OwnRewardError"),
    ),
    (
        FailureClass.data,
        re.compile(r"^(data_prep\.\w+\.)?(DataError|BadRow)\b|ArrowInvalid|Parquet magic bytes not found"),
    ),
    (
        FailureClass.config,
        re.compile(
            r"^(omegaconf|hydra)\.\w|^(\w+\.)*ConfigError\b|^Could not override|is not in struct|MissingMandatoryValue|"
            r"(must be|not) divisible by|^(ModuleNotFound|Import)Error: |RepositoryNotFoundError"
        ),
    ),
)
# Mostly the echo of another rank's death, so asked last.
_NODE = re.compile(
    r"\bnccl(Remote|System|Internal)Error\b|NCCL error|Watchdog caught collective operation timeout|DistBackendError|"
    r"uncorrectable (ECC|NVLink) error|fallen off the bus|GPU is lost|no CUDA-capable device|"
    r"(its|Owner's) node has (died|crashed)|has been marked dead|NodeDiedError|gloo/transport/|joined Ray in|"
    r"CUDA driver initialization failed|unspecified launch failure|The current node timed out during startup|"
    r"head node's raylet may not have started|Failed to (start|connect to) GCS"
)
# What these say ended a process is what ended it; of others (a dead actor, a broken pipe) the cause lies further up.
_SETTLED = re.compile(r"^(Value|Type|Key|Index|ZeroDivision|NotImplemented|Unicode\w*)Error\b")
# Whose words are somebody's own: only vLLM raises a full memory as one of them.
_PLAIN = re.compile(
    r"^([\w.]*RayTaskError\()?([\w.]+\.)?(Value|Type|Key|Index|Lookup|ZeroDivision|NotImplemented|Unicode\w*|Attribute|Name|"
    r"Assertion|JSONDecode|Syntax)Error\b"
)
_CHAINED = re.compile(r"^(The above exception was the direct cause|During handling of the above exception)")
# What Python's and our messages quote is what they were given: a model's answer, a path.
_OPENING = re.compile(r"""(?<!\w)['"]""")
_CLOSING = {sign: re.compile(rf"(?<!\\){sign}(?!\w)") for sign in "'\""}
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
    if ending.status == "expired":
        words = "the job was warned that its time limit was near, or that it would be preempted"
        return Diagnosis(failure_class=FailureClass.timeout, evidence=words)
    if ending.scheduler and _CANCELLED.search(ending.scheduler):
        return Diagnosis(failure_class=FailureClass.cancelled, evidence=_cut(ending.scheduler))
    if ending.status == "terminated":
        return Diagnosis(failure_class=FailureClass.cancelled, evidence="the job was told to stop (SIGTERM or Ctrl-C)")
    if ending.reason and ending.reason.startswith("killed by SIGKILL"):  # nobody but the kernel does that to a run
        return Diagnosis(failure_class=FailureClass.host_oom, evidence=_cut(ending.reason))
    # verl's exit code precedes the reason; what it says is in the log as well, with its surroundings.
    reason = [re.sub(r"^exit code \d+: ", "", ending.reason)] if ending.reason else []
    otherwise = Diagnosis(failure_class=FailureClass.unknown, evidence=_cut(ending.reason or ending.scheduler))
    return _of_log(ending.log, reason) or otherwise


def _of_log(log: Sequence[str], reason: Sequence[str]) -> Diagnosis | None:
    """What the last traceback says; where it only repeats that something ended, what the whole log says."""
    end = _last_traceback(log)
    raised = [line for line in end if _EXCEPTION.search(line)]
    own = _own_words(end)
    if found := _named(end, own):
        return found
    if raised and _SETTLED.search(raised[-1]):
        return None
    kept = [line for number, line in enumerate(end) if number not in own]
    lines = [*log[: len(log) - len(end)], *kept, *([] if own else reason)]
    if found := _named(lines):
        return found
    node = next((line for line in lines if _NODE.search(_unquoted(line))), None)
    return None if node is None else Diagnosis(failure_class=FailureClass.node, evidence=_cut(node))


def _last_traceback(lines: Sequence[str]) -> Sequence[str]:
    """The last traceback, with those that led to it, to the end of the log; empty: there is none."""
    starts = [number for number, line in enumerate(lines) if line.startswith(TRACEBACK)]
    while len(starts) > 1 and any(_CHAINED.search(line) for line in lines[starts[-2] : starts[-1]]):
        del starts[-1]
    return lines[starts[-1] :] if starts else []


def _own_words(lines: Sequence[str]) -> set[int]:
    """The lines of tracebacks that a plain error of Python says, to the next: they may hold a model's answer."""
    found: set[int] = set()
    starts = [number for number, line in enumerate(lines) if line.startswith(TRACEBACK)]
    for start, end in itertools.pairwise([*starts, len(lines)]):
        first = next((number for number in range(start, end) if _EXCEPTION.search(lines[number])), end)
        framed = end if first < end and "RayTaskError" in lines[first] else first  # the worker's frames follow
        frames = [line for line in lines[start:framed] if line.startswith('File "')]
        if first < end and _PLAIN.search(lines[first]) and not any(map(_VLLM_FRAME.search, frames)):
            found.update(range(first, end))
    return found


def _named(lines: Sequence[str], own: Container[int] = ()) -> Diagnosis | None:
    """The first cause that names itself, else what kind of code raised the first telling exception; None: neither.

    Args:
        lines: Of a log.
        own: Numbers of those that name no cause.
    """
    plain = [_unquoted(line) for line in lines]
    for number, line in enumerate(lines):
        if number in own:
            continue
        for failure_class, pattern in _CAUSES:
            if pattern.search(plain[number]):
                if failure_class is FailureClass.cuda_oom and _raised_in(_VLLM_FRAME, lines, number):
                    failure_class = FailureClass.vllm_oom
                return Diagnosis(failure_class=failure_class, evidence=_cut(line))
    for number, line in enumerate(lines):
        if not _EXCEPTION.search(line) and not any(pattern.search(plain[number]) for _, pattern in _TEXTS):
            continue
        for failure_class, pattern in _TEXTS:
            if pattern.search(plain[number]):
                return Diagnosis(failure_class=failure_class, evidence=_cut(line))
        for failure_class, pattern in ((FailureClass.reward, _REWARD_FRAME), (FailureClass.data, _DATA_FRAME)):
            if _raised_in(pattern, lines, number, innermost=4):
                return Diagnosis(failure_class=failure_class, evidence=_cut(line))
    return None


def _unquoted(line: str) -> str:
    """A line without what it quotes, to its end where a quotation was cut."""
    kept, at = [], 0
    while opening := _OPENING.search(line, at):
        kept.append(line[at : opening.start()])
        closing = _CLOSING[opening[0]].search(line, opening.end())
        if closing is None:
            return "".join(kept)
        at = closing.end()
    return "".join([*kept, line[at:]])


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
