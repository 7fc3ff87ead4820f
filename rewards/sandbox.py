"""Runs candidate programs in an isolated process and reports what they computed.

A pool of warm `rewards.zygote` processes forks one locked-down child a run (a few milliseconds). Guarantees for
the child: no network, no new processes, no file writes, limited CPU, memory, time and output; see
`rewards.lockdown` for what enforces them. If the kernel cannot, nothing is run: `SandboxUnavailable`.

Not guaranteed: that a program which knows this module cannot confuse tests that run in its own interpreter
(`run_tests`). `run_calls` does not have that weakness, because expected values never enter the sandbox.
"""

import json
import logging
import os
import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from rewards.encoding import decode_value
from rewards.frames import WorkerTimeout
from rewards.worker import Worker, WorkerPool, pool_size

logger = logging.getLogger(__name__)

ALLOW_UNISOLATED_VARIABLE = "REWARDS_ALLOW_UNISOLATED"
_GRACE_S = 5.0


class SandboxUnavailable(RuntimeError):
    """This machine cannot isolate candidate programs, and nobody allowed running them unisolated."""


class RunStatus(StrEnum):
    """How a run in the sandbox ended."""

    DONE = "done"
    RAISED = "raised"  # an exception, SystemExit included, in the program or its tests
    TIMEOUT = "timeout"  # CPU or wall limit
    DIED = "died"  # ended or was killed without a report: os._exit, memory, a crash


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one run may use. CPU seconds are whole (RLIMIT_CPU); wall time also covers waiting for a core."""

    cpu_s: int = 6
    wall_s: float = 12.0
    memory_mb: int = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class CallResults:
    """`values` holds one entry a call when `status` is DONE, and is empty otherwise."""

    status: RunStatus
    values: tuple[object, ...] = ()


_pool = WorkerPool("rewards.zygote", pool_size(), ("-I", "-S"))
_warned = threading.Event()


def _ask(request: dict[str, object], limits: Limits) -> dict[str, object]:
    request |= {
        "cpu_s": limits.cpu_s,
        "wall_s": limits.wall_s,
        "memory_mb": limits.memory_mb,
    }
    payload = json.dumps(request).encode()
    try:
        answer = _pool.ask(payload, limits.wall_s + _GRACE_S, check=_refuse_if_leaky)
    except WorkerTimeout:
        return {"status": RunStatus.TIMEOUT}
    try:
        parsed = json.loads(answer)
    except (ValueError, RecursionError):  # the child forged its report
        return {"status": RunStatus.DIED}
    return parsed if isinstance(parsed, dict) else {"status": RunStatus.DIED}


def _refuse_if_leaky(worker: Worker) -> None:
    leaks = worker.hello["leaks"]
    if not leaks:
        return
    message = (
        f"the code sandbox does not hold on this machine: a canary program succeeded at {leaks} "
        f"(locks missing: {worker.hello['missing']})"
    )
    if os.environ.get(ALLOW_UNISOLATED_VARIABLE) != "1":
        raise SandboxUnavailable(
            f"{message}. Use Linux on x86_64 or aarch64 with seccomp filters allowed (in Docker: no "
            f"--security-opt seccomp profile that denies prctl), leave code out of the domain mix, or, if this "
            f"machine holds nothing of value, set {ALLOW_UNISOLATED_VARIABLE}=1 to run model code without isolation."
        )
    if not _warned.is_set():
        _warned.set()
        logger.warning("%s; running anyway: %s=1", message, ALLOW_UNISOLATED_VARIABLE)


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
    request: dict[str, object] = {"code": code, "calls": list(calls), "setup": setup}
    answer = _ask(request, limits or Limits())
    report = answer.get("report")
    if answer["status"] != RunStatus.DONE or not isinstance(report, dict):
        return CallResults(status=RunStatus(str(answer["status"])))
    values = report.get("values")
    if not isinstance(values, list) or len(values) != len(calls):
        return CallResults(status=RunStatus.RAISED)
    return CallResults(status=RunStatus.DONE, values=tuple(decode_value(v) for v in values))


def run_tests(code: str, tests: str, *, limits: Limits | None = None) -> RunStatus:
    """Runs `code` and then `tests` (trusted statements with assertions) in one interpreter.

    DONE only on positive evidence: a random nonce of this run, handed to the child after its last test passed,
    came back. Exit codes mean nothing.

    Raises:
        SandboxUnavailable: No isolation here, and not allowed without.
        WorkerDied: The sandbox process could not be started.
    """
    nonce = secrets.token_hex(16)
    answer = _ask({"code": code, "tests": tests, "nonce": nonce}, limits or Limits())
    if answer["status"] != RunStatus.DONE:
        return RunStatus(str(answer["status"]))
    report = answer.get("report")
    passed = isinstance(report, dict) and report.get("nonce") == nonce
    return RunStatus.DONE if passed else RunStatus.RAISED


def sandbox_layers() -> tuple[str, ...]:
    """Names of the kernel locks in force here, such as ("seccomp", "namespaces", "landlock").

    Starts the sandbox if need be, so it can be called before a sweep to fail early.

    Raises:
        SandboxUnavailable: As for a run.
    """
    with _pool.borrow() as worker:
        _refuse_if_leaky(worker)
        layers = worker.hello["layers"]
    return tuple(str(layer) for layer in layers) if isinstance(layers, list) else ()
