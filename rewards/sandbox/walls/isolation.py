"""Which isolation holds on this machine: found by running canaries in it, once per process, strongest level first."""

import logging
import os
import threading
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from rewards.program import UserError
from rewards.sandbox.frames import WorkerDied
from rewards.sandbox.walls.probes import leaks
from rewards.sandbox.worker import Worker

logger = logging.getLogger(__name__)

ALLOW_UNISOLATED_VARIABLE = "REWARDS_ALLOW_UNISOLATED"
LEVEL_VARIABLE = "REWARDS_SANDBOX_LEVEL"
URL_VARIABLE = "REWARDS_SANDBOX_URL"


class SandboxUnavailable(UserError, RuntimeError):
    """This machine cannot isolate candidate programs, and nobody allowed running them unisolated."""


class Level(StrEnum):
    """Ways to isolate, strongest first."""

    NAMESPACES = "namespaces"  # of its own, with a file tree of libraries only; and Landlock where there is one
    LANDLOCK = "landlock"
    SETUID = "setuid"  # root becomes another user in a file tree of the standard library only
    REMOTE = "remote"
    NONE = "none"


LOCAL = (Level.NAMESPACES, Level.LANDLOCK, Level.SETUID)
_CURES = {
    Level.NAMESPACES: (
        "allow user namespaces (sysctl user.max_user_namespaces above 0, kernel.unprivileged_userns_clone=1, on "
        "Ubuntu 24.04 kernel.apparmor_restrict_unprivileged_userns=0, in Docker a seccomp profile that permits unshare)"
    ),
    Level.LANDLOCK: "use Linux 5.13 or later with landlock among the kernel's security modules (lsm=landlock,...)",
    Level.SETUID: "run as root with CAP_SETUID, CAP_SETGID and CAP_SYS_CHROOT (Docker's default)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What came of one level. It holds if no canary succeeded (`leaks`) and its own locks are in force."""

    level: Level
    layers: tuple[str, ...]
    missing: dict[str, str]
    leaks: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether candidate programs may run in it."""
        return not self.leaks and self.level in self.layers and "seccomp" in self.layers

    @property
    def failure(self) -> str:
        """Why it does not hold: locks that are missing, canaries that succeeded."""
        reasons = [f"{name}: {why}" for name, why in self.missing.items()]
        if self.leaks:
            reasons.append(f"a canary program could {', '.join(self.leaks)}")
        return "; ".join(reasons) or "its locks are not in force"

    @property
    def cure(self) -> str:
        """What would make it hold."""
        if "seccomp" in self.missing:
            return "use Linux on x86_64 or aarch64 where prctl may set a seccomp filter"
        return _CURES[self.level]


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolation:
    """The level in use, and what was tried on the way to it. `isolated` is False only where that is allowed."""

    level: Level
    isolated: bool
    attempts: tuple[Attempt, ...]


def attempt(level: Level) -> Attempt:
    """Starts a sandbox process at `level` and runs the canaries in it."""
    try:
        worker = Worker("rewards.sandbox.inside.zygote", ("-I", "-S"), (str(level),))
    except WorkerDied as error:
        return Attempt(level=level, layers=(), missing={"start": str(error)}, leaks=())
    try:
        return _examine(worker, level)
    finally:
        worker.kill()


def _examine(worker: Worker, level: Level) -> Attempt:
    missing: dict[str, str] = worker.hello["missing"]
    try:
        found = tuple(leaks(worker))
    except OSError as error:  # no folder for temporary files, or no descriptors left
        missing = missing | {"canary": f"could not be prepared: {error}"}
        found = ("not be tried",)
    return Attempt(level=level, layers=tuple(worker.hello["layers"]), missing=missing, leaks=found)


_lock = threading.Lock()


def find_isolation() -> Isolation:
    """The strongest level that holds here, found once per process.

    The variable REWARDS_SANDBOX_LEVEL names one level that is to be taken, or refused.

    Raises:
        SandboxUnavailable: None holds, and running without isolation is not allowed.
    """
    with _lock:
        found = _find()
    if isinstance(found, str):
        raise SandboxUnavailable(found)
    return found


def forget_isolation() -> None:
    """Lets the next call of `find_isolation` look again."""
    with _lock:
        _find.cache_clear()


@lru_cache(maxsize=1)
def _find() -> Isolation | str:
    """What holds, or why nothing does."""
    wanted = os.environ.get(LEVEL_VARIABLE)
    if wanted and wanted not in (*LOCAL, Level.REMOTE):
        return f"{LEVEL_VARIABLE}={wanted} is not a level of isolation: use one of {', '.join((*LOCAL, Level.REMOTE))}"
    attempts: list[Attempt] = []
    for level in LOCAL:
        if wanted and wanted != level:
            continue
        attempts.append(attempt(level))
        if attempts[-1].holds:
            return Isolation(level=level, isolated=True, attempts=tuple(attempts))
    url = os.environ.get(URL_VARIABLE)
    if url and (not wanted or wanted == Level.REMOTE):
        from rewards.sandbox.remote import RemoteSandbox

        RemoteSandbox(url).check()
        return Isolation(level=Level.REMOTE, isolated=True, attempts=tuple(attempts))
    failures = " ".join(f"{a.level}: {a.failure}; cure: {a.cure}." for a in attempts)
    message = f"no isolation for model code holds on this machine. {failures}"
    if os.environ.get(ALLOW_UNISOLATED_VARIABLE) != "1" or not attempts:
        return (
            f"{message} Or name a SandboxFusion-compatible service in {URL_VARIABLE}, leave code out of the domain "
            f"mix, or, if this machine holds nothing of value, set {ALLOW_UNISOLATED_VARIABLE}=1 to run model code "
            f"without isolation."
        )
    logger.warning("%s Running anyway: %s=1", message, ALLOW_UNISOLATED_VARIABLE)
    best = min(attempts, key=lambda a: len(a.leaks) if a.layers else 1000)
    return Isolation(level=best.level, isolated=False, attempts=tuple(attempts))


def start_worker(further: str = "") -> Worker:
    """A sandbox process at the level that holds here; the canaries run in each one.

    Args:
        further: A module with kinds of runs of its own, which may import installed packages
            (`rewards.sandbox.inside.zygote`); "" for none.

    Raises:
        SandboxUnavailable: None holds, or this one does not.
        WorkerDied: It did not start.
    """
    isolation = find_isolation()
    flags = ("-I",) if further else ("-I", "-S")
    worker = Worker("rewards.sandbox.inside.zygote", flags, (str(isolation.level), further))
    try:
        found = _examine(worker, isolation.level)
        if isolation.isolated and not found.holds:
            raise SandboxUnavailable(f"the isolation that held before does not: {found.failure}; cure: {found.cure}")
    except BaseException:
        worker.kill()
        raise
    return worker
