"""What a submission does with what sbatch refuses; SLURM's programs are scripts, and sbatch judges by the script."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest

from data_prep.files.lock import locked
from sweeper.cli.main import main
from sweeper.launch.slurm import canary, scheduler
from sweeper.launch.slurm.array import Chunk, chunks
from sweeper.launch.slurm.follow import follow, submit_text
from sweeper.launch.slurm.queue import Queue
from sweeper.launch.slurm.scheduler import Element, QueueFullError, RefusedError, SchedulerError
from sweeper.launch.slurm.submit import submit
from sweeper.runs.folder import RunDir
from sweeper.spec.run import RunSpec
from tests.sweeper.points import spec

POINTS = ("cluster=slurm_cpu", "model=tiny-40k")
TOO_MUCH = "sbatch: error: Memory specification can not be satisfied"
SBATCH = f"""#!/bin/sh
echo x >>"$0.calls"
for last; do :; done
if grep -q 'mem=640GB' "$last"; then echo '{TOO_MUCH}' >&2; exit 1; fi
wc -l <"$0.calls"
"""
QOS = "sbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit limit, user's size)"


@pytest.fixture
def says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Put a script in the place of one of SLURM's programs."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def put(name: str, text: str) -> None:
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)

    for name in ("squeue", "sacct", "scancel"):
        put(name, "#!/bin/sh\n")
    put("scontrol", "#!/bin/sh\necho MaxArraySize = 1001\n")
    put("sbatch", SBATCH)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return put


def runs(*seeds: int, memory: int = 8) -> list[RunSpec]:
    return [spec(*POINTS, f"cluster.memory_gb_per_gpu={memory}", f"seed={seed}") for seed in seeds]


def test_a_refused_array_stops_no_other_and_leaves_no_record(says: Callable[[str, str], None], tmp_path: Path) -> None:
    del says
    small, large = runs(0, 1), runs(2, 3, memory=640)
    done = submit([*large, *small], tmp_path / "r")
    assert sorted(done.submitted) == sorted(run.run_id for run in small)
    assert sorted(done.refused) == sorted(run.run_id for run in large)
    assert len(chunks(tmp_path / "r")) == 1
    text = submit_text(done, tmp_path / "r")
    assert "submitted 2 runs" in text
    assert "2 runs refused, now and whenever it is asked again: sbatch: Memory specification" in text
    with pytest.raises(RefusedError, match="change cluster"):
        submit(large, tmp_path / "r")


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (f"sbatch: error: QOSMaxWallDurationPerJobLimit\n{QOS}", RefusedError),
        (f"sbatch: error: QOSMaxGRESPerJob\n{QOS}", RefusedError),
        (f"sbatch: error: QOSMaxSubmitJobPerUserLimit\n{QOS}", QueueFullError),
        (f"sbatch: error: AssocGrpSubmitJobsLimit\n{QOS}", QueueFullError),
        (QOS, QueueFullError),
        ("sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying", QueueFullError),
        ("sbatch: error: Batch job submission failed: Socket timed out on send/recv operation", SchedulerError),
        ("sbatch: error: Unable to contact slurm controller (connect failure)", SchedulerError),
        ("sbatch: error: Batch job submission failed: Protocol authentication error", SchedulerError),
        ("sbatch: error: Batch job submission failed: Required partition not available (inactive)", QueueFullError),
        ("sbatch: error: Batch job submission failed: Requested node configuration is not available", RefusedError),
    ],
)
def test_only_a_limit_on_queued_jobs_passes_with_time(
    says: Callable[[str, str], None], tmp_path: Path, said: str, kind: type[SchedulerError]
) -> None:
    says("sbatch", f"#!/bin/sh\ncat >&2 <<'X'\n{said}\nX\nexit 1\n")
    with pytest.raises(SchedulerError) as caught:
        scheduler.submit(tmp_path / "x.sh")
    assert type(caught.value) is kind


def test_what_slurm_refuses_ends_the_waiting_and_is_asked_once(
    says: Callable[[str, str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del says
    monkeypatch.setattr("sweeper.launch.slurm.follow.SECONDS", 0.0)
    told: list[str] = []
    follow(runs(0, memory=640), tmp_path / "r", say=told.append)
    assert "Memory specification can not be satisfied" in told[-1]
    assert len((tmp_path / "bin" / "sbatch.calls").read_text().splitlines()) == 1


@pytest.mark.parametrize(
    "reason", ["PartitionTimeLimit", "AccountNotAllowed", "JobHeldAdmin", "launch failed requeued held"]
)
def test_waiting_ends_where_jobs_wait_for_what_does_not_come_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    (run,) = runs(0)
    RunDir(results_dir=tmp_path, run_id=run.run_id).freeze(run)
    (tmp_path / "slurm").mkdir()
    element = Element(job=7, index=0, name="sweep-1", state="PENDING", reason=reason)
    queue = Queue(elements={run.run_id: element}, endings={}, time=1.0)
    monkeypatch.setattr("sweeper.launch.slurm.follow.Queue.ask", lambda _: queue)
    told: list[str] = []
    follow([run], tmp_path, say=told.append)
    assert f"1 queued ({reason} 1)" in told[-1]


def test_a_dead_canary_holds_no_later_runs(says: Callable[[str, str], None], tmp_path: Path) -> None:
    del says
    first = runs(0, 1, 2)
    submit(first, tmp_path / "r", with_canary=True)
    (dead,) = {chunk.canary for chunk in chunks(tmp_path / "r")}
    assert dead is not None
    # squeue is empty: the canary failed for good, and the others were cancelled.
    rest = [run for run in (*first, *runs(3)) if run.run_id != dead]
    submit(rest, tmp_path / "r", with_canary=True)
    held = {run_id: chunk.canary for chunk in chunks(tmp_path / "r") for run_id in chunk.run_ids if chunk.is_held}
    new = {canary for canary in held.values() if canary != dead}
    assert len(new) == 1
    assert new.issubset({run.run_id for run in rest})


def test_a_launch_says_which_runs_a_dead_canary_holds(says: Callable[[str, str], None], tmp_path: Path) -> None:
    first = runs(0, 1, 2)
    submit(first, tmp_path / "r", with_canary=True)
    known = {chunk.name: chunk for chunk in chunks(tmp_path / "r")}
    (held,) = (chunk for chunk in known.values() if chunk.is_held)
    (lead,) = (chunk for chunk in known.values() if not chunk.is_held)
    lines = {
        chunk.name: "".join(f"{chunk.job(tmp_path / 'r')}|{i}|PENDING|JobHeldUser|{chunk.name}\n" for i in range(n))
        for chunk, n in ((held, 2), (lead, 1))
    }
    says("squeue", f"#!/bin/sh\nprintf '{''.join(lines.values())}'\n")
    assert submit(first, tmp_path / "r").held == {}
    says("squeue", f"#!/bin/sh\nprintf '{lines[held.name]}'\n")
    done = submit([], tmp_path / "r")  # the policy does not try the canary again
    assert done.held == dict.fromkeys(held.run_ids, held.canary)
    text = submit_text(done, tmp_path / "r")
    assert "2 runs held behind a canary that ended without a training step" in text
    assert held.canary is not None
    assert f"sweeper retry {held.canary} --results" in text
    attempt = RunDir(results_dir=tmp_path / "r", run_id=held.canary).new_attempt()
    attempt.metrics.write_text('{"step": 1, "data": {"critic/score/mean": 0.1}}\n')
    assert submit([], tmp_path / "r").held == {}  # it has taken its step: they are let go


def test_an_array_that_was_cancelled_while_held_does_not_keep_the_others_held(
    says: Callable[[str, str], None], tmp_path: Path
) -> None:
    first = runs(0, 1, 2)
    submit(first[:2], tmp_path / "r", with_canary=True)
    (lead,) = {chunk.canary for chunk in chunks(tmp_path / "r")}
    assert lead is not None
    for name in ("sweep-0", "sweep-z"):
        held = Chunk(name=name, run_ids=(first[2].run_id,), code="x", canary=lead)
        held.write(tmp_path / "r", "")
        held.remember(tmp_path / "r", 900 if name == "sweep-0" else 901)
    attempt = RunDir(results_dir=tmp_path / "r", run_id=lead).new_attempt()
    attempt.metrics.write_text('{"step": 1, "data": {"critic/score/mean": 0.1}}\n')
    says("scontrol", '#!/bin/sh\necho "$@" >>"$0.calls"\n[ "$2" != 900 ] || exit 1\n')
    with pytest.raises(SchedulerError):
        canary.release(tmp_path / "r", chunks(tmp_path / "r"))
    assert "release 901" in (tmp_path / "bin" / "scontrol.calls").read_text().splitlines()
    assert sorted(path.stem for path in (tmp_path / "r" / "slurm").glob("sweep-z*.released")) == ["sweep-z"]


@pytest.mark.parametrize(("said", "largest"), [("", 1001), ("SchedulerParameters = defer,max_array_tasks=50,x", 50)])
def test_an_array_has_no_more_elements_than_a_site_lets_one_have(
    says: Callable[[str, str], None], said: str, largest: int
) -> None:
    says("scontrol", f"#!/bin/sh\necho MaxArraySize = 1001\necho '{said}'\n")
    assert scheduler.max_array_size() == largest


def test_an_answer_that_is_lost_midway_is_told_with_what_is_queued_and_what_is_not(
    says: Callable[[str, str], None], tmp_path: Path
) -> None:
    shapes = [runs(seed, seed + 1, memory=memory) for seed, memory in ((0, 8), (2, 9), (4, 10))]
    lost = "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation"
    count = 'echo x >>"$0.calls"; n=$(wc -l <"$0.calls")'
    says("sbatch", f"#!/bin/sh\n{count}\n[ $n != 2 ] || {{ echo '{lost}' >&2; exit 1; }}\necho $n\n")
    with pytest.raises(SchedulerError) as caught:
        submit([run for members in shapes for run in members], tmp_path / "r")
    assert "Socket timed out" in str(caught.value)
    assert "Of 6 runs 2 are queued, of 2 SLURM alone knows, 2 were not asked for. The same command goes on" in str(
        caught.value
    )
    assert len(chunks(tmp_path / "r")) == 2  # the lost one is looked for in the queue


def test_a_cancel_beside_a_submission_waits_for_it_and_leaves_no_job_behind(
    says: Callable[[str, str], None], tmp_path: Path
) -> None:
    results, (run,) = tmp_path / "r", runs(0)
    RunDir(results_dir=results, run_id=run.run_id).freeze(run)
    says("scancel", '#!/bin/sh\necho "$@" >>"$0.calls"\n')
    done = list[int]()
    canceller = Thread(target=lambda: done.append(main(["cancel", run.run_id, "--results", str(results)])))
    with locked(results / "slurm" / "lock", wait=True):  # as a submitter does, about to queue the run
        canceller.start()
        time.sleep(0.5)
        assert done == []
        chunk = Chunk(name="sweep-1", run_ids=(run.run_id,), code="x", user=os.getuid())
        chunk.write(results, "")
        says("squeue", "#!/bin/sh\necho '7|0|PENDING|None|sweep-1|comment='\n")
    canceller.join(20)
    assert done == [0]
    assert (tmp_path / "bin" / "scancel.calls").read_text() == "7_[0]\n"
