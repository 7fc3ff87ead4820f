"""Every setting of a cluster acts wherever it is accepted: it changes what is done, or it is refused there."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from sweeper.grid.expand import expand
from sweeper.host.errors import ConfigError
from sweeper.host.process import Children
from sweeper.inputs import models
from sweeper.inputs.data import prepared
from sweeper.launch.slurm.array import Chunk
from sweeper.launch.slurm.ceiling import Ceiling
from sweeper.launch.slurm.script import script
from sweeper.launch.slurm.shape import shape_of
from sweeper.plan.plan import make_plan, spec_from
from sweeper.plan.refusals import check
from sweeper.runs.folder import RunDir
from sweeper.spec.cluster import Cluster, Container, ContainerRuntime, Executor
from sweeper.spec.run import RunSpec
from sweeper.spec.run_id import RunId
from sweeper.training import sft
from tests.sweeper.points import grid_of, spec

STANDIN = Path(__file__).parents[1] / "slurm" / "standin"
RESULTS = Path("/shared/results")
# Another value of each setting than a profile has.
OTHER: Mapping[str, Any] = {
    "gpus_per_node": 4,
    "max_nodes": 3,
    "partition": "long",
    "account": "rl",
    "qos": "high",
    "cpus_per_gpu": 3,
    "memory_gb_per_gpu": 40,
    "max_gpus": 16,
    "max_parallel": 3,
    "exclude": ("n7",),
    "arrays": False,
    "sbatch": {"constraint": "ib"},
    "signal_seconds": 77,
    "setup": ("module load cuda",),
    "python": "/opt/python",
    "container": Container(runtime=ContainerRuntime.pyxis, image="a.sqsh"),
    "environment": ("MINE",),
}
# What acts alike on every executor, and the test that shows it.
EVERYWHERE = {
    "name": "a label, in messages alone",
    "executor": "what is compared here",
    "device": "tests/sweeper/test_machine.py",
    "gpu_type": "tests/sweeper/test_memory.py, test_throughput.py",
    "check_memory": "tests/sweeper/test_plan.py",
    "confirm_gpu_hours": "tests/sweeper/test_budget.py",
    "price_per_gpu_hour": "tests/sweeper/test_money.py",
    "currency": "tests/sweeper/test_money.py",
    "max_loss_minutes": "tests/sweeper/test_pace.py",
    "stalled_after_minutes": "tests/sweeper/test_pace.py",
    "stalled_after_steps": "tests/sweeper/test_pace.py",
    "max_failures": "tests/sweeper/test_ladder.py",
    "max_failed_gpu_hours": "tests/sweeper/test_ladder.py",
    "secrets_file": "tests/sweeper/test_environment.py, tests/slurm/test_environment.py",
}
# On SLURM, what says to the plan alone what the site has, and is refused there when a run wants more.
CAPACITY = {"gpus_per_node", "max_nodes"}


def test_every_setting_of_a_cluster_is_looked_at_here() -> None:
    assert {item.name for item in fields(Cluster)} == OTHER.keys() | EVERYWHERE.keys()


def changed(run: RunSpec, name: str) -> RunSpec:
    return replace(run, cluster=replace(run.cluster, **{name: OTHER[name]}))


def on_slurm(run: RunSpec) -> tuple[Any, ...]:
    chunk = Chunk(name="sweep-0123456789", run_ids=(run.run_id, RunId("other")), code="/code", at_once=2)
    return script(chunk, shape_of(run), RESULTS), Ceiling.of([run])


@pytest.mark.parametrize("name", sorted(OTHER.keys() - CAPACITY))
def test_a_setting_of_a_cluster_changes_what_slurm_is_asked(name: str) -> None:
    run = spec("model_family=qwen2.5", "model=qwen2.5-7b", "cluster=slurm", "cluster.cpus_per_gpu=4")
    check(changed(run, name), family="qwen2.5")
    assert on_slurm(changed(run, name)) != on_slurm(run)


@pytest.mark.parametrize("name", sorted(CAPACITY))
def test_what_a_site_has_is_what_a_run_may_ask_for(name: str) -> None:
    run = spec("model_family=qwen2.5", "model=qwen2.5-7b", "cluster=slurm")
    resources = replace(run.model.resources, nodes=16, gpus_per_node=8)
    large = replace(run, model=replace(run.model, resources=resources))
    with pytest.raises(ConfigError, match="has at most"):
        check(changed(large, name), family="qwen2.5")


HERE: Mapping[str, Callable[[Cluster], object]] = {
    "max_parallel": lambda cluster: cluster.local_processes(on_gpus=False),
    "environment": lambda cluster: cluster.environment,  # tests/sweeper/test_environment.py
}


@pytest.mark.parametrize("name", sorted(OTHER))
def test_a_setting_of_a_cluster_acts_on_this_machine_or_is_refused(name: str) -> None:
    run = spec()
    assert run.cluster.executor is Executor.local
    if name in HERE:
        check(changed(run, name), family="tiny")
        assert HERE[name](changed(run, name).cluster) != HERE[name](run.cluster)
    else:
        with pytest.raises(ConfigError, match=rf"cluster\.{name}=.* submits nothing to SLURM, and nothing else reads"):
            check(changed(run, name), family="tiny")


def test_a_warm_start_computes_on_the_device_that_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    devices = []

    def run_sft(_: object, children: Children, **__: object) -> None:
        devices.append(children.device)

    monkeypatch.setattr(sft, "run_sft", run_sft)
    for device in ("cpu", "cuda"):
        run = spec(f"cluster.device={device}", "model.warm_start.n_examples=2", "model.warm_start.steps=1")
        models._warm_start(run, tmp_path / "initial", tmp_path / "out", tmp_path)
        (tmp_path / "sft").rmdir()
    assert devices == ["cpu", "cuda"]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("executor", ("local", "slurm")),
        ("device", ("cpu", "cuda")),
        ("max_parallel", ("1", "2")),
        ("max_gpus", ("8", "null")),
        ("confirm_gpu_hours", ("1.5", "2.5")),
    ],
)
def test_what_a_launch_has_once_cannot_differ_between_its_points(
    name: str, values: tuple[str, str], tmp_path: Path
) -> None:
    cluster = ("cluster=slurm",) if name == "max_gpus" else ()
    points = [
        expand([f"seed={seed}", *cluster, f"cluster.{name}={value}"], multirun=False).points[0]
        for seed, value in enumerate(values)  # as a grid file that ties the two axes has them
    ]
    with pytest.raises(ConfigError, match=rf"cluster\.{name} is {values[0]} and {values[1]} in different points"):
        make_plan(replace(grid_of("seed=0,1"), points=tuple(points)), tmp_path)


def test_runs_of_several_launches_are_tried_again_under_the_lowest_of_their_bounds() -> None:
    bounds = ({"max_gpus": 8, "max_parallel": None}, {"max_gpus": 64, "max_parallel": 3})
    run = spec("cluster=slurm")
    runs = [replace(run, cluster=replace(run.cluster, **one)) for one in bounds]
    assert Ceiling.of(runs) == Ceiling.of(runs[::-1]) == Ceiling(8, 3)
    assert not Ceiling.of([])


@pytest.mark.parametrize(
    "override", ["cluster=slurm", "cluster.confirm_gpu_hours=3", "cluster.max_parallel=1", "logging.webhook_env=HOOK"]
)
def test_what_hydras_own_launchers_do_not_do_is_refused_there(override: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sweeper", "model=tiny-40k", "hydra/launcher=basic", override]
    done = subprocess.run([*command, f"results_dir={tmp_path}/r"], capture_output=True, text=True)
    assert done.returncode == 2
    assert f"{override.removesuffix('=1')}" in done.stderr
    assert "does nothing under a launcher of Hydra's" in done.stderr
    assert not (tmp_path / "r" / "runs").exists()


def test_a_run_that_hydras_own_launcher_starts_again_is_as_the_configuration_says_now(tmp_path: Path) -> None:
    run = spec("model=tiny-40k", "training.total_steps=1")
    run_dir = RunDir(results_dir=tmp_path, run_id=run.run_id)
    run_dir.freeze(run)
    run_dir.new_attempt()
    command = [sys.executable, "-m", "sweeper", "model=tiny-40k", "training.total_steps=1", "hydra/launcher=basic"]
    shell = os.environ | {"PYTHONPATH": str(STANDIN), "STANDIN_STEP_SECONDS": "0"}
    own = ["cluster.stalled_after_minutes=7", f"results_dir={tmp_path}"]
    done = subprocess.run([*command, *own], env=shell, capture_output=True, text=True)
    assert len(run_dir.attempts()) == 2, done.stderr
    assert run_dir.spec().cluster.stalled_after_minutes == 7


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (
            ("data_scale.n_unique=64", "data_scale.epochs=0.1"),
            "data_scale.epochs=0.1 of 64 problems are 6, less than one",
        ),
        (("data_scale.n_unique=512", "data_scale.epochs=1", "data.sft_share=0.0005"), "is no problem"),
        (
            ("data_scale.n_unique=512", "data_scale.epochs=1", "data.sft_share=0.5", "training.sft.epochs=0.05"),
            "training.sft.epochs=0.05 of 256 problems (data.sft_share=0.5) is less than half a step",
        ),
    ],
)
def test_amounts_that_would_be_rounded_to_one_step_or_to_none_are_refused(
    overrides: tuple[str, ...], said: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        check(spec("training.total_steps=null", *overrides), family="tiny")
    assert said in str(caught.value)


@pytest.mark.parametrize(("overrides", "is_said"), [((), True), (("cluster.max_parallel=1",), False)])
def test_a_plan_says_that_runs_on_gpus_of_this_machine_take_turns(
    overrides: tuple[str, ...], is_said: bool, tmp_path: Path
) -> None:
    asked = ("cluster.device=cuda", "cluster.gpu_type=H100", *overrides)
    found = make_plan(expand(asked, multirun=False), tmp_path)
    assert any("take turns, one at once: cluster.max_parallel=2" in note for note in found.notes) == is_said
    assert found.totals.at_once == 1
    on_cpu = make_plan(expand(["cluster.device=cpu"], multirun=False), tmp_path)
    assert on_cpu.notes == ()


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("model.architecture.head_size=8", "tiny models are Qwen2's"),
        ("model.architecture.qk_norm=true", "tiny models are Qwen2's"),
        ("model.architecture.attention_bias=false", "tiny models are Qwen2's"),
        ("model.architecture.expert_size=8", "changes nothing, because model.architecture.num_experts=null"),
        ("model.architecture.shared_expert_size=8", "changes nothing, because model.architecture.num_experts=null"),
        ("data.sft_solutions=README.md", "changes nothing, because data.sft_share=0.0"),
        ("algorithm.critic_warmup=20", "of 20 training steps: only the critic would learn"),
    ],
)
def test_a_setting_that_no_part_of_a_run_would_hear_is_refused(override: str, said: str) -> None:
    algorithm = ["algorithm=ppo"] if override.startswith("algorithm.") else []
    with pytest.raises(ConfigError, match=said):
        check(spec_from(expand([override, *algorithm], multirun=False).points[0].config), family="tiny")


def test_partial_credit_that_no_problem_gives_is_refused_where_data_are_made(tmp_path: Path) -> None:
    run = spec("reward.partial_credit=true", "data_scale=n64")
    with pytest.raises(ConfigError, match=r"reward\.partial_credit=true changes nothing: it is of zebra puzzles"):
        prepared(run, tmp_path, tokenizer=None)
