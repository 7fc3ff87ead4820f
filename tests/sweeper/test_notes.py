"""What a plan says of settings that are allowed and seldom meant."""

from pathlib import Path

import pytest

from sweeper.grid.expand import expand
from sweeper.plan.notes import _without_gpus
from sweeper.plan.plan import make_plan
from tests.sweeper.points import spec

SLURM = ("model_family=qwen2.5", "model=qwen2.5-7b", "cluster=slurm")


def notes(results_dir: Path, *asked: str) -> tuple[str, ...]:
    return make_plan(expand(asked, multirun=False), results_dir).notes


def test_a_plan_says_which_runs_may_outlast_their_job(tmp_path: Path) -> None:
    assert notes(tmp_path, *SLURM) == ()
    (said,) = notes(tmp_path, *SLURM, "model.resources.hours=1")
    assert said.startswith("1 of 1 runs may take longer than one job (model.resources.hours=1): a job that is stopped")


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("cluster.cpus_per_gpu=null", "one where it says nothing, and take up to 24 of a node at least; set 8"),
        ("cluster.memory_gb_per_gpu=null", "and take up to 32.8 GB of a node at least"),
    ],
)
def test_a_plan_says_what_is_left_to_the_site(tmp_path: Path, override: str, said: str) -> None:
    (found,) = notes(tmp_path, *SLURM, override)
    assert found.startswith(f"{override}: jobs get ")
    assert said in found
    assert notes(tmp_path, *SLURM, override, "cluster.sbatch={cpus-per-gpu: 8, mem-per-gpu: 90G}") == ()


def test_a_plan_says_of_a_model_for_gpus_that_this_machine_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    (said,) = notes(tmp_path, "model_family=qwen2.5", "model=qwen2.5-7b")
    assert said == (
        "1 of 1 runs would compute on this machine's CPUs for weeks or longer (qwen2.5-7b has 7,615,616,512 "
        "parameters, and cluster=local finds no GPU here): cluster=slurm plans jobs on GPUs"
    )
    assert notes(tmp_path) == notes(tmp_path, "cluster.device=cpu", "model_family=qwen2.5") == ()
    assert not list(_without_gpus([spec("model_family=smollm2")]))  # its run took 45 minutes (docs/real-smoke.md)


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
