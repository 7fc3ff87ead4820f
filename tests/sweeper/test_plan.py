from pathlib import Path

import pytest

from sweeper.errors import ConfigError
from sweeper.members import Membership
from sweeper.plan import check, estimate, make_plan, plan_json, plan_text, save_grid
from sweeper.results import Failure, write_row
from sweeper.runs import RunDir, State, locked
from sweeper.spec import RunSpec
from tests.sweeper.points import plan, spec
from tests.sweeper.rows import row


def states(results_dir: Path, *overrides: str) -> list[State]:
    return [run.state for run in plan(results_dir, *overrides).runs]


def folder(results_dir: Path, run: RunSpec) -> RunDir:
    return RunDir(results_dir=results_dir, run_id=run.run_id)


@pytest.mark.parametrize(
    ("overrides", "cure"),
    [
        (["model=qwen2.5-0.5b"], "add model_family=qwen2.5"),
        (["training.ppo_mini_batch_size=5"], "not a multiple of training.ppo_mini_batch_size=5; change one"),
        (["data_scale.n_unique=8"], "lower the batch or use more problems"),
        (["data_scale=full"], r"needs a data folder \(data_root=…\)"),
        (["algorithm.rollout_n=1"], "use 2 or more"),
        (["training.max_response_length=1000"], "1040 tokens, but tiny-130k has .* positions; shorten one"),
        (["model.resources.actor_tokens_per_gpu=32"], "raise it or shorten training.max_response_length"),
        (["eval.n_samples=64"], "draw more samples or ask for smaller k"),
        (["+domain_mix.weights.maths=1"], r"unknown domains \['maths'\].*Known: math"),
        (["eval.domains=[math,physics]"], r"unknown domains \['physics'\]"),
        (["cluster=slurm", "model.resources.gpus_per_node=16"], "needs 1 x 16 GPUs .* at most 16 x 8"),
        (["cluster=slurm", "model.resources.nodes=99"], "needs 99 x 1 GPUs"),
        (["model.resources.nodes=2"], "use cluster=slurm"),
        (["cluster=slurm", "model.path=conf"], "model.path=conf is a folder seen from here"),
        (["data_scale.epochs=2"], "two of them decide the third"),
        (["training.total_steps=null"], "the number of steps is open; set training.total_steps"),
        (
            ["data_scale.epochs=1", "training.total_steps=null", "data_scale.n_unique=null"],
            "the number of steps is open",
        ),
        (["data_scale.epochs=0"], "must be above 0"),
        (["data_scale.n_unique=64", "data.sft_share=0.9"], "64 less 58 for fine-tuning .* use more problems"),
        (["data.sft_share=1"], "must be at least 0 and below 1"),
        (["data.sft_share=0.5", "training.sft.epochs=0"], "all must be above 0"),
        (["curriculum=staged", "domain_mix=math"], "name each training domain once, here math"),
        (["curriculum=easy_to_hard"], "end after the first 320 of 1024"),
        (["curriculum.order_by=difficulty"], "no meaning with order=mixed"),
        (["data.recipe=guru_math_cl"], "set data_root, a mix of math alone"),
        (["model.prompt_style=shout"], "choose one of model, base"),
    ],
)
def test_what_cannot_run_is_refused_with_the_cure(overrides: list[str], cure: str) -> None:
    with pytest.raises(ConfigError, match=cure):
        check(spec(*overrides), family="tiny")


def test_the_default_point_is_not_refused() -> None:
    check(spec(), family="tiny")


def test_a_refused_point_keeps_its_reason_and_the_others_their_state(tmp_path: Path) -> None:
    found = plan(tmp_path, "data_scale.n_unique=8,64")
    assert [run.state for run in found.runs] == [State.refused, State.new]
    assert "n_unique=8" in str(found.refused[0].reason)
    assert len(found.to_run) == 1


def test_planning_writes_nothing(tmp_path: Path) -> None:
    plan(tmp_path, "seed=0,1")
    assert list(tmp_path.iterdir()) == []


def test_a_run_without_a_folder_is_new(tmp_path: Path) -> None:
    assert states(tmp_path, "seed=0,1") == [State.new, State.new]


def test_a_frozen_run_without_an_attempt_is_new(tmp_path: Path) -> None:
    folder(tmp_path, spec("seed=1")).freeze(spec("seed=1"))
    assert states(tmp_path, "seed=0,1") == [State.new, State.new]


def test_a_run_with_an_attempt_and_no_row_is_interrupted(tmp_path: Path) -> None:
    folder(tmp_path, spec("seed=1")).new_attempt()
    assert states(tmp_path, "seed=0,1") == [State.new, State.interrupted]


