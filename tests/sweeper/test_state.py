"""The order of precedence of what is known of a run, as one table over real folders, rows, locks and queues."""

import os
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest

from data_prep.files.lock import locked
from sweeper.launch.slurm.queue import Queue
from sweeper.launch.slurm.scheduler import Element
from sweeper.oversight.status import run_statuses
from sweeper.rows.row import Failure, write_row
from sweeper.runs.folder import RunDir
from sweeper.runs.state import Job, State, state_of
from sweeper.spec.run_id import RunId
from tests.sweeper.points import spec
from tests.sweeper.rows import row

FAILURE = Failure(phase="train", reason="x", log="y")


def new(run_dir: RunDir) -> None:
    run_dir.freeze(spec())


def begun(run_dir: RunDir) -> None:
    new(run_dir)
    run_dir.new_attempt()


def failed(run_dir: RunDir) -> None:
    begun(run_dir)
    write_row(run_dir.results_dir, row(spec(), failure=FAILURE))


def begun_again(run_dir: RunDir) -> None:
    failed(run_dir)
    run_dir.new_attempt()


def done(run_dir: RunDir) -> None:
    begun(run_dir)
    write_row(run_dir.results_dir, row(spec()))


def queue(job: Job, run_id: RunId) -> Queue:
    """What SLURM's answer is kept as when it says this of the run."""
    word = {Job.waiting: "PENDING", Job.active: "COMPLETING"}.get(job)
    elements = {run_id: Element(job=7, index=0, name="sweep-1", state=word, reason="None")} if word else {}
    return Queue(
        elements=elements,
        endings={run_id: "TIMEOUT, exit 0:15"} if job in (Job.gone, Job.silent) else {},
        error="squeue: no answer" if job is Job.silent else None,
        unseen={run_id: "it is on cluster b"} if job is Job.unseen else {},
    )


JOBS = (Job.none, Job.waiting, Job.active, Job.gone, Job.silent, Job.unseen)
FREE = {  # nobody holds the lock; one column per job
    new: "new queued running interrupted unknown unknown",
    begun: "interrupted queued running interrupted unknown unknown",
    failed: "failed queued running failed failed unknown",
    begun_again: "interrupted queued running interrupted unknown unknown",
    done: "done done done done done done",
}
HELD = {folder: " ".join(["done" if folder is done else "running"] * len(JOBS)) for folder in FREE}


@pytest.mark.parametrize("is_held", [False, True], ids=["free", "held"])
@pytest.mark.parametrize("folder", FREE, ids=lambda folder: folder.__name__)
def test_the_first_of_row_lock_queue_and_attempts_that_says_something_decides(
    tmp_path: Path, folder: Callable[[RunDir], None], is_held: bool
) -> None:
    run_dir = RunDir(results_dir=tmp_path, run_id=spec().run_id)
    folder(run_dir)
    with locked(run_dir.path / "lock", wait=False) if is_held else nullcontext():
        queues = [queue(job, run_dir.run_id) for job in JOBS]
        assert [item.job(run_dir.run_id) for item in queues] == list(JOBS)
        states = [item.state(run_dir) for item in queues]
        told = [run_statuses(tmp_path, None, item)[0]["state"] for item in queues]
        alone = state_of(run_dir)
    assert " ".join(states) == (HELD if is_held else FREE)[folder]
    assert told == states  # `status` takes a short way for runs that are done
    assert alone == states[0]


def test_nothing_is_looked_at_of_a_run_that_is_known_to_be_done(tmp_path: Path) -> None:
    assert state_of(RunDir(results_dir=tmp_path, run_id=RunId("nowhere")), Job.waiting, is_done=True) is State.done


@pytest.mark.parametrize(
    ("age", "is_ended", "state"), [(60, False, "running"), (7200, False, "interrupted"), (60, True, "interrupted")]
)
def test_a_run_whose_lock_is_another_users_alone_runs_if_it_shows_signs_of_life(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, age: float, is_ended: bool, state: str
) -> None:
    run_dir = RunDir(results_dir=tmp_path, run_id=spec().run_id)
    run_dir.freeze(spec())
    attempt = run_dir.new_attempt()
    attempt.log.write_text("step 1")
    if is_ended:
        attempt.write("exit", {"status": "failed", "phase": "train"})
    for path in (attempt.path, *attempt.path.iterdir()):
        os.utime(path, (time.time() - age,) * 2)

    def closed(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("sweeper.runs.folder.is_locked", closed)
    assert state_of(run_dir) is State(state)
