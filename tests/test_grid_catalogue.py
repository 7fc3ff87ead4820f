"""Every grid of `conf/grid` on every ladder."""

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from analysis.questions import QUESTIONS
from sweeper.grid.expand import expand, group_options
from sweeper.host.errors import ConfigError
from sweeper.inputs.data import data_spec
from sweeper.inputs.models import model_digest
from sweeper.plan.plan import make_plan
from sweeper.rows import grid_file
from sweeper.runs.state import State
from tests.sweeper.points import grid_of

LADDERS: dict[str, tuple[str, ...]] = {
    "tiny": ("model_family=tiny",),
    "qwen2.5": ("model_family=qwen2.5", "cluster=slurm"),
}
# Runs on each ladder of LADDERS.
COUNTS = {
    "algorithm": (30, 30),
    "cross_domain": (10, 10),
    "curriculum": (9, 9),
    "data_reuse": (8, 8),
    "data_scale": (10, 10),
    "domain_mix": (12, 12),
    "full": (80, 140),
    "guru_32b": (1, 1),
    "guru_7b": (1, 1),
    "kl": (8, 8),
    "lora_rank": (8, 8),
    "min_data": (20, 12),
    "model_scale": (8, 14),
    "model_x_data": (20, 35),
    "paper_2509_25300": (21, 30),
    "rollout_allocation": (24, 24),
    "rollout_n": (8, 8),
    "sft_rl_ratio": (10, 10),
}
OF_ONE_LADDER = {"real_smoke", "smoke"}  # name their model themselves
# Those of agents name their ladder themselves: runs on it, and with the models that know tools on GPUs.
OF_AGENTS = {"agent_scale": (16, 28), "agent_turns": (8, 8), "agent_tools": (8, 8)}
ON_GPUS = ("model_family=qwen2.5-instruct", "cluster=slurm")


def head(grid: str) -> str:
    """The line that says what a grid is."""
    return Path(f"conf/grid/{grid}.yaml").read_text().splitlines()[1]


@cache
def states(grid: str, ladder: str) -> tuple[dict[State, int], tuple[str | None, ...], set[str]]:
    found = grid_of(f"+grid={grid}", *LADDERS[ladder])
    plan = make_plan(found, Path("/nowhere"))
    return Counter(run.state for run in plan.runs), tuple(run.reason for run in plan.refused), set(found.questions)


def test_every_grid_is_in_this_table() -> None:
    assert set(group_options()["grid"]) == set(COUNTS) | OF_ONE_LADDER | set(OF_AGENTS)


@pytest.mark.parametrize("ladder", LADDERS)
@pytest.mark.parametrize("grid", COUNTS)
def test_every_point_of_every_grid_can_run_on_every_ladder(grid: str, ladder: str) -> None:
    found, reasons, _ = states(grid, ladder)
    assert reasons == ()
    assert found == {State.new: COUNTS[grid][list(LADDERS).index(ladder)]}


# Families of GPUs beside qwen2.5; those that need a data folder are in tests/verl/test_catalogue.py.
FAMILIES = {
    "qwen2.5-instruct",
    "r1-distill",
    "qwen3",
    "qwen3-thinking",
    "llama",
    "llama-instruct",
    "olmo2",
    "smollm",
}
FOR_AGENTS = {"tiny-agent"}
OF_A_FOLDER = {"smollm2", "guru-7b", "guru-32b", "paper-2509-25300"}


def test_every_family_is_planned_with_every_grid() -> None:
    assert set(group_options()["model_family"]) == FAMILIES | OF_A_FOLDER | FOR_AGENTS | set(LADDERS)


@pytest.mark.nightly
@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_every_point_of_every_grid_can_run_with_every_family(family: str) -> None:
    asked = (f"model_family={family}", "cluster=slurm")
    listed = expand(asked, multirun=False).points[0].config["model_family"]["models"]
    models = [name.strip() for name in listed.split(",")]
    for grid, (_, of_qwen) in COUNTS.items():
        plan = make_plan(grid_of(f"+grid={grid}", *asked), Path("/nowhere"))
        assert [run.reason for run in plan.refused] == [], grid
        found = {run.spec.model.name for run in plan.runs if run.spec is not None}
        assert found <= set(models), grid
        if grid in ("full", "model_scale", "model_x_data"):  # every model of the family; qwen2.5 has seven
            assert found == set(models)
            assert len(plan.runs) * 7 == of_qwen * len(models)


@pytest.mark.parametrize("grid", COUNTS)
def test_the_first_line_of_a_grid_states_its_run_counts_and_ends_with_its_question(grid: str) -> None:
    tiny, qwen = COUNTS[grid]
    assert re.fullmatch(rf"# \w[\w -]+, {tiny} runs? \(qwen2\.5: {qwen}(; its own models: 60)?\): .+\?", head(grid))
    assert f"+grid={grid} -m" in Path(f"conf/grid/{grid}.yaml").read_text()


