"""Submission to a real SLURM: once, found again, in arrays of one shape."""

import getpass
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sweeper.grid.expand import expand
from sweeper.launch.slurm import accounting, scheduler
from sweeper.launch.slurm.array import chunks
from sweeper.launch.slurm.ledger import live
from sweeper.launch.slurm.snapshot import freeze
from sweeper.launch.slurm.submit import submit
from sweeper.plan.plan import make_plan
from sweeper.rows.row import Status, read_rows
from sweeper.runs.folder import RunDir
from sweeper.runs.state import State
from sweeper.spec.run import RunSpec
from tests.slurm.lab import SUBMIT, Lab, all_are, shaped, states
from tests.waiting import wait_until

pytestmark = pytest.mark.slurm
Make = Callable[..., RunSpec]


def attempts(results: Path, specs: list[RunSpec]) -> list[int]:
    return [len(RunDir(results_dir=results, run_id=spec.run_id).attempts()) for spec in specs]


def test_a_grid_of_three_shapes_ends_in_a_complete_table(make: Make, tmp_path: Path) -> None:
    shapes = ({}, {"gpus": 4}, {"nodes": 2})
    specs = [
        shaped(make(f"model={model}", f"seed={seed}"), **shape)
        for model, shape in zip(("tiny-40k", "tiny-130k", "tiny-430k"), shapes, strict=True)
        for seed in range(8)
    ]
    done = submit(specs, tmp_path)
    assert len(done.submitted) == 24
    assert len(list(chunks(tmp_path))) == 3
    assert all_are(tmp_path, State.done, 300)
    rows = list(read_rows(tmp_path))
    assert sorted(row.run_id for row in rows) == sorted(spec.run_id for spec in specs)
    assert {row.steps for row in rows} == {3}
    assert set(attempts(tmp_path, specs)) == {1}
    assert wait_until(lambda: not live(tmp_path), 30)


def test_runs_in_the_queue_are_not_submitted_again(make: Make, tmp_path: Path) -> None:
    specs = [make(f"seed={seed}", step_seconds=2) for seed in range(3)]
    assert len(submit(specs[:2], tmp_path).submitted) == 2
    again = submit(specs, tmp_path)
    assert sorted(again.queued) == sorted(spec.run_id for spec in specs[:2])
    assert list(again.submitted) == [specs[2].run_id]


