import subprocess
import sys
import time
from pathlib import Path

import pytest
from hydra import compose

from sweeper.errors import ConfigError
from sweeper.grid import _plain, expand, group_options, hydra_session
from sweeper.plan import spec_from
from sweeper.spec import RunSpec


def grid(*overrides: str) -> list[dict[str, str]]:
    return [dict(point.choice) for point in expand(overrides, multirun=True).points]


def test_the_grid_is_the_product_of_its_axes_in_order() -> None:
    points = grid("+grid=model_scale")
    assert points[0] == {"model": "tiny-40k", "data_scale": "n128"}
    assert points[1] == {"model": "tiny-40k", "data_scale": "n1k"}
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


def test_assembled_points_equal_hydras_own_composition() -> None:
    overrides = ["+grid=model_scale", "algorithm=ppo,grpo", "seed=0,1", "+verl.actor_rollout_ref.rollout.top_k=5,7"]
    found = expand(overrides, multirun=True)
    for point in found.points[:: len(found.points) // 5]:
        chosen = [f"{'+' if axis.added else ''}{axis.key}={point.choice[axis.key]}" for axis in found.axes]
        with hydra_session():
            whole = _plain(compose("config", overrides=chosen, return_hydra_config=True))
        assert point.config == whole


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
        (["+grid=model_scale,algorithm"], True, "one command a grid"),
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
    import shutil

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
