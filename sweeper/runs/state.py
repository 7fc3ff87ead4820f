"""Where a run stands: the states there are, and which of them it is in.

Nobody writes a state down. What is known of a run lies in several places, written by different processes at different
moments, so they may contradict each other. The first line that holds decides:

    1  refused      it cannot run as configured (`sweeper.plan`, which looks no further)
    2  done         its row has the result; such a row is never replaced, so neither a lock nor a job matters any more
    3  running      a process holds the lock on its folder, which the kernel releases however that process dies
    4  queued       SLURM has its job, and the job waits
    5  running      SLURM has its job, and it does not wait: it is about to take the lock, or has just let it go
    6  damaged      its row, or a file of its folder, does not hold what was written into it; nothing is started
    7  unknown      its job is another cluster's, or another user's of whom SLURM does not tell
    8  failed       its row says why, and no attempt was begun since
    9  unknown      it was submitted, and SLURM does not answer
   10  interrupted  it was submitted, and SLURM has its job no more
   11  interrupted  an attempt was begun
   12  new          none of these
"""

from enum import StrEnum
from typing import TYPE_CHECKING

from sweeper.host.errors import DamagedError
from sweeper.rows.row import Status

if TYPE_CHECKING:
    from sweeper.runs.folder import RunDir


class State(StrEnum):
    """Where a run stands; every run is in exactly one."""

    new = "new"  # never started
    queued = "queued"  # SLURM has its job, which waits
    running = "running"  # its job is alive
    interrupted = "interrupted"  # started, no result, no job: resumes from its last checkpoint
    failed = "failed"  # its row says why; run again as its class says (sweeper.plan.retry)
    done = "done"  # its row has the result
    damaged = "damaged"  # a file of it cannot be read: `RunDir.damage` says which, and what to do
    refused = "refused"  # cannot run as configured
    unknown = "unknown"  # SLURM has or had its job, and does not answer, or cannot be asked from here


class Job(StrEnum):
    """What SLURM says of a run."""

    none = "none"  # never submitted, or it has a row since
    waiting = "waiting"
    active = "active"
    gone = "gone"  # submitted once, not in the queue now
    silent = "silent"  # submitted once; SLURM does not answer
    unseen = "unseen"  # submitted to another cluster, or by another user of whose jobs SLURM does not tell


def state_of(run_dir: "RunDir", job: Job = Job.none, *, is_done: bool = False) -> State:
    """The state of a run that is not refused, in the order above; of one known to be done nothing is looked at."""
    if is_done:
        return State.done
    is_there = run_dir.is_there()  # nothing else is looked for in a folder that is not: plans have thousands of those
    is_alive = is_there and run_dir.is_locked()  # asked before the row: a job writes its row, and then lets the lock go
    try:
        row, has_damage = run_dir.row(), False
    except DamagedError:
        row, has_damage = None, True
    if row is not None and row.status is Status.completed:
        return State.done
    if is_alive:
        return State.running
    if job in (Job.waiting, Job.active):
        return State.queued if job is Job.waiting else State.running
    if has_damage or (is_there and run_dir.folder_damage() is not None):
        return State.damaged
    if job is Job.unseen:
        return State.unknown
    if row is not None:
        return State.failed
    if job is Job.silent:
        return State.unknown
    return State.interrupted if job is Job.gone or (is_there and run_dir.attempts()) else State.new
