"""One ceiling of GPUs over everything that was submitted from a results folder."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from sweeper.launch.slurm.array import chunks
from sweeper.launch.slurm.export import commands, export
from sweeper.launch.slurm.follow import follow
from sweeper.launch.slurm.ledger import live
from sweeper.launch.slurm.submit import submit
from sweeper.runs.state import State
from sweeper.spec.run import RunSpec
from tests.slurm.lab import Lab, shaped, states
from tests.waiting import wait_until

pytestmark = pytest.mark.slurm
Make = Callable[..., RunSpec]


def capped(spec: RunSpec, ceiling: int) -> RunSpec:
    return replace(spec, cluster=replace(spec.cluster, max_gpus=ceiling))


def most_in_use(results: Path, specs: Sequence[RunSpec], seconds: float) -> tuple[int, int]:
    """GPUs and runs in use at the worst moments that were seen, once every run is done."""
    gpus = {spec.run_id: spec.model.resources.devices for spec in specs}
    most, most_runs = 0, 0

    def watch() -> bool:
        nonlocal most, most_runs
        running = [run_id for run_id, element in live(results).items() if element.state == "RUNNING"]
        most, most_runs = max(most, sum(gpus[run_id] for run_id in running)), max(most_runs, len(running))
        found = states(results)
        return len(found) == len(specs) and set(found.values()) == {State.done}

    assert wait_until(watch, seconds)
    return most, most_runs


def test_a_ceiling_of_gpus_and_of_runs_holds_over_all_shapes(make: Make, tmp_path: Path) -> None:
    specs = [capped(make(f"seed={seed}", step_seconds=1), 4) for seed in range(6)]
    specs += [capped(shaped(make("model=tiny-130k", f"seed={seed}", step_seconds=1), gpus=2), 4) for seed in range(4)]
    submit([replace(spec, cluster=replace(spec.cluster, max_parallel=3)) for spec in specs], tmp_path)
    gpus, runs = most_in_use(tmp_path, specs, 200)
    assert 2 <= gpus <= 4
    assert 2 <= runs <= 3


def test_a_ceiling_below_the_sum_of_the_shapes_holds_over_several_submissions(make: Make, tmp_path: Path) -> None:
    narrow = [capped(make(f"seed={seed}", step_seconds=1), 2) for seed in range(4)]
    wide = [capped(shaped(make("model=tiny-130k", f"seed={seed}", step_seconds=1), gpus=2), 2) for seed in range(2)]
    long = [capped(make(f"seed={seed}", step_seconds=1, hours=2), 2) for seed in range(4, 7)]
    submit(narrow, tmp_path)
    submit([*long, *wide], tmp_path)

    def waiting() -> set[str]:
        return {run_id for run_id, element in live(tmp_path).items() if element.reason == "Dependency"}

    assert wait_until(lambda: waiting() == {spec.run_id for spec in (*wide, *long)}, 5)
    assert most_in_use(tmp_path, [*narrow, *wide, *long], 200)[0] == 2


def test_a_ceiling_holds_over_the_arrays_of_a_large_shape(make: Make, lab: Lab, tmp_path: Path) -> None:
    one = capped(make(step_seconds=60), 9)
    submit([replace(one, seed=seed) for seed in range(45)], tmp_path)
    throttles = [
        lab.ask("scontrol", "-o", "show", "job", str(chunk.job(tmp_path))).split("ArrayTaskThrottle=")[1][0]
        for chunk in chunks(tmp_path)
    ]
    assert throttles == ["3", "3", "3"]


def test_a_failed_canary_under_a_ceiling_of_one_run_can_be_mended(make: Make, tmp_path: Path) -> None:
    specs = [capped(make(f"seed={seed}", "model.resources.actor_tokens_per_gpu=4096"), 1) for seed in range(2)]
    lacks = (*specs[0].cluster.setup, "export STANDIN_MOST_TOKENS=2048")
    specs = [replace(spec, cluster=replace(spec.cluster, setup=lacks)) for spec in specs]
    other = capped(make("model=tiny-130k", hours=2), 1)
    submit(specs, tmp_path, with_canary=True)
    submit([other], tmp_path)  # waits for the runs that the canary holds
    said: list[str] = []
    follow([*specs, other], tmp_path, say=said.append)  # returns: nothing can start any more
    assert "1 failed, 2 queued" in said[-1]
    retry = [sys.executable, "-m", "sweeper", "retry", specs[0].run_id, "--results", str(tmp_path)]
    subprocess.run(retry, check=True, capture_output=True)
    assert wait_until(lambda: states(tmp_path)[specs[0].run_id] is State.done, 60)
    assert wait_until(lambda: states(tmp_path)[other.run_id] is State.done, 60)


def test_exported_scripts_hold_the_ceiling_when_they_are_submitted_as_told(make: Make, tmp_path: Path) -> None:
    specs = [capped(make(f"seed={seed}", step_seconds=1), 2) for seed in range(3)]
    specs += [capped(shaped(make("model=tiny-130k", f"seed={seed}", step_seconds=1), gpus=2), 2) for seed in range(2)]
    lines = commands(export(specs, tmp_path, None))
    assert lines[0].startswith("job1=$(sbatch --parsable ")
    assert lines[1].startswith("sbatch --dependency=afterany:$job1 ")
    subprocess.run(["bash", "-ec", "\n".join(lines)], check=True, capture_output=True)
    assert most_in_use(tmp_path, specs, 120)[0] == 2
