"""Runs candidate programs in an isolated process and reports what they computed.

A pool of warm `inside.zygote` processes forks a locked-down child for each run (about two milliseconds). The child has
no network, starts no process, writes no file, and sees neither the scorer nor its environment nor the user's files; its
CPU, memory, time and output are limited; it has ended when the run has. `walls.isolation` chooses what enforces that
here, by trying.

For `run_program` and `run_calls` expected values never enter the sandbox: the caller compares. `run_tests` takes test
code that cannot be taken apart so; it runs in a process of its own, which alone can report, and the program's process
sees neither the tests nor the report. No run leaves a trace in the memory of which later children get a copy.

What this does not protect against:

- Bugs of the kernel. Children share it; seccomp leaves them some 80 system calls to try, but no more than that.
- Side channels: timing, caches, load. A program can tell how busy the machine is, and may tell another one by it.
- Contention: a program takes a core for its time limit, and memory up to its limit, once for each run under way. Set
  the size of the pool and the limits so that all of them together fit. Wall limits run on while a core is waited for;
  processes that share `sandbox.cores` begin no run before a core is free for it.
- Programs that work out the tests: who computes the expected output by whatever means has passed.
- Test code that trusts the program: one that compares two of its results with each other, or calls a method of the
  program's own to judge, gets the answer that the program likes. Values and exceptions are checked; honesty is not.
- Reading what the level in use leaves readable: the standard library, shared objects, a few installed packages.
- With the setuid level, programs of one scorer run as one user; they cannot signal or trace each other (seccomp).
  Installed packages such as numpy cannot be imported there.
- A remote service (REWARDS_SANDBOX_URL): its isolation is its own affair. There, `run_tests` keeps tests and program in
  two processes of one user; a program that reads files of its own user may find the tests.
- REWARDS_ALLOW_UNISOLATED=1, which is what it says.
"""

import json
import os
import re
import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache

from rewards.sandbox.cores import one_core
from rewards.sandbox.execution import Ended, charge, cpu_spent, execute, memory_file
from rewards.sandbox.execution import Limits as Limits  # part of what a caller needs of this module
from rewards.sandbox.frames import WorkerTimeout
from rewards.sandbox.inside.encoding import decode_value
from rewards.sandbox.remote import RemoteSandbox
from rewards.sandbox.side_by_side import in_order
from rewards.sandbox.walls.isolation import URL_VARIABLE, Level, find_isolation, forget_isolation, start_worker
from rewards.sandbox.worker import Result, Worker, WorkerPool, pool_size

OUTPUT_LIMIT = 16 << 20
_REPORT_LIMIT = 9 << 20


class RunStatus(StrEnum):
    """How a run in the sandbox ended."""

    DONE = "done"
    RAISED = "raised"  # an exception or a non-zero exit status, in the program or its tests
    TIMEOUT = "timeout"  # CPU or wall limit
    DIED = "died"  # ended or was killed without a report: os._exit, memory, a crash, too much output


@dataclass(frozen=True, slots=True, kw_only=True)
class CallResults:
    """`values` holds one entry a call when `status` is DONE, and is empty otherwise."""

    status: RunStatus
    values: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramRun:
    """One run of a program. `stdout` is what it printed, cut at the limit, undecodable bytes replaced.

    It took `cpu_s` seconds of CPU, and slept for `asleep_s` seconds (0 where it slept for less than one).
    """

    status: RunStatus
    stdout: str
    cpu_s: float
    asleep_s: float


_pool = WorkerPool(pool_size(), start_worker)

# Where solutions may want more address space than their limit: importing these takes several hundred megabytes of it.
_BIG_LIBRARIES = re.compile(r"^\s*(?:import|from)\s+(?:numpy|scipy|pandas|sympy|networkx)\b", re.MULTILINE)
_BIG_MEMORY_MB = 2048


def _run(kind: str, contents: Sequence[bytes], limits: Limits, output_limit: int, requests: int = 1) -> Ended | None:
    """None when the sandbox process itself got stuck and had to be killed.

    All `requests` in one process have their limits together, which the kernel keeps by itself; `inside.timer` sees to
    each of them.
    """
    if find_isolation().level is Level.REMOTE:
        return _remote().execute(kind, list(contents), limits, output_limit)
    given: list[int] = []
    try:
        for content in contents:
            given.append(memory_file(content))
        cpu_s = limits.cpu_s * min(requests, limits.series)
        return on_worker(lambda worker: execute(worker, kind, given, limits, output_limit, cpu_s))
    except WorkerTimeout:
        return None
    finally:
        for descriptor in given:
            os.close(descriptor)


def on_worker(action: Callable[[Worker], Result]) -> Result:
    """What `action` makes of a sandbox process of this machine, with a core to itself where cores are shared."""

    def with_core(worker: Worker) -> Result:
        with one_core():
            return action(worker)

    return _pool.use(with_core)


@lru_cache(maxsize=1)
def _remote() -> RemoteSandbox:
    return RemoteSandbox(os.environ[URL_VARIABLE])


def _limits_for(code: str, limits: Limits) -> Limits:
    if limits.memory_mb >= _BIG_MEMORY_MB or not _BIG_LIBRARIES.search(code):
        return limits
    return replace(limits, memory_mb=_BIG_MEMORY_MB)


def _status(ended: Ended | None) -> RunStatus:
    if ended is None or ended.late:
        return RunStatus.TIMEOUT
    if ended.flooded or ended.exit is None:
        return RunStatus.DIED
    return RunStatus.RAISED if ended.exit else RunStatus.DONE


