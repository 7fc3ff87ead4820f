"""Failed runs of a real SLURM, tried again by the policy of their class."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from sweeper.launch.slurm.ledger import live
from sweeper.launch.slurm.submit import submit
from sweeper.rows.failure_class import FailureClass
from sweeper.rows.row import read_row, row_path
from sweeper.runs.folder import RunDir
from sweeper.runs.state import State
from sweeper.spec.run import RunSpec
from tests.slurm.lab import states
from tests.waiting import wait_until

pytestmark = pytest.mark.slurm
Make = Callable[..., RunSpec]


def retry(results: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "sweeper", "retry", "--results", str(results), *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def with_setup(spec: RunSpec, line: str) -> RunSpec:
    return replace(spec, cluster=replace(spec.cluster, setup=(*spec.cluster.setup, line)))


def test_a_run_that_lacks_gpu_memory_ends_with_half_the_tokens_and_a_broken_one_is_left(
    make: Make, tmp_path: Path
) -> None:
    tokens = "model.resources.actor_tokens_per_gpu=4096"
    oom = with_setup(make("seed=1", tokens), "export STANDIN_MOST_TOKENS=2048")
    broken = with_setup(make("seed=2"), "export STANDIN_REFUSES='training.lr=odd'")
    submit([oom, broken], tmp_path)
    assert wait_until(lambda: set(states(tmp_path).values()) == {State.failed}, 60)
    assert wait_until(lambda: not live(tmp_path), 30)
    frozen = RunDir(results_dir=tmp_path, run_id=oom.run_id).spec_path.read_text()

    done = retry(tmp_path)
    assert done.returncode == 0, done.stderr
    assert "actor_tokens_per_gpu=2048 (was 4096)" in done.stdout
    assert "retry --class config" in done.stdout
    assert wait_until(lambda: states(tmp_path)[oom.run_id] is State.done, 60)
    run_dir = RunDir(results_dir=tmp_path, run_id=oom.run_id)
    assert run_dir.spec_path.read_text() == frozen
    assert len(run_dir.attempts()) == 2
    # SLURM did not queue the broken one again by itself, nor did retry.
    failure = read_row(row_path(tmp_path, broken.run_id)).failure
    assert failure is not None
    assert failure.failure_class is FailureClass.config
    assert len(RunDir(results_dir=tmp_path, run_id=broken.run_id).attempts()) == 1
    told = json.loads(retry(tmp_path, "--json", "--class", "config").stdout)["data"]
    assert list(told["submitted"]) == [broken.run_id]
    assert wait_until(lambda: len(RunDir(results_dir=tmp_path, run_id=broken.run_id).attempts()) == 2, 60)


def test_a_bad_node_is_not_used_for_the_next_attempt(make: Make, tmp_path: Path) -> None:
    spec = make("seed=1", step_seconds=0.5)
    submit([spec], tmp_path)
    run_dir = RunDir(results_dir=tmp_path, run_id=spec.run_id)
    assert wait_until(lambda: bool(run_dir.attempts() and run_dir.attempts()[0].read("env")), 60)
    env = run_dir.attempts()[0].read("env")
    assert env is not None
    assert wait_until(lambda: states(tmp_path)[spec.run_id] is State.done, 60)
    row_path(tmp_path, spec.run_id).unlink()  # as if the run had ended with what its log says now
    with run_dir.attempts()[0].log.open("a") as log:
        log.write("RuntimeError: CUDA error: uncorrectable ECC error encountered\n")
    ending = run_dir.attempts()[0].path / "exit.json"
    assert wait_until(ending.exists, 30)  # the row is written first
    ending.unlink()
    assert wait_until(lambda: not live(tmp_path), 30)
    time.sleep(1)
    done = retry(tmp_path)
    assert f"cluster.exclude=['{env['node']}']" in done.stdout, done.stdout + done.stderr
    script = max((tmp_path / "slurm").glob("*.sh"), key=lambda path: path.stat().st_mtime).read_text()
    assert f"#SBATCH --exclude={env['node']}" in script
    assert wait_until(lambda: len(run_dir.attempts()) == 2 and run_dir.attempts()[1].read("env") is not None, 60)
    again = run_dir.attempts()[1].read("env")
    assert again is not None
    assert again["node"] != env["node"]


@pytest.mark.parametrize("phase", ["train", "evaluate"])
def test_a_run_that_makes_no_progress_ends_itself_and_is_told_as_stalled(
    phase: str, make: Make, tmp_path: Path
) -> None:
    spec = with_setup(make("seed=1", "cluster.stalled_after_minutes=0.03"), f"export STANDIN_HANGS={phase}")
    submit([spec], tmp_path)
    assert wait_until(lambda: states(tmp_path)[spec.run_id] is State.failed, 60)
    failure = read_row(row_path(tmp_path, spec.run_id)).failure
    assert failure is not None
    assert failure.failure_class is FailureClass.stalled
    assert failure.phase == phase
    assert wait_until(lambda: not live(tmp_path), 30)  # the node is free, and nobody queued the run again