def test_a_submitter_killed_at_any_moment_loses_and_doubles_nothing(make: Make, tmp_path: Path) -> None:
    specs = [make(f"seed={seed}") for seed in range(26) if seed != 13]  # two arrays
    for spec in specs:
        RunDir(results_dir=tmp_path, run_id=spec.run_id).freeze(spec)
    dice = random.Random(7)
    for _ in range(8):
        process = subprocess.Popen([sys.executable, "-c", SUBMIT, str(tmp_path)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(dice.uniform(0, 0.8))
        process.kill()
        process.wait()
    submit(specs, tmp_path)
    assert all_are(tmp_path, State.done, 900)
    assert set(attempts(tmp_path, specs)) == {1}
    assert wait_until(lambda: not live(tmp_path), 30)


def test_a_submitter_killed_while_sbatch_is_on_its_way_doubles_nothing(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    specs = [make(f"seed={seed}", step_seconds=60) for seed in range(3)]
    for spec in specs:
        RunDir(results_dir=tmp_path, run_id=spec.run_id).freeze(spec)
    slow, began = tmp_path / "bin" / "sbatch", tmp_path / "began"
    slow.parent.mkdir()
    slow.write_text(f'#!/bin/sh\ntouch {began}\nsleep 2\nexec {shutil.which("sbatch")} "$@"\n')
    slow.chmod(0o755)
    with monkeypatch.context() as patched:
        patched.setenv("PATH", f"{slow.parent}:{os.environ['PATH']}")
        process = subprocess.Popen([sys.executable, "-c", SUBMIT, str(tmp_path)])
        assert wait_until(began.exists, 30)
        process.kill()
        process.wait()
    assert submit(specs, tmp_path).submitted == {}
    assert [element.index for element in scheduler.queue()] == [0, 1, 2]


def test_more_runs_than_an_array_may_have_become_several(make: Make, tmp_path: Path) -> None:
    assert scheduler.max_array_size() == 21
    specs = [make(f"seed={seed}", step_seconds=60) for seed in range(45)]
    assert len(submit(specs, tmp_path).submitted) == 45
    assert sorted(len(chunk.run_ids) for chunk in chunks(tmp_path)) == [3, 21, 21]
    assert len(live(tmp_path)) == 45


def test_what_a_submit_limit_refuses_is_left_for_the_next_time(make: Make, lab: Lab, tmp_path: Path) -> None:
    specs = [make(f"seed={seed}", step_seconds=60) for seed in range(12)]
    lab.ask("sacctmgr", "-i", "modify", "user", getpass.getuser(), "set", "MaxSubmitJobs=5")
    try:
        time.sleep(1)
        done = submit(specs, tmp_path)
        assert done.limit is not None
        assert 3 <= len(done.submitted) <= 5
        assert len(done.submitted) + len(done.left) == 12
        assert set(live(tmp_path)) == set(done.submitted)
    finally:
        lab.ask("sacctmgr", "-i", "modify", "user", getpass.getuser(), "set", "MaxSubmitJobs=-1")
    time.sleep(1)
    assert set(submit(specs, tmp_path).submitted) == set(done.left)


def test_a_run_that_ended_since_the_caller_looked_is_not_submitted(make: Make, tmp_path: Path) -> None:
    specs = [make("seed=1")]
    submit(specs, tmp_path)
    assert all_are(tmp_path, State.done, 60)
    assert wait_until(lambda: not live(tmp_path), 30)
    assert submit(specs, tmp_path).submitted == {}


def test_a_failed_run_fails_its_job_and_the_others_go_on(make: Make, tmp_path: Path) -> None:
    specs = [make(f"seed={seed}") for seed in (12, 13, 14)]
    submit(specs, tmp_path)
    assert wait_until(lambda: len(list(read_rows(tmp_path))) == 3, 60)
    rows = {row.seed: row for row in read_rows(tmp_path)}
    assert rows[13].status is Status.failed
    assert rows[13].failure is not None
    assert "bad luck" in rows[13].failure.reason
    assert wait_until(lambda: not live(tmp_path), 30)
    (chunk,) = chunks(tmp_path)
    job = chunk.job(tmp_path)
    assert job is not None
    assert wait_until(lambda: len(accounting.endings({job: chunk.name})) == 3, 30)
    assert accounting.endings({job: chunk.name})[job, 1] == "FAILED, exit 1:0"
    # A configuration error is not queued again by SLURM, only by a launch.
    assert states(tmp_path)[specs[1].run_id] is State.failed


def test_jobs_run_the_code_as_it_was_when_they_were_submitted(make: Make, tmp_path: Path) -> None:
    frozen = freeze(tmp_path)
    assert freeze(tmp_path) == frozen  # made once for all runs
    (spec,) = specs = [make("seed=1")]
    submit(specs, tmp_path)
    assert all_are(tmp_path, State.done, 60)
    (attempt,) = RunDir(results_dir=tmp_path, run_id=spec.run_id).attempts()
    ran = attempt.read("standin")
    assert ran is not None
    assert ran["sweeper"] == str(frozen.folder / "sweeper" / "job" / "run.py")
    (row,) = read_rows(tmp_path)
    assert row.provenance is not None
    assert row.provenance.code_digest == frozen.folder.name


def test_a_plan_tells_what_is_queued_and_launches_only_the_rest(make: Make, tmp_path: Path) -> None:
    specs = [make(f"seed={seed}", step_seconds=3) for seed in range(3)]
    submit(specs[:2], tmp_path)
    grid = expand(("cluster=slurm", "model=tiny-40k", "training.total_steps=3", "seed=0,1,2"), multirun=True)
    # The clusters' settings are no part of a run's identity, so these are the same runs.
    planned = make_plan(grid, tmp_path)
    assert {run.run_id for run in planned.runs} == {spec.run_id for spec in specs}
    assert [run.run_id for run in planned.to_run] == [specs[2].run_id]
    assert planned.count()[State.new] == 1
