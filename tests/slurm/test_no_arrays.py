"""Runs that are jobs of their own (`cluster.arrays=false`) on a real SLURM."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from sweeper.cli.main import main
from sweeper.launch.slurm.ledger import live
from sweeper.launch.slurm.submit import submit
from sweeper.rows.row import read_rows
from sweeper.runs.folder import RunDir
from sweeper.runs.state import State
from sweeper.spec.run import RunSpec
from tests.slurm.lab import Lab, states
from tests.waiting import wait_until

pytestmark = pytest.mark.slurm
Make = Callable[..., RunSpec]


def test_jobs_without_arrays_keep_the_ceiling_are_queued_again_and_cancelled(
    make: Make, lab: Lab, tmp_path: Path
) -> None:
    usual = ("cluster.arrays=false", "cluster.max_parallel=1", "training.total_steps=8")
    specs = [make(f"seed={seed}", *usual, step_seconds=1) for seed in range(3)]
    submit(specs, tmp_path)
    assert wait_until(lambda: len(live(tmp_path)) == 3, 30)
    elements = live(tmp_path)
    assert [element.in_array for element in elements.values()] == [False] * 3
    subprocess.run(["shellcheck", *tmp_path.glob("slurm/*.sh")], check=True)
    (first,) = [run_id for run_id, element in elements.items() if element.reason != "Dependency"]
    assert wait_until(lambda: len(RunDir(results_dir=tmp_path, run_id=first).attempts()) == 1, 60)
    assert wait_until(lambda: (RunDir(results_dir=tmp_path, run_id=first).attempts()[0].metrics).exists(), 30)
    # The others wait, and one of them is cancelled while it does.
    assert sorted(states(tmp_path).values()) == [State.queued, State.queued, State.running]
    last = max(elements, key=lambda run_id: elements[run_id].job)
    assert main(["cancel", last, "--results", str(tmp_path)]) == 0
    assert wait_until(lambda: set(live(tmp_path)) == elements.keys() - {last}, 30)
    # As a preemption does: it stops, and its own script queues it again under its number.
    lab.ask("scancel", "--signal=USR2", str(elements[first].job))

    def both_are_done() -> bool:
        lab.hurry()
        return {row.run_id for row in read_rows(tmp_path)} == elements.keys() - {last}

    assert wait_until(both_are_done, 150)
    assert len(RunDir(results_dir=tmp_path, run_id=first).attempts()) == 2
    assert states(tmp_path)[last] is State.interrupted
