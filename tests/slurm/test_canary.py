"""One run of a shape goes first on a real SLURM; its own job lets the others go."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from sweeper.launch.slurm.array import chunks
from sweeper.launch.slurm.ledger import live
from sweeper.launch.slurm.submit import submit
from sweeper.oversight.status import run_statuses
from sweeper.rows.row import read_rows
from sweeper.runs.folder import RunDir
from sweeper.runs.state import State
from sweeper.spec.run import RunSpec
from tests.slurm.lab import all_are, states
from tests.waiting import wait_until

pytestmark = pytest.mark.slurm
Make = Callable[..., RunSpec]


def began(results: Path, spec: RunSpec) -> float:
    (attempt,) = RunDir(results_dir=results, run_id=spec.run_id).attempts()
    env = attempt.read("env")
    assert env is not None
    return float(env["time"])


def test_the_others_start_when_the_canary_has_taken_a_step_without_any_help(make: Make, tmp_path: Path) -> None:
    specs = [make(f"seed={seed}", step_seconds=2) for seed in range(3)]
    submit(specs, tmp_path, with_canary=True)
    assert sorted(len(chunk.run_ids) for chunk in chunks(tmp_path)) == [1, 2]
    assert {item["state"] for item in run_statuses(tmp_path, None)} <= {"queued", "running"}
    held = [item for item in run_statuses(tmp_path, None) if "JobHeldUser" in str(item["scheduler"])]
    assert len(held) == 2
    assert all(f"held until {specs[0].run_id} has taken a training step" in item["scheduler"] for item in held)
    subprocess.run(["shellcheck", *tmp_path.glob("slurm/*.sh")], check=True)
    # Nobody submits or follows any more: from here on only the jobs themselves act.
    assert wait_until(lambda: len(list(read_rows(tmp_path))) == 3, 90)
    assert all(began(tmp_path, spec) >= began(tmp_path, specs[0]) + 2 for spec in specs[1:])


def test_the_others_of_a_failed_canary_stay_held_until_it_is_mended(make: Make, tmp_path: Path) -> None:
    specs = [make(f"seed={seed}", "model.resources.actor_tokens_per_gpu=4096") for seed in range(3)]
    lacks = (*specs[0].cluster.setup, "export STANDIN_MOST_TOKENS=2048")
    specs = [replace(spec, cluster=replace(spec.cluster, setup=lacks)) for spec in specs]
    submit(specs, tmp_path, with_canary=True)
    assert wait_until(lambda: states(tmp_path)[specs[0].run_id] is State.failed, 60)
    told = {item["run_id"]: item for item in run_statuses(tmp_path, None)}
    assert "which is failed" in told[specs[1].run_id]["scheduler"]
    assert wait_until(lambda: set(live(tmp_path)) == {spec.run_id for spec in specs[1:]}, 30)
    # A launch changes nothing of that.
    assert submit(specs[1:], tmp_path).submitted == {}
    command = [sys.executable, "-m", "sweeper", "retry", specs[0].run_id, "--results", str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True)
    assert wait_until(lambda: states(tmp_path)[specs[0].run_id] is State.done, 60)
    # Its second job let them go; they lack memory as well.
    assert wait_until(lambda: set(states(tmp_path).values()) == {State.done, State.failed}, 60)


def test_a_launch_lets_go_what_the_canarys_job_could_not(make: Make, tmp_path: Path) -> None:
    specs = [make(f"seed={seed}") for seed in range(4)]
    without = (*specs[0].cluster.setup, "scontrol() { return 1; }")
    specs = [replace(spec, cluster=replace(spec.cluster, setup=without)) for spec in specs]
    submit(specs[:3], tmp_path, with_canary=True)
    assert wait_until(lambda: states(tmp_path)[specs[0].run_id] is State.done, 60)
    assert wait_until(lambda: set(live(tmp_path)) == {spec.run_id for spec in specs[1:3]}, 30)
    # The shape has proved itself, so the fourth run waits for nobody.
    assert list(submit(specs, tmp_path, with_canary=True).submitted) == [specs[3].run_id]
    assert all_are(tmp_path, State.done, 60)
