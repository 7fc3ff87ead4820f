import json
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

import sweeper.grid.expand
from sweeper.grid.expand import _plain, expand, group_options
from sweeper.grid.schema import register
from sweeper.host import patience
from sweeper.host.errors import ConfigError
from sweeper.plan.plan import spec_from
from sweeper.spec.run import RunSpec


def grid(*overrides: str) -> list[dict[str, str]]:
    return [dict(point.choice) for point in expand(overrides, multirun=True).points]


def test_the_grid_is_the_product_of_its_axes_in_order() -> None:
    points = grid("+grid=model_scale")
    assert points[0] == {"model": "tiny-40k", "data_scale": "n64"}
    assert points[1] == {"model": "tiny-40k", "data_scale": "n320"}
    assert len({tuple(point.values()) for point in points}) == 8


def test_a_command_line_value_narrows_an_axis() -> None:
    points = grid("+grid=model_scale", "model=tiny-40k")
    assert len(points) == 2


def test_a_command_line_axis_multiplies_the_grid() -> None:
    assert len(grid("+grid=model_scale", "seed=range(0,3)")) == 24


def test_the_same_grid_on_another_family_takes_that_familys_ladder() -> None:
    models = {point["model"] for point in grid("+grid=model_scale", "model_family=qwen2.5", "cluster=slurm")}
    assert "qwen2.5-7b" in models
    assert not any(name.startswith("tiny") for name in models)


EQUAL = {
    "groups, values and verl keys": (
        "+grid=model_scale",
        "algorithm=ppo,grpo",
        "seed=0,1",
        "+verl.actor_rollout_ref.rollout.top_k=5,7",
    ),
    "values that the schema converts": (
        "training.actor_lr=1,2e-4",
        "data.sft_share=0,1",
        "training.total_steps=null,3",
    ),
    "a value that another key interpolates": ("data_root=null,/some/where", "seed=0,1", "algorithm=ppo,grpo"),
    "groups that override each other": ("model_family=tiny,qwen2.5", "training=tiny,qwen2.5", "eval=tiny,guru"),
    "a value inside a group that varies": ("training=tiny,qwen2.5", "training.total_steps=3,4", "seed=0,1"),
    "keys that are added or overridden": ("++verl.a.b=1,2", "+verl.a.c=x,y", "seed=0,1"),
    "words in need of quotes": ("+verl.a='b c','d,e'", "seed=0,1"),
    # conf/ has nothing as entangled as these (see `entangled`):
    "an option in another package": ("kl=on,off", "algorithm=ppo,grpo", "seed=0,1"),
    "a nested group": ("algorithm/kl=hard,soft", "algorithm=ppo,grpo", "seed=0,1"),
    "an option that interpolates a value that varies": (
        "model=tiny-40k,waits",
        "cluster.max_nodes=1,2",
        "seed=0,1",
        "data_scale=n64,n128",
    ),
    "a value that follows another through two steps": ("data_scale=chained,n64", "seed=0,1", "training.save_freq=4,5"),
}


@pytest.fixture
def entangled(tmp_path: Path) -> Iterator[None]:
    """`conf/` with options that touch other packages, override other groups and interpolate other parts."""
    shutil.copytree("conf", tmp_path / "conf")
    files = {
        "kl/on.yaml": "# @package _global_\nalgorithm: {kl: {in_loss: true}}\ntraining: {weight_decay: 0.5}\n",
        "kl/off.yaml": "# @package _global_\ndefaults:\n  - override /eval: guru\n  - _self_\nlogging: {wandb: true}\n",
        "algorithm/kl/hard.yaml": "loss_coef: 0.5\nin_loss: true\n",
        "algorithm/kl/soft.yaml": "loss_coef: 0.1\n",
        "model/waits.yaml": "defaults: [tiny-40k, _self_]\nname: waits\nresources: {nodes: '${cluster.max_nodes}'}\n",
        "data_scale/chained.yaml": "name: chained\nn_unique: ${training.train_batch_size}\nepochs: ${seed}\n",
    }
    for name, text in files.items():
        (tmp_path / "conf" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "conf" / name).write_text(text)
    config = tmp_path / "conf" / "config.yaml"
    lines = config.read_text().replace(
        "  - override hydra", "  - optional kl: null\n  - optional algorithm/kl: null\n  - override hydra"
    )
    config.write_text(lines.replace("{wandb: false}", "{wandb: false, project: 's${training.save_freq}'}"))
    register()
    with initialize_config_dir(str(tmp_path / "conf"), version_base="1.3"):
        yield