def test_a_run_whose_lock_is_held_is_running_whatever_its_row_says(tmp_path: Path) -> None:
    run = folder(tmp_path, spec("seed=1"))
    write_row(tmp_path, row(spec("seed=1"), failure=Failure(phase="train", reason="lost", log="log.txt")))
    with locked(run.path / "lock", wait=False):
        assert states(tmp_path, "seed=0,1") == [State.new, State.running]
    assert states(tmp_path, "seed=0,1") == [State.new, State.failed]


def test_a_run_with_a_completed_row_is_done_and_not_run_again(tmp_path: Path) -> None:
    write_row(tmp_path, row(spec("seed=1")))
    found = plan(tmp_path, "seed=0,1")
    assert [run.state for run in found.runs] == [State.new, State.done]
    assert [run.spec.seed for run in found.to_run if run.spec] == [0]


def test_a_failed_run_says_why_and_is_run_again(tmp_path: Path) -> None:
    write_row(tmp_path, row(spec("seed=1"), failure=Failure(phase="train", reason="out of memory", log="log.txt")))
    found = plan(tmp_path, "seed=1,2")
    assert found.runs[0].reason == "failed in train: out of memory"
    assert len(found.to_run) == 2


def test_two_points_that_are_the_same_run_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the same run"):
        plan(tmp_path, "model.resources.gpus_per_node=1,2")


def test_the_hours_of_a_measured_model_are_the_median_of_its_rows(tmp_path: Path) -> None:
    run = spec()
    rows = [row(run, total_s=seconds, train_samples=1000) for seconds in (10.0, 20.0, 90.0)]
    cost = estimate(run, rows)
    samples = run.total_steps * run.training.train_batch_size * run.algorithm.rollout_n
    assert cost.hours == pytest.approx(20.0 / 1000 * samples / 3600)
    assert "3 measured runs" in cost.basis


def test_rows_of_other_models_and_failed_rows_estimate_nothing() -> None:
    failed = row(spec(), failure=Failure(phase="train", reason="x", log="y"))
    cost = estimate(spec(), [failed, row(spec("model=tiny-40k"))])
    assert cost.hours is None
    assert cost.device_hours is None


def test_an_unmeasured_model_on_a_known_gpu_is_bounded_by_its_flops() -> None:
    run = spec("model_family=qwen2.5", "cluster=slurm")
    cost = estimate(run, [])
    assert cost.hours is not None
    assert cost.hours > 0
    assert "H100" in cost.basis
    assert cost.device_hours == pytest.approx(cost.hours * cost.devices)


def test_a_grid_remembers_its_runs(tmp_path: Path) -> None:
    found = plan(tmp_path, "seed=0,1")
    save_grid(found, tmp_path)
    assert [member.run_id for member in Membership.read(tmp_path, "adhoc").members] == [
        run.run_id for run in found.runs
    ]


def test_an_unknown_grid_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    save_grid(plan(tmp_path, "seed=0,1"), tmp_path)
    with pytest.raises(ConfigError, match="known: adhoc"):
        Membership.read(tmp_path, "model_scale")


def test_the_printed_plan_shows_every_run_and_the_count_of_each_state(tmp_path: Path) -> None:
    write_row(tmp_path, row(spec("seed=1")))
    found = plan(tmp_path, "seed=0,1")
    text = plan_text(found)
    assert all(str(run.run_id) in text for run in found.runs)
    assert "1 new, 1 done" in text


def test_the_json_plan_has_the_same_runs(tmp_path: Path) -> None:
    found = plan(tmp_path, "seed=0,1")
    value = plan_json(found, overrides=None)
    assert [run["run_id"] for run in value["runs"]] == [run.run_id for run in found.runs]
    assert value["counts"] == {"new": 2}


def test_a_value_left_open_is_refused_by_name(tmp_path: Path) -> None:
    from sweeper.grid import Grid, Point, expand

    point = expand((), multirun=False).points[0]
    config = {**point.config, "training": {**point.config["training"], "actor_lr": "???"}}
    found = make_plan(Grid(name=None, axes=(), points=(Point(choice={}, config=config),)), tmp_path)
    assert found.runs[0].state is State.refused
    assert "training.actor_lr has no value" in str(found.runs[0].reason)


@pytest.mark.parametrize(
    "override",
    [
        "eval.ks=[]",
        "training.ppo_mini_batch_size=0",
        "training.train_batch_size=0",
        "training.total_steps=0",
        "algorithm.rollout_n=0",
    ],
)
def test_sizes_that_are_no_sizes_are_refused(override: str) -> None:
    with pytest.raises(ConfigError, match=override.partition("=")[0].replace(".", r"\.")):
        check(spec(override, "algorithm=ppo"), family="tiny")


def test_a_data_folder_that_is_not_there_is_refused_by_its_key(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"data_root=.* is not a folder"):
        spec(f"data_root={tmp_path / 'nowhere'}")