@pytest.mark.parametrize("grid", COUNTS)
def test_every_grid_names_questions_that_its_report_answers(grid: str) -> None:
    _, _, questions = states(grid, "tiny")
    assert questions
    assert questions <= set(QUESTIONS)


@pytest.mark.parametrize(("overrides", "which"), [((), 0), (ON_GPUS, 1)])
@pytest.mark.parametrize("grid", OF_AGENTS)
def test_every_point_of_every_agents_grid_can_run_here_and_on_gpus(
    grid: str, overrides: tuple[str, ...], which: int
) -> None:
    found = grid_of(f"+grid={grid}", *overrides)
    plan = make_plan(found, Path("/nowhere"))
    assert [run.reason for run in plan.refused] == []
    assert Counter(run.state for run in plan.runs) == {State.new: OF_AGENTS[grid][which]}
    assert set(found.questions) <= set(QUESTIONS)
    assert found.questions
    assert head(grid).startswith(f"# {grid.replace('_', ' ').capitalize()}, {OF_AGENTS[grid][0]} runs ")
    assert f"(qwen2.5-instruct: {OF_AGENTS[grid][1]}): " in head(grid)


def test_a_grid_on_gpus_takes_python_in_place_of_the_calculator() -> None:
    plan = make_plan(grid_of("+grid=agent_scale", *ON_GPUS, "agent=python"), Path("/nowhere"))
    assert {run.spec.agent.tools for run in plan.runs if run.spec} == {("python",)}
    assert len(plan.runs) == 14


def test_the_arms_of_the_agents_grid_have_the_same_base_models_and_problems() -> None:
    plan = make_plan(grid_of("+grid=agent_scale"), Path("/nowhere"))
    by_agent: dict[str, set[tuple[object, ...]]] = {}
    for run in plan.runs:
        if run.spec:
            same = run.spec.model.name, run.spec.seed, model_digest(run.spec.model), repr(data_spec(run.spec))
            by_agent.setdefault(run.spec.agent.name, set()).add(same)
    assert set(by_agent) == {"none", "calculator"}
    assert by_agent["none"] == by_agent["calculator"]


def test_a_grid_may_ask_every_question_and_no_other() -> None:
    assert tuple(QUESTIONS) == grid_file.QUESTIONS
    with pytest.raises(ConfigError, match=r"grid\.questions: no question 'stabilty'; did you mean stability"):
        expand(("+grid=model_scale", "grid.questions=[size,stabilty]"), multirun=True)


def test_the_published_study_has_its_60_runs(tmp_path: Path) -> None:
    table = pa.table({"data_source": ["math__deepscaler_preview"] * 60_000})  # a plan counts them, and reads no row
    parquet.write_table(table, tmp_path / "rows.parquet")
    found = expand(
        ("+grid=paper_2509_25300", "cluster=slurm", "cluster.gpu_type=H200", f"data_root={tmp_path}"), multirun=True
    )
    points = [point.choice for point in found.points]
    scaling = [item for item in points if item["data_scale.epochs"] == "1" and item["algorithm.rollout_n"] == "8"]
    reuse = [item for item in points if item["data_scale.epochs"] != "1"]
    rollouts = [item for item in points if item["algorithm.rollout_n"] != "8"]
    assert (len(scaling), len(reuse), len(rollouts), len(points)) == (42, 12, 6, 60)
    assert {item["data.recipe"] for item in scaling} == {"null"}
    assert {item["data.recipe"] for item in reuse} == {"guru_math_cl"}
    assert {item["model"] for item in reuse} == {"qwen2.5-7b", "qwen2.5-7b-instruct"}
    plan = make_plan(found, tmp_path)
    assert [run.reason for run in plan.refused] == []
    assert {run.spec.total_steps for run in plan.runs if run.spec} == {100, 105}


@pytest.mark.parametrize("ladder", LADDERS)
def test_every_arm_of_rollout_allocation_has_its_budgets_samples_one_update_a_step_and_no_problem_twice(
    ladder: str,
) -> None:
    plan = make_plan(grid_of("+grid=rollout_allocation", *LADDERS[ladder]), Path("/nowhere"))
    specs = [run.spec for run in plan.runs if run.spec]
    samples = {spec.training.train_batch_size * spec.algorithm.rollout_n for spec in specs}
    assert len(samples) == 1
    assert {spec.algorithm.rollout_n for spec in specs} == {4, 8, 16, 32}
    assert len({spec.total_steps for spec in specs}) == 3
    for spec in specs:
        assert spec.training.ppo_mini_batch_size == spec.training.train_batch_size
        assert spec.algorithm.ppo_epochs == 1
        assert spec.problems_seen == spec.total_steps * spec.training.train_batch_size == spec.n_unique