@pytest.mark.parametrize("name", EQUAL)
@pytest.mark.usefixtures("entangled")
def test_assembled_points_equal_hydras_own_composition(name: str) -> None:
    found = expand(EQUAL[name], multirun=True)
    for point in random.Random(0).sample(found.points, min(6, len(found.points))):
        chosen = [axis.override(axis.labels.index(point.choice[axis.key])) for axis in found.axes]
        whole = _plain(compose("config", overrides=chosen, return_hydra_config=True))
        assert json.dumps(point.config, sort_keys=True) == json.dumps(whole, sort_keys=True)


@pytest.mark.usefixtures("entangled")
def test_hydra_composes_an_option_once_and_not_every_point(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Sequence[str]] = []
    ask = sweeper.grid.expand._compose
    monkeypatch.setattr("sweeper.grid.expand._compose", lambda overrides: asked.append(overrides) or ask(overrides))
    points = expand(["model=tiny-40k,tiny-130k", "algorithm=ppo,grpo", "seed=range(0,100)"], multirun=True).points
    assert len(points) == 400
    assert len(asked) == 1 + 2 + 2 + 1  # the base, each option, and the last point to compare with


def test_axes_that_touch_the_same_part_are_composed_together() -> None:
    found = expand(["model_family=tiny,qwen2.5", "training=tiny,qwen2.5"], multirun=True)
    lengths = [point.config["training"]["max_prompt_length"] for point in found.points]
    assert lengths == [40, 2048, 40, 2048]


@pytest.mark.parametrize("group", ["model", "algorithm", "data_scale", "domain_mix", "training", "eval", "cluster"])
def test_every_option_of_every_group_makes_a_spec(group: str) -> None:
    for option in group_options()[group]:
        image = ["cluster.container.image=image"] if option in ("slurm_pyxis", "slurm_apptainer") else []
        config = expand([f"{group}={option}", *image], multirun=False).points[0].config
        assert isinstance(spec_from(config), RunSpec)


@pytest.mark.parametrize(
    ("overrides", "multirun", "cure"),
    [
        (["+grid=model_scale"], False, "add -m"),
        (["seed=0,1"], False, "add -m"),
        (["seed=[0,1]"], True, "seed=0,1"),
        (["+grid=model_scale,algorithm"], True, "one command per grid"),
        (["+grid=modelscale"], True, "Did you mean model_scale"),
        (["model=tiny40k"], False, "Did you mean tiny-40k"),
        (["trainin.total_steps=3"], False, "training.total_steps"),
        (["training.total_step=3"], False, "training.total_steps"),
        (["training.total_steps=three"], False, "could not be converted to Integer"),
        (["algorithm.rollout=2,4"], True, "rollout_n"),
        (["seed=1,1"], True, "listed twice"),
        ([], True, "nothing varies"),
        (["data_scale.n_unique=a b="], False, "data_scale.n_unique"),
    ],
)
def test_bad_overrides_are_refused_with_the_cure(overrides: list[str], multirun: bool, cure: str) -> None:
    with pytest.raises(ConfigError, match=cure):
        expand(overrides, multirun=multirun)


def test_a_yaml_list_as_a_grid_axis_is_refused(tmp_path: Path) -> None:
    shutil.copytree("conf", tmp_path / "conf")
    (tmp_path / "conf" / "grid" / "broken.yaml").write_text(
        "# @package _global_\nhydra:\n  sweeper:\n    params:\n      seed: [0, 1]\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "sweeper", "plan", "+grid=broken"],
        cwd=tmp_path,
        env={"PYTHONPATH": f"{tmp_path}:{Path.cwd()}", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "'a,b,c'" in done.stderr


def test_a_thousand_points_expand_in_seconds() -> None:
    start = time.monotonic()
    assert len(grid("+grid=model_scale", "seed=range(0,125)")) == 1000
    assert time.monotonic() - start < 60  # a hang guard; the measured figure is in `make bench`


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("# a title\nhydra:\n  sweeper:\n    params:\n      seed: 0,1\n", r"own\.yaml: its first line must be"),
        ("", r"own\.yaml: its first line must be: # @package _global_"),
        ("- a\n", r"own\.yaml: its first line must be"),
        ("\ufeff# @package _global_\nseed: 1\n", r"own\.yaml begins with a byte-order mark"),
    ],
)
def test_a_grid_file_that_would_be_read_as_the_grid_block_is_refused(
    text: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sweeper_project.yaml").touch()
    (tmp_path / "conf" / "grid").mkdir(parents=True)
    (tmp_path / "conf" / "grid" / "own.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=said):
        expand(["+grid=own"], multirun=None)


def test_long_work_says_how_far_it_is_and_short_work_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert list(patience.counted(range(3), total=3, what="planning")) == [0, 1, 2]
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(patience, "SECONDS", 0.0)
    assert list(patience.counted(range(2), total=2000, what="planning")) == [0, 1]
    assert capsys.readouterr().err == "planning: 0 of 2,000 points\nplanning: 1 of 2,000 points\n"
