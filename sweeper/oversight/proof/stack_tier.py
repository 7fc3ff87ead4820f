"""Tier 2: runs of a tiny model and of one of a real shape, as a user starts them, with the installed stack."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from pathlib import Path

from rewards.bounded_file import MIB, read_text
from sweeper.host.errors import RunFailedError
from sweeper.host.machine import Device
from sweeper.host.process import adopt_orphans, run_child
from sweeper.oversight import probe
from sweeper.oversight.check import Verdict
from sweeper.oversight.doctor import environment
from sweeper.oversight.proof.learning import learn_and_resume, learning_run
from sweeper.oversight.proof.line import Bounds, Line, failed, judged
from sweeper.oversight.proof.real_shape import memory_and_pace, shape_run
from sweeper.oversight.proof.trial import Trial
from sweeper.plan.gpu import GIB

_GIVEN_BACK_SECONDS = 10.0  # for a driver to free what dead processes held
_KEPT = ("ckpt_*.lock", "torchinductor_*")  # verl's locks of checkpoints, PyTorch's cache: neither is ever removed
_SPARE = 0.1  # GiB in use at the end beyond those at the beginning


def prove(trial: Trial, *, seconds: float) -> Iterator[Line]:
    """Make the runs; a stage that fails, or has no time left, is a wrong line, and the next is tried.

    Args:
        trial: Where.
        seconds: All of it may take.

    Raises:
        RunFailedError: the stack could not even be asked for.
    """
    lacks = list(_lacks(trial))
    yield from lacks
    if lacks:
        return
    adopt_orphans()
    before, end = trial.memory_in_use(), time.monotonic() + seconds

    def until(body: Callable[[], None] | None) -> Callable[[], None]:
        return trial.until(end - time.monotonic(), body)

    for name, lines in (
        ("a tiny model learns and resumes", learn_and_resume(learning_run(trial), until)),
        ("memory and pace of a real shape", memory_and_pace(shape_run(trial), until)),
    ):
        try:
            yield from lines
        except RunFailedError as error:
            yield failed(name, str(error))
    yield files_left(trial)
    yield from _processes_left(trial)
    if not trial.is_small:
        yield _memory_left(trial, before)


def _lacks(trial: Trial) -> Iterator[Line]:
    """What the doctor finds wrong here."""
    log = trial.folder / "probe.log"
    command = [sys.executable, *probe.arguments(gpu=trial.device is Device.cuda)]
    run_child(command, log=log, env=trial.variables)
    found = probe.read(read_text(log, MIB))
    if found is None:
        yield failed("the stack", f"its probe said nothing: {log}")
        return
    for check in environment(found, learning_run(trial).spec, where="here", on_node=True):
        if check.verdict is Verdict.wrong:
            yield failed(check.name, f"{check.found}; {check.cure}")


def files_left(trial: Trial) -> Line:
    """What is in the temporary folder, and of verl's sockets beside it."""
    left = [path.name for path in trial.scratch.iterdir() if not any(fnmatch(path.name, kept) for kept in _KEPT)]
    left += [str(path) for path in Path("/tmp").glob("rl-colocate*")]  # wherever TMPDIR is
    return judged("temporary files left", "files", len(left), Bounds(most=0), note=", ".join(left[:5]))


def _processes_left(trial: Trial) -> Iterator[Line]:
    import psutil

    marks, alive = (str(trial.folder), str(trial.scratch)), []
    for process in psutil.process_iter():
        try:
            values = process.environ().values() if process.pid != os.getpid() else ()
            if any(mark in value for value in values for mark in marks):
                alive.append(process.name())
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    yield judged("processes left", "processes", len(alive), Bounds(most=0), note=", ".join(alive[:5]))


def _memory_left(trial: Trial, before: float) -> Line:
    end = time.monotonic() + _GIVEN_BACK_SECONDS
    while (after := trial.memory_in_use()) > before and time.monotonic() < end:
        time.sleep(0.5)
    most, beside = Bounds(most=before / GIB + _SPARE), before / GIB
    return judged("GPU memory in use after the end", "GiB", after / GIB, most, beside=beside, whose="before the runs")
