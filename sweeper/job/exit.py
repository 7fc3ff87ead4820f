"""How an attempt ends: the signals that stop it, what it leaves behind, its exit code."""

import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import FrameType
from typing import Any

from sweeper.host.errors import SweeperError
from sweeper.host.process import kill_descendants
from sweeper.host.secret import hidden
from sweeper.job.phases import Measured
from sweeper.job.row import row_of
from sweeper.rows.failure_class import FailureClass
from sweeper.rows.row import Failure, write_row
from sweeper.runs.triage import Diagnosis, Ending, classify, of_exception, tail
from sweeper.spec.cluster import JOB_BEGAN, SIGNAL_EARLY_S
from sweeper.spec.run import RunSpec
from sweeper.training import checkpoint
from sweeper.training.context import JobContext, now
from sweeper.training.tracking import tell

_MARGIN_S = 30.0  # between a job's start, as SLURM counts it, and that of its batch script: a prolog
EXIT_FAILED, EXIT_LOCKED, EXIT_EXPIRED, EXIT_TERMINATED = 1, 75, 85, 143
EXIT_NO_ROOM = 74  # the disk was full, so that no record says so: `sweeper.runs.triage` reads it of SLURM's account


class Terminated(BaseException):
    """SIGTERM arrived: stop children and leave, to be resumed later."""


class Expired(BaseException):
    """SIGUSR2 arrived: the time limit is near, or a more important job wants the node."""


def raising(end: type[Terminated | Expired]) -> Callable[[int, FrameType | None], None]:
    """The handler of a signal that means this end."""

    def handler(signum: int, frame: FrameType | None) -> None:
        del signum, frame
        raise end

    return handler


def without_a_record(error: OSError) -> int:
    """How an attempt ends whose end cannot be written down.

    Returns:
        The process's exit code, if the disk is full; nothing that is still to be printed changes it then.

    Raises:
        OSError: it is something else.
    """
    if of_exception(error) is not FailureClass.disk:
        raise error
    kill_descendants()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):  # Python ends with 120 where it cannot print the rest
        os.dup2(nowhere, stream)
    return EXIT_NO_ROOM


def finish(job: JobContext, measured: Measured, error: BaseException | None) -> int:
    """Write down how an attempt ended, and the run's row if it is done or has failed.

    Args:
        job: The attempt.
        measured: What its phases returned.
        error: What ended them; None: they have all ended.

    Returns:
        The process's exit code.
    """
    if isinstance(error, Terminated | Expired | KeyboardInterrupt):
        kill_descendants()
    ending: dict[str, Any] = {"status": "terminated", "phase": job.phase}
    if isinstance(error, Terminated | KeyboardInterrupt):
        job.attempt.write("exit", {"time": now(), **ending})
        return EXIT_TERMINATED
    if isinstance(error, Expired):
        ending |= {"status": "expired", "steps": checkpoint.trained_steps(job.run_dir.checkpoints)}
        env = job.attempt.read("env")
        ending |= {"cause": cause_of_warning(job.spec, os.environ, began=env["time"] if env else time.time())}
        failure = _stuck(job, ending)
        if failure is None:
            job.attempt.write("exit", {"time": now(), **ending})
            return EXIT_EXPIRED
    else:
        failure = None if error is None else _failure(job, error)
    row = row_of(job, measured, failure)
    write_row(job.results, row)
    ending = {"status": row.status, "phase": job.phase, "time": now()}
    if failure is not None:
        ending |= {"class": failure.failure_class, "evidence": failure.evidence}
    job.attempt.write("exit", ending)
    with suppress(Terminated, Expired):  # all that counts is written
        tell(job, row)
    return EXIT_FAILED if failure else 0


def cause_of_warning(spec: RunSpec, variables: Mapping[str, str], *, began: float) -> FailureClass:
    """Why SLURM warned a job: its time limit is near, or, with more time left than that warning gives, preemption.

    `began` is when the job's own work did, in Unix seconds; its setup may have taken minutes before.
    """
    ends = variables.get("SLURM_JOB_END_TIME")  # of Slurm 23.02 and later
    start = float(variables.get(JOB_BEGAN) or began)
    end = float(ends) if ends and ends.isdecimal() else start + spec.model.resources.hours * 3600
    is_near = end - time.time() < spec.cluster.signal_seconds + SIGNAL_EARLY_S + _MARGIN_S
    return FailureClass.timeout if is_near else FailureClass.preempted


def _stuck(job: JobContext, ending: dict[str, Any]) -> Failure | None:
    """Why a run that is out of time fails.

    None: it came further than the attempt before it, or one of the two was preempted; it goes on later.
    """
    if ending["cause"] is FailureClass.preempted:
        return None
    before = job.run_dir.attempts()[:-1][-1:]
    earlier = before[0].read("exit") if before else None
    if earlier is None or {key: earlier.get(key) for key in ending} != ending:
        return None
    reason = (
        f"two attempts in a row met the time limit in {job.phase} after {ending['steps']} saved steps; raise "
        "model.resources.hours or lower training.save_freq"
    )
    return _told(job, reason, FailureClass.timeout)


def _failure(job: JobContext, error: BaseException) -> Failure:
    reason = str(error) if isinstance(error, SweeperError) else f"{type(error).__name__}: {error}"
    return _told(job, reason, of_exception(error))


def _told(job: JobContext, reason: str, known: FailureClass | None) -> Failure:
    """A failure in the phase that runs, printed; `known` is its class if the log need not be searched for it."""
    reason = hidden(reason)
    if known is None:
        diagnosis = classify(Ending(status="failed", reason=reason, log=tail(job.attempt.log)))
    else:
        diagnosis = Diagnosis(failure_class=known, evidence=reason[:300])
    # In one line: a line of its own in what a step of SLURM prints would be taken for SLURM's.
    print(f"FAILED in {job.phase} ({diagnosis.failure_class}): {' '.join(reason.split())}", flush=True)
    return Failure(
        phase=job.phase,
        reason=reason,
        log=str(job.attempt.log.relative_to(job.results)),
        failure_class=diagnosis.failure_class,
        evidence=diagnosis.evidence,
    )
