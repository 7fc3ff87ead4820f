"""What the `grid` block of a grid file does to its points, and what it may not say."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from sweeper.grid.constraints import GridRules, Labels, allowed_by
from sweeper.grid.expand import expand
from sweeper.host.errors import ConfigError
from sweeper.plan.plan import save_grid
from tests.sweeper.points import plan, spec

AXES = {"model": ("small", "large"), "algorithm.kl.in_loss": ("False", "True"), "seed2": ("1", "2", "3")}
OPTIONS = {"model": ["small", "large", "huge-8b"]}


def rules(chosen: dict[str, str] | None = None, **block: object) -> Callable[[Labels], bool]:
    return allowed_by(
        GridRules(**block),  # type: ignore[arg-type]
        axes=AXES,
        chosen=chosen or {},
        options=lambda key: OPTIONS.get(key, []),
    )


def points(*overrides: str) -> list[dict[str, str]]:
    return [dict(point.choice) for point in expand(overrides, multirun=True).points]


def test_a_point_that_matches_a_whole_line_is_excluded() -> None:
    one = rules(exclude=({"model": "large", "algorithm.kl.in_loss": "true"},))
    assert not one({"model": "large", "algorithm.kl.in_loss": "True", "seed2": "1"})
    assert one({"model": "large", "algorithm.kl.in_loss": "False", "seed2": "1"})


@pytest.mark.parametrize(
    ("pattern", "excluded"),
    [("1,3", ["1", "3"]), ("!1,3", ["2"]), ("*", ["1", "2", "3"]), ("!2", ["1", "3"])],
)
def test_a_pattern_is_any_of_its_values_or_none_of_them(pattern: str, excluded: Sequence[str]) -> None:
    one = rules(exclude=({"seed2": pattern},))
    assert [value for value in AXES["seed2"] if not one({"seed2": value})] == excluded


def test_a_line_looks_at_what_the_command_line_fixes_too() -> None:
    line = ({"model": "huge-8b", "seed2": "3"},)
    assert not rules({"model": "huge-8b"}, exclude=line)({"seed2": "3"})
    assert rules({"model": "small"}, exclude=line)({"seed2": "3"})


@pytest.mark.parametrize(
    ("block", "cure"),
    [
        ({"exclude": ({"modle": "small"},)}, "names modle, which is no axis of this grid"),
        ({"exclude": ({"model": "medium"},)}, "model=medium is never a value"),
        ({"exclude": ({"seed2": "!4"},)}, "seed2=4 is never a value"),
        ({"tie": (["model", "seed2"],)}, "as many values each"),
        ({"tie": (["model"],)}, "two or more axes"),
        ({"tie": (["model", "modle"],)}, "modle is none"),
        ({"tie": (["model", "algorithm.kl.in_loss"], ["model", "seed2"])}, "as many values|names an axis twice"),
    ],
)
def test_a_rule_that_would_change_nothing_is_refused(block: dict[str, object], cure: str) -> None:
    with pytest.raises(ConfigError, match=cure):
        rules(**block)


def test_replicates_beside_a_seed_axis_are_refused() -> None:
    with pytest.raises(ConfigError, match="states one of them"):
        allowed_by(GridRules(replicates=2), axes={"seed": ("0", "1")}, chosen={}, options=lambda _: [])


def test_tied_axes_move_together() -> None:
    keys = ("algorithm.lora.rank", "algorithm.lora.alpha", "training.actor_lr")
    found = {tuple(point[key] for key in keys) for point in points("+grid=lora_rank")}
    assert found == {("0", "64", "null"), ("4", "8", "0.005"), ("8", "16", "0.005"), ("16", "32", "0.005")}


def test_full_training_in_the_lora_grid_is_the_default_run() -> None:
    found = plan(Path("/nowhere"), "+grid=lora_rank", "algorithm.lora.rank=0")
    assert [run.run_id for run in found.runs] == [spec().run_id, spec("seed=1").run_id]


def test_the_command_line_narrows_a_tied_axis() -> None:
    found = points("+grid=lora_rank", "algorithm.lora.rank=4,8", "seed=0")
    assert [(point["algorithm.lora.rank"], point["algorithm.lora.alpha"]) for point in found] == [
        ("4", "8"),
        ("8", "16"),
    ]


def test_a_value_that_tied_axes_do_not_have_is_refused() -> None:
    with pytest.raises(ConfigError, match="no point of lora_rank is left"):
        points("+grid=lora_rank", "algorithm.lora.rank=5")


def test_an_excluded_combination_leaves_its_parts() -> None:
    found = [(point["algorithm.kl.in_loss"], point["algorithm.kl.loss_coef"]) for point in points("+grid=kl", "seed=0")]
    assert found == [("False", "0.001"), ("True", "0.001"), ("True", "0.01"), ("True", "0.04")]


def test_replicates_are_seeds_which_the_command_line_may_choose() -> None:
    assert {point["seed"] for point in points("+grid=algorithm")} == {"0", "1", "2"}
    assert {point["seed"] for point in points("+grid=algorithm", "seed=7,8")} == {"7", "8"}
    assert all("seed" not in point for point in points("+grid=algorithm", "seed=7"))


def test_a_grid_remembers_the_questions_of_its_report(tmp_path: Path) -> None:
    save_grid(plan(tmp_path, "+grid=algorithm", "algorithm=grpo"), tmp_path)
    saved = json.loads((tmp_path / "grids" / "algorithm.json").read_text())
    assert saved["questions"] == ["algorithm", "stability"]


def test_hydras_own_sweepers_refuse_a_grid_whose_rules_they_would_ignore(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sweeper", "+grid=kl", "-m", "hydra/launcher=basic", f"results_dir={tmp_path}"],
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert "which Hydra's own sweepers do not know" in done.stdout + done.stderr
    assert not (tmp_path / "runs").exists()