def run_program(
    code: str,
    stdins: Sequence[str],
    *,
    limits: Limits,
    output_limits: Sequence[int] | None = None,
    stop: Callable[[int, ProgramRun], bool] | None = None,
) -> list[ProgramRun]:
    """Runs `code` as a script once for each standard input, each time in a fresh process.

    Once the first run is over, the others go side by side where sandbox processes are free.

    Args:
        code: Candidate program, untrusted.
        stdins: What it finds on descriptor 0.
        limits: For each run.
        output_limits: Bytes of output of each run; what exceeds them ends the run. None: 16 MB.
        stop: Called with each run, in order; True ends the series, whatever later runs would do.

    Returns:
        The runs made, in order.

    Raises:
        SandboxUnavailable: No isolation here, and not allowed without.
        WorkerDied: The sandbox process could not be started.
    """
    program = code.encode("utf-8", "surrogatepass")
    limits = _limits_for(code, limits)

    def run(index: int) -> ProgramRun:
        cap = min(output_limits[index], OUTPUT_LIMIT) if output_limits is not None else OUTPUT_LIMIT
        begun = cpu_spent()
        ended = _run("program", [program, stdins[index].encode("utf-8", "surrogatepass")], limits, cap)
        spent[index] = cpu_spent() - begun
        if ended is None:
            return ProgramRun(status=RunStatus.TIMEOUT, stdout="", cpu_s=limits.cpu_s, asleep_s=limits.wall_s)
        stdout = ended.output.decode("utf-8", "replace")
        return ProgramRun(status=_status(ended), stdout=stdout, cpu_s=ended.cpu_s, asleep_s=ended.asleep_s)

    before, spent = cpu_spent(), [0.0] * len(stdins)
    runs = in_order(len(stdins), run, until=stop or (lambda *_: False), helpers=_pool.free)
    # Whichever threads made them: of all runs that count, and of no other.
    charge(sum(spent[: len(runs)]) - (cpu_spent() - before))
    return runs


def run_calls(code: str, calls: Sequence[str], *, setup: str = "", limits: Limits | None = None) -> CallResults:
    """Runs `code`, then `setup`, evaluates the expressions `calls` in its namespace and brings back their values.

    Args:
        code: Candidate program, untrusted.
        calls: Expressions, trusted, such as `f(3)`.
        setup: Trusted statements run between the two.
        limits: Defaults to `Limits()`.

    Raises:
        SandboxUnavailable: No isolation here, and not allowed without.
        WorkerDied: The sandbox process could not be started.
    """
    limits = _limits_for(code, limits or Limits())
    given = {"code": code, "calls": list(calls), "setup": setup, "cpu_s": limits.cpu_s}
    ended = _run("calls", [json.dumps(given).encode()], limits, _REPORT_LIMIT, 1 + len(calls))
    status = _status(ended)
    if status is not RunStatus.DONE or ended is None:
        return CallResults(status=status)
    try:
        values = json.loads(ended.output)
    except (ValueError, RecursionError):  # forged, or ended early with status 0
        return CallResults(status=RunStatus.DIED)
    if not isinstance(values, list) or len(values) != len(calls):
        return CallResults(status=RunStatus.DIED)
    return CallResults(status=RunStatus.DONE, values=tuple(decode_value(v) for v in values))


def run_tests(
    code: str,
    tests: str,
    *,
    setup: str = "",
    prefix: str = "",
    entries: Collection[str] = (),
    limits: Limits | None = None,
) -> RunStatus:
    """Runs `tests` (trusted statements with assertions) against `code`, in two processes.

    The tests reach the program through stand-ins (`inside.remote_objects`): its functions run in its own process, and
    plain values come back. DONE only on positive evidence: the process of the tests reported a random token of this
    run, on a descriptor that the program does not have, and at least one executed check. Exit codes mean nothing.

    Args:
        code: Candidate program, untrusted; with `prefix` in front if it needs it.
        tests: Trusted. Names that neither they nor `prefix` define, and that are neither built-in nor commonly
            imported ones (`math`, `isclose`, `Counter`), are the program's.
        setup: Trusted statements run after the program, in its process: what it may expect of the tests.
        prefix: Trusted statements (imports, helper classes) whose names the tests may use.
        entries: Names that are the program's even if built-in, known or defined by `prefix`; give it the names that
            are under test.
        limits: CPU time for each call into the program, the wall limit for all together.

    Raises:
        SandboxUnavailable: No isolation here, and not allowed without.
        WorkerDied: The sandbox process could not be started.
    """
    token = secrets.token_hex(16)
    limits = _limits_for(f"{code}\n{tests}", limits or Limits())
    script = {"tests": tests, "prefix": prefix, "entries": sorted(entries), "token": token, "cpu_s": limits.cpu_s}
    program = {"code": code, "setup": setup, "cpu_s": limits.cpu_s}
    contents = [json.dumps(program).encode(), json.dumps(script).encode()]
    ended = _run("tests", contents, limits, _REPORT_LIMIT, limits.series)
    status = _status(ended)
    if status is not RunStatus.DONE or ended is None:
        return status
    try:
        report = json.loads(ended.output)
    except ValueError:
        return RunStatus.DIED
    return RunStatus.DONE if report["token"] == token and report["checks"] > 0 else RunStatus.RAISED


def restart() -> None:
    """Ends all sandbox processes and looks for isolation anew; for when the environment has changed."""
    _pool.close()
    forget_isolation()
    _remote.cache_clear()
