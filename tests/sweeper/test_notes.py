"""What a plan says of settings that are allowed and seldom meant."""

from dataclasses import replace
from pathlib import Path

import pytest

from sweeper.grid.expand import expand
from sweeper.plan.mounts import unmounted
from sweeper.plan.notes import _without_gpus
from sweeper.plan.plan import make_plan
from sweeper.spec.cluster import ContainerRuntime
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


def test_a_plan_says_which_runs_wait_with_their_gpus_for_what_another_makes(tmp_path: Path) -> None:
    def said(*asked: str) -> list[str]:
        points = expand((*SLURM, "cluster.gpu_type=H100", "algorithm=grpo,ppo", *asked), multirun=True)
        return [line for line in make_plan(points, tmp_path).notes if "another of them makes" in line]

    assert said() == []  # pass@k of their base model holds nobody up
    (line,) = said("data.sft_share=0.1")
    assert line.startswith("1 of 2 runs start from what another of them makes (warm start, fine-tuning, screening), ")
    assert "wait for it with their GPUs, fine-tuning alone for " in line
    assert said("data.sft_share=0.1", "seed=0,1")[0].startswith("2 of 4 runs ")  # each seed fine-tunes its own
    (line,) = said("data.screen.n_samples=4", "seed=0,1")
    assert line.startswith("3 of 4 runs ")
    assert "fine-tuning alone" not in line


def test_a_plan_says_which_path_a_container_does_not_show_and_which_mount_would(tmp_path: Path) -> None:
    shared, results = tmp_path / "shared", tmp_path / "results"
    for folder in (shared / "model", results):
        folder.mkdir(parents=True)
    secrets = shared / "secrets.env"
    secrets.write_text("NAME=value\n")
    secrets.chmod(0o600)
    (tmp_path / "link").symlink_to(shared)
    image = ("cluster=slurm_pyxis", "cluster.container.image=/images/sweeper.sqsh", "model_family=qwen2.5")

    def said(*asked: str) -> tuple[str, ...]:
        return notes(results, *image, "model=qwen2.5-7b", *asked)

    hidden = "jobs read it, and their container does not show it; add"
    assert said() == ()
    file = f"cluster.secrets_file={secrets}"
    assert said(file) == (f"{file}: {hidden} {shared} to cluster.container.mounts",)
    assert said(file, f"cluster.container.mounts=[{shared}]") == ()
    assert said(file, f"cluster.container.mounts=[/elsewhere:{shared}:ro]") == ()
    linked = f"cluster.secrets_file={tmp_path / 'link' / 'secrets.env'}"
    (mount,) = said(linked, f"cluster.container.mounts=[{tmp_path / 'link'}]")
    assert mount == f"{linked}, which is {secrets}: {hidden} {shared} to cluster.container.mounts"
    assert notes(results, *SLURM, file) == ()  # no container


def test_every_path_that_a_job_reads_again_is_looked_for_in_its_container(tmp_path: Path) -> None:
    run = spec("cluster=slurm_pyxis", "cluster.container.image=/images/sweeper.sqsh", *SLURM[:2])
    model = replace(run.model, path=str(tmp_path))
    data = replace(
        run.data, root="/data/own", annotations=("/data/rates.jsonl",), sft_solutions="/data/solutions.jsonl"
    )
    found = [*unmounted([replace(run, model=model, data=data)] * 2, tmp_path / "results")]
    keys = ("model.path", "data_root", "data.sft_solutions", "data.annotations[0]")
    assert [line.partition("=")[0] for line in found] == [*keys]
    apptainer = replace(run.cluster.container, runtime=ContainerRuntime.apptainer)
    home = replace(run.cluster, container=apptainer, secrets_file=str(Path.home() / "secrets.env"))
    assert [*unmounted([replace(run, cluster=home)], tmp_path)] == []  # which apptainer mounts unasked


@pytest.mark.parametrize("profile", [("cluster=slurm_cpu",), ("cluster=slurm", "cluster.gpus_per_node=0")])
def test_a_plan_says_that_gpus_would_idle_where_some_are_asked_for(tmp_path: Path, profile: tuple[str, ...]) -> None:
    (said,) = notes(tmp_path, "cluster=slurm", "cluster.device=cpu")
    assert said == (
        "1 of 1 runs ask SLURM for GPUs and compute on CPUs (cluster.device=cpu): cluster=slurm_cpu asks for none"
    )
    assert notes(tmp_path, *profile, "cluster.device=cpu") == ()


def test_a_plan_says_that_the_variable_of_a_webhook_is_not_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MY_HOOK", raising=False)
    asked = ("model=tiny-40k", "logging.webhook_env=MY_HOOK")
    (said,) = notes(tmp_path, *asked)
    assert said == (
        "logging.webhook_env=MY_HOOK: that variable is not set here, or holds no http address: "
        "a launch from here is refused"
    )
    monkeypatch.setenv("MY_HOOK", "https://hooks.example/services/T0")
    assert notes(tmp_path, *asked) == ()
