"""What a plan says of settings that are allowed and seldom meant."""

from pathlib import Path

import pytest

from sweeper.grid.expand import expand
from sweeper.plan.plan import make_plan

SLURM = ("model_family=qwen2.5", "model=qwen2.5-7b", "cluster=slurm")


def notes(results_dir: Path, *asked: str) -> tuple[str, ...]:
    return make_plan(expand(asked, multirun=False), results_dir).notes


def test_a_plan_says_which_runs_may_outlast_their_job(tmp_path: Path) -> None:
    assert notes(tmp_path, *SLURM) == ()
    (said,) = notes(tmp_path, *SLURM, "model.resources.hours=1")
    assert said.startswith("1 of 1 runs may take longer than one job (model.resources.hours=1): a job that is stopped")


def test_a_plan_says_that_the_largest_run_gets_more_gpus_than_the_ceiling_has(tmp_path: Path) -> None:
    assert notes(tmp_path, *SLURM, "cluster.max_gpus=8") == ()
    (said,) = notes(tmp_path, *SLURM, "cluster.max_gpus=2")
    assert said == "cluster.max_gpus=2 is less than the 8 GPUs of the largest run, which gets them anyway"


@pytest.mark.parametrize("profile", [("cluster=slurm_cpu",), ("cluster=slurm", "cluster.gpus_per_node=0")])
def test_a_plan_says_that_gpus_would_idle_where_some_are_asked_for(tmp_path: Path, profile: tuple[str, ...]) -> None:
    (said,) = notes(tmp_path, "cluster=slurm", "cluster.device=cpu")
    assert said == (
        "1 of 1 runs ask SLURM for GPUs and compute on CPUs (cluster.device=cpu): cluster=slurm_cpu asks for none"
    )
    assert notes(tmp_path, *profile, "cluster.device=cpu") == ()
