"""Faults injected into a real SLURM: no row lost, none doubled, no orphan, status truthful."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from sweeper.launch.slurm.ledger import live
from sweeper.launch.slurm.submit import submit
from sweeper.oversight.status import run_statuses
from sweeper.rows.row import read_rows, row_path
from sweeper.runs.folder import RunDir
from sweeper.runs.state import State
from sweeper.spec.run import RunSpec
from sweeper.training.checkpoint import trained_steps
from tests.slurm.lab import Lab, all_are, states
from tests.waiting import wait_until

pytestmark = pytest.mark.slurm
Make = Callable[..., RunSpec]


def folder(results: Path, spec: RunSpec) -> RunDir:
    return RunDir(results_dir=results, run_id=spec.run_id)


def test_runs_of_one_array_outlive_a_slurmd_and_are_cancelled_submitted_again_and_requeued_each_alone(
    make: Make, lab: Lab, tmp_path: Path
) -> None:
    specs = [make(f"seed={seed}", step_seconds=8) for seed in range(3)]
    submit(specs, tmp_path)
    assert all_are(tmp_path, State.running, 60)
    assert wait_until(lambda: all(folder(tmp_path, spec).attempts() for spec in specs), 60)  # SLURM may say so sooner
    node = lab.node_of(specs[0].run_id, tmp_path)
    lab.kill_daemon(node)
    time.sleep(0.5)
    lab.start_daemon(node)

    command = [sys.executable, "-m", "sweeper", "cancel", specs[1].run_id, "--results", str(tmp_path)]
    assert "1 of 1 runs" in subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert wait_until(lambda: states(tmp_path)[specs[1].run_id] is State.interrupted, 60)
    command = [sys.executable, "-m", "sweeper", "why", specs[1].run_id, "--results", str(tmp_path)]
    assert wait_until(lambda: "CANCELLED" in subprocess.run(command, capture_output=True, text=True).stdout, 60)
    assert list(submit(specs, tmp_path).submitted) == [specs[1].run_id]

    assert wait_until(lambda: states(tmp_path)[specs[1].run_id] is State.running, 60)
    element = live(tmp_path)[specs[1].run_id]
    assert wait_until(row_path(tmp_path, specs[1].run_id).exists, 60)
    text = row_path(tmp_path, specs[1].run_id).read_text()
    subprocess.run(["scontrol", "requeue", f"{element.job}_{element.index}"], check=False, capture_output=True)
    assert wait_until(lambda: lab.hurry() is None and not live(tmp_path), 90)
    assert row_path(tmp_path, specs[1].run_id).read_text() == text
    assert set(states(tmp_path).values()) == {State.done}
    assert len(list(read_rows(tmp_path))) == 3
    assert [len(folder(tmp_path, spec).attempts()) for spec in specs] == [1, 2, 1]


def test_runs_cancelled_before_they_began_are_told_as_cancelled(make: Make, lab: Lab, tmp_path: Path) -> None:
    specs = [make(f"seed={seed}") for seed in range(3)]
    lab.ask("scontrol", "update", "PartitionName=gpu", "State=DOWN")
    try:
        submit(specs, tmp_path)
        (job,) = {element.job for element in live(tmp_path).values()}
        lab.ask("scancel", str(job))
        assert wait_until(lambda: not live(tmp_path), 60)
    finally:
        lab.ask("scontrol", "update", "PartitionName=gpu", "State=UP")

    def all_told() -> bool:
        return all("CANCELLED" in str(item["scheduler"]) for item in run_statuses(tmp_path, None))

    assert wait_until(all_told, 60), run_statuses(tmp_path, None)
    assert set(states(tmp_path).values()) == {State.interrupted}


def test_a_run_that_meets_its_time_limit_goes_on_where_it_was(make: Make, lab: Lab, tmp_path: Path) -> None:
    # SLURM's shortest limit is a minute. It looks every 30 s and warns when the next look would be too late: here 10 to
    # 40 s after the start. A warning in the first seconds, while Python starts, would be lost.
    spec = make("cluster.signal_seconds=20", "training.total_steps=60", step_seconds=0.75, hours=1 / 60)
    submit([spec], tmp_path)
    assert wait_until(lambda: len(folder(tmp_path, spec).attempts()) == 1, 60)
    assert all_are(tmp_path, State.done, 200, lab)
    attempts = folder(tmp_path, spec).attempts()
    ends, starts = [item.read("exit") for item in attempts], [item.read("standin") for item in attempts]
    assert len(attempts) >= 2
    assert ends[0] is not None
    assert ends[0]["status"] == "expired"
    assert [start["from_step"] for start in starts if start] == [0, *(end["steps"] for end in ends[:-1] if end)]
    (row,) = read_rows(tmp_path)
    assert row.steps == 60


def test_a_preempted_run_is_queued_again_and_goes_on(make: Make, lab: Lab, tmp_path: Path) -> None:
    low = [
        make(f"seed={n}", "cluster.partition=scavenge", "training.total_steps=40", step_seconds=0.5) for n in range(2)
    ]
    low = [spec for spec in low if submit([spec], tmp_path / "low")]
    assert all_are(tmp_path / "low", State.running, 60)
    # Asks for the whole cluster.
    lab.ask("sbatch", "-p", "gpu", "-N", "4", "--exclusive", "--wrap", "sleep 5", "-o", "/dev/null")
    assert wait_until(
        lambda: all(item.read("exit") for spec in low for item in folder(tmp_path / "low", spec).attempts()[:1]), 90
    )
    assert all_are(tmp_path / "low", State.done, 200, lab)
    assert {row.steps for row in read_rows(tmp_path / "low")} == {40}


def test_the_controllers_death_changes_no_running_job_and_status_says_unknown(
    make: Make, lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    specs = [make(f"seed={seed}", step_seconds=6) for seed in range(2)]
    submit(specs, tmp_path)
    assert wait_until(lambda: all(folder(tmp_path, spec).is_locked() for spec in specs), 60)
    time.sleep(7)  # it saves its state every five seconds; what it never saved it would number anew
    lab.kill_controller()
    try:
        monkeypatch.setattr("sweeper.launch.slurm.scheduler._SECONDS", 2.0)
        # The jobs hold their locks on this machine; a run without one is neither lost nor failed.
        assert set(states(tmp_path).values()) == {State.running}
        assert wait_until(lambda: len(list(read_rows(tmp_path))) == 2, 60)
    finally:
        lab.start_controller()
    assert all_are(tmp_path, State.done, 60)


def test_a_queue_that_does_not_answer_makes_waiting_runs_unknown(
    make: Make, lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = lab.ask("sbatch", "--parsable", "-N", "4", "--exclusive", "--wrap", "sleep 100", "-o", "/dev/null").strip()
    assert wait_until(lambda: "RUNNING" in lab.ask("squeue", "-h", "-j", busy, "-o", "%T"), 30)
    spec = make("seed=1")
    submit([spec], tmp_path)
    assert states(tmp_path) == {spec.run_id: State.queued}
    broken = tmp_path / "bin"
    broken.mkdir()
    silent = "#!/bin/sh\necho 'slurm_load_jobs error: Unable to contact controller' >&2\nexit 1\n"
    for name in ("squeue", "sbatch"):
        (broken / name).write_text(silent)
        (broken / name).chmod(0o755)
    with monkeypatch.context() as patched:
        patched.setenv("PATH", f"{broken}:{os.environ['PATH']}")
        assert states(tmp_path) == {spec.run_id: State.unknown}
        next(tmp_path.glob("slurm/*.job")).unlink()  # as if the submitter was killed before it recorded its job
        assert states(tmp_path) == {spec.run_id: State.unknown}
        with pytest.raises(RuntimeError, match="Unable to contact controller"):
            submit([spec], tmp_path)
    assert list(live(tmp_path)) == [spec.run_id]  # nothing doubled
    lab.ask("scancel", busy)
    assert all_are(tmp_path, State.done, 60)


def test_without_accounting_a_lost_run_is_told_as_interrupted(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = make("seed=1", step_seconds=5)
    submit([spec], tmp_path)
    assert all_are(tmp_path, State.running, 60)
    broken = tmp_path / "bin"
    broken.mkdir()
    (broken / "sacct").write_text("#!/bin/sh\necho 'accounting storage is disabled' >&2\nexit 1\n")
    (broken / "sacct").chmod(0o755)
    monkeypatch.setenv("PATH", f"{broken}:{os.environ['PATH']}")
    (element,) = live(tmp_path).values()
    subprocess.run(["scancel", f"{element.job}_{element.index}"], check=True)
    assert wait_until(lambda: states(tmp_path) == {spec.run_id: State.interrupted}, 60)
    assert list(submit([spec], tmp_path).submitted) == [spec.run_id]


def test_a_run_whose_node_dies_is_queued_again_by_slurm_and_goes_on(make: Make, lab: Lab, tmp_path: Path) -> None:
    specs = [make(f"seed={seed}", "training.total_steps=12", step_seconds=0.5) for seed in range(2)]
    submit(specs, tmp_path)
    assert wait_until(lambda: all(trained_steps(folder(tmp_path, spec).checkpoints) > 2 for spec in specs), 60)
    node = lab.node_of(specs[0].run_id, tmp_path)
    lab.kill_node(node)
    try:
        assert states(tmp_path)[specs[0].run_id] in (State.queued, State.running)
        assert all_are(tmp_path, State.done, 90, lab)
    finally:
        lab.start_daemon(node)
    assert [row.steps for row in read_rows(tmp_path)] == [12, 12]
    attempts = folder(tmp_path, specs[0]).attempts()
    assert len(attempts) == 2
    assert attempts[0].read("exit") is None  # it had no time to leave one
    again = attempts[1].read("standin")
    assert again is not None
    assert again["from_step"] > 2
    assert wait_until(lambda: not live(tmp_path), 30)


def test_a_run_that_takes_more_memory_than_it_asked_for_is_told_and_goes_on_when_it_takes_less(
    make: Make, lab: Lab, tmp_path: Path
) -> None:
    spec = make("seed=1", "cluster.memory_gb_per_gpu=1", step_seconds=3)
    hungry = replace(spec, cluster=replace(spec.cluster, setup=(*spec.cluster.setup, "export STANDIN_MEMORY_MB=1500")))
    submit([hungry], tmp_path)
    assert wait_until(lambda: bool(folder(tmp_path, spec).attempts()) and not live(tmp_path), 60)
    assert states(tmp_path) == {spec.run_id: State.interrupted}
    assert wait_until(lambda: "exit 9" in str(run_statuses(tmp_path, None)[0]["scheduler"]), 30)
    command = [sys.executable, "-m", "sweeper", "why", spec.run_id, "--results", str(tmp_path)]
    why = subprocess.run(command, capture_output=True, text=True).stdout
    assert "exceeded memory limit" in why
    submit([spec], tmp_path)
    assert all_are(tmp_path, State.done, 60)
    (row,) = read_rows(tmp_path)
    assert row.steps == 3
    again = folder(tmp_path, spec).attempts()[-1].read("standin")
    assert again is not None
    assert again["from_step"] >= 1


@pytest.mark.skipif(os.getuid() != 0, reason="needs root: mounts a small file system")
def test_a_full_disk_loses_no_run_and_leaves_no_half_row(make: Make, tmp_path: Path) -> None:
    results = tmp_path / "small"
    results.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", results], check=True)
    try:
        spec = make("seed=1", step_seconds=2)
        submit([spec], results)
        assert wait_until(lambda: bool(folder(results, spec).attempts()), 60)
        subprocess.run(["dd", "if=/dev/zero", f"of={results / 'filler'}", "bs=4k"], check=False, capture_output=True)
        assert wait_until(lambda: not folder(results, spec).is_locked() and not live(results), 60)
        assert states(results) == {spec.run_id: State.interrupted}
        assert list((results / "rows").glob("*")) == []
        (results / "filler").unlink()
        submit([spec], results)
        assert all_are(results, State.done, 60)
        assert [path.suffix for path in (results / "rows").iterdir()] == [".json"]
    finally:
        subprocess.run(["umount", "-l", results], check=True)


def test_without_accounting_running_jobs_are_told_as_running_and_end_in_rows(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    specs = [make(f"seed={seed}", step_seconds=1.5) for seed in range(2)]
    submit(specs, tmp_path)
    assert all_are(tmp_path, State.running, 60)
    broken = tmp_path / "bin"
    broken.mkdir()
    (broken / "sacct").write_text("#!/bin/sh\necho 'Unable to contact slurm database' >&2\nexit 1\n")
    (broken / "sacct").chmod(0o755)
    monkeypatch.setenv("PATH", f"{broken}:{os.environ['PATH']}")
    assert set(states(tmp_path).values()) == {State.running}
    assert submit(specs, tmp_path).submitted == {}
    assert all_are(tmp_path, State.done, 60)
    assert len(list(read_rows(tmp_path))) == 2
