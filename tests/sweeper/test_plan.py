import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from data_prep.files.lock import locked
from sweeper.host.errors import ConfigError
from sweeper.plan import partition
from sweeper.plan.plan import make_plan, save_grid
from sweeper.plan.refusals import check
from sweeper.plan.view import plan_json, plan_text
from sweeper.rows.grid_file import Membership
from sweeper.rows.row import Failure, write_row
from sweeper.runs.folder import RunDir
from sweeper.runs.state import State
from sweeper.spec.run import RunSpec
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
        (["model.source=gguf"], "model.source=gguf of tiny-130k needs model.path: a hub id .* a file in a package"),
        (["+verl.algorithm.kl_ctrl.horizon=50"], "horizon changes nothing, because algorithm.kl.in_reward=false and"),
        (
            ["algorithm=ppo", "algorithm.lora.rank=4", "algorithm.kl.in_loss=true"],
            r"algorithm.lora.rank=4 and algorithm.kl.in_loss=true with a critic \(.*; set algorithm.kl.in_loss=false, ",
        ),
        (
            ["algorithm=ppo", "algorithm.lora.rank=4", "algorithm.kl.in_loss=true", "algorithm.kl.in_reward=true"],
            "set algorithm.kl.in_loss=false algorithm.kl.in_reward=false, algorithm.lora.rank=0, or an algorithm with",
        ),
        (["algorithm=grpo", "+verl.critic.optim.eps=1e-6"], "verl.critic.optim.eps changes nothing, because algorithm"),
        (["+verl.algorithm.kl_ctrl.horizon=50", "algorithm.kl.in_reward=true"], "kl.reward_controller=fixed; set true"),
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
        (["cluster=slurm", "cluster.device=auto"], "this machine has, and jobs .* elsewhere; set cluster.device=cuda"),
        (["cluster=slurm_cpu", "cluster.device=auto"], "set cluster.device=cpu"),
        (["cluster=slurm_cpu", "model.resources.nodes=99"], r"needs 99 nodes .* at most 16 \(cluster\.max_nodes\)"),
        (
            ["cluster=slurm_cpu", "cluster.device=cuda"],
            r"asks for no GPUs \(cluster\.gpus_per_node=0\); use cluster=slurm",
        ),
        (["model.resources.nodes=2"], "use cluster=slurm"),
        (["cluster=slurm", "model.source=hub", "model.path=conf"], "model.path=conf is a folder seen from here"),
        (["model.resources.tensor_parallel=2"], "tensor_parallel=2 .* use 1"),
        (["model.resources.sequence_parallel=2"], "sequence_parallel=2 must divide .* use 1"),
        (["model.resources.gpus_per_node=3"], "training.train_batch_size=16 .* do not divide among 3 training workers"),
        (
            [
                "cluster=slurm",
                "model.resources.gpus_per_node=8",
                "training.ppo_mini_batch_size=1",
                "algorithm.rollout_n=4",
            ],
            "training.ppo_mini_batch_size=1 .* among 8 training workers",
        ),
        (["data_scale.epochs=2"], "two of them decide the third"),
        (["training.total_steps=null"], "the number of steps is open; set training.total_steps"),
        (
            ["data_scale.epochs=1", "training.total_steps=null", "data_scale.n_unique=null"],
            "the number of steps is open",
        ),
        (["data_scale.epochs=0"], "must be above 0"),
        (["data_scale.n_unique=64", "data.sft_share=0.9"], "64 less 58 for fine-tuning .* use more problems"),
        (["data.sft_share=1"], "must be at least 0 and below 1"),
        (["data.sft_share=0.5", "training.sft.epochs=0"], r"training\.sft\.epochs=0\.0: must be above 0"),
        (["curriculum=staged", "domain_mix=math"], "name each training domain once, here math"),
        (["curriculum=easy_to_hard"], "end after the first 320 of 1024"),
        (["curriculum.order_by=difficulty"], "no meaning with curriculum.order=mixed"),
        (["data.recipe=guru_math_cl"], "set data_root, a mix of math alone"),
        (["model.prompt_style=shout"], "choose one of model, base"),
    ],
)
def test_what_cannot_run_is_refused_with_the_cure(overrides: list[str], cure: str) -> None:
    with pytest.raises(ConfigError, match=cure):
        check(spec(*overrides), family="tiny")


def test_a_few_problems_are_enough_to_measure_a_model() -> None:
    few = spec("data_scale.n_unique=4", "curriculum=easy_to_hard")
    check(few, family="tiny", trains=False)
    with pytest.raises(ConfigError, match="is less than"):
        check(few, family="tiny")


def test_a_key_of_an_adaptive_kl_is_taken_where_it_is_on() -> None:
    on = ("algorithm.kl.in_reward=true", "algorithm.kl.reward_controller=adaptive")
    check(spec("+verl.algorithm.kl_ctrl.horizon=50", *on), family="tiny")
    check(spec("algorithm=ppo", "+verl.critic.optim.betas=[0.9,0.95]"), family="tiny")


@pytest.mark.parametrize(
    "overrides",
    [
        ("algorithm=ppo", "algorithm.lora.rank=4"),
        ("algorithm=ppo", "algorithm.kl.in_loss=true", "algorithm.kl.in_reward=true"),
        ("algorithm=grpo", "algorithm.lora.rank=4", "algorithm.kl.in_loss=true"),
    ],
)
def test_two_of_adapters_a_critic_and_a_reference_go_together(overrides: Sequence[str]) -> None:
    check(spec(*overrides), family="tiny")


@pytest.mark.parametrize("cluster", ["local", "slurm", "slurm_cpu", "slurm_modules"])
def test_the_default_point_is_refused_by_no_cluster_of_ours(cluster: str) -> None:
    check(spec(f"cluster={cluster}"), family="tiny")


def test_jobs_without_gpus_may_have_more_processes_a_node_than_it_has_gpus() -> None:
    check(spec("cluster=slurm_cpu", "model.resources.gpus_per_node=4"), family="tiny")


BIG = (
    "model_family=qwen2.5",
    "cluster=slurm",
    "model=qwen2.5-72b",
    "model.resources.nodes=1",
    "cluster.memory_gb_per_gpu=120",  # what a node's own memory holds is another question
)


def test_what_does_not_fit_a_gpu_is_refused_with_the_setting_to_change() -> None:
    with pytest.raises(ConfigError, match=r"does not fit: phase actor .* set model\.resources\.nodes="):
        check(spec(*BIG), family="qwen2.5")


@pytest.mark.parametrize(
    "passes", ["cluster.check_memory=false", "+verl.actor_rollout_ref.actor.fsdp_config.offload_policy=true"]
)
def test_the_estimate_of_memory_gives_way_to_those_who_know_better(passes: str) -> None:
    check(spec(*BIG, passes), family="qwen2.5")


def test_a_partition_that_slurm_does_not_have_is_refused_with_those_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scontrol = tmp_path / "scontrol"
    scontrol.write_text("#!/bin/sh\nprintf 'PartitionName=long Nodes=a\\nPartitionName=short Nodes=b\\n'\n")
    scontrol.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    partition._partitions.cache_clear()
    overrides = ("model_family=qwen2.5", "cluster=slurm", "seed=0,1")
    assert plan(tmp_path / "r", *overrides, "cluster.partition=short").refused == ()
    refused = plan(tmp_path / "r", *overrides, "cluster.partition=gpu").refused
    partition._partitions.cache_clear()
    assert refused[0].reason == "cluster.partition=gpu: SLURM has no partition gpu; use long or short"
    assert len(refused) == 2


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


def test_a_measured_run_prices_the_others_of_its_model(tmp_path: Path) -> None:
    measured = spec("seed=1")
    folder(tmp_path, measured).freeze(measured)
    write_row(tmp_path, row(measured))
    cost = plan(tmp_path, "seed=0,2").runs[0].cost
    assert cost is not None
    assert cost.hours == pytest.approx((80.0 + 5.0) / 3600)  # what the row says of training and evaluation
    assert cost.basis == "1 measured run of this model on cpu"


def test_failed_rows_price_nothing(tmp_path: Path) -> None:
    failed = spec("seed=1")
    folder(tmp_path, failed).freeze(failed)
    write_row(tmp_path, row(failed, failure=Failure(phase="train", reason="x", log="y")))
    cost = plan(tmp_path, "seed=0,2").runs[0].cost
    assert cost is not None
    assert cost.hours is None
    assert cost.device_hours is None


def test_an_unmeasured_model_on_a_known_gpu_is_priced_by_the_roofline(tmp_path: Path) -> None:
    run = plan(tmp_path, "model_family=qwen2.5", "cluster=slurm", "seed=0,1").runs[0]
    assert run.cost is not None
    assert run.cost.hours is not None
    assert run.cost.device_hours == pytest.approx(run.cost.hours * 4)
    assert "roofline of H100" in run.cost.basis
    assert run.cost.memory is not None
    assert run.cost.memory.fits


def test_an_unmeasured_price_is_a_range_in_the_plan_and_one_number_with_both_ends_in_json(tmp_path: Path) -> None:
    found = plan(tmp_path, "model_family=qwen2.5", "cluster=slurm", "seed=0,1")
    value = plan_json(found, overrides=None)
    for item in (value["totals"], value["runs"][0]["cost"]):
        for key in ("hours", "device_hours"):
            assert item[f"{key}_low"] < item[key] < item[f"{key}_high"]
    whole, base = (value["totals"][key] for key in ("device_hours", "base_device_hours"))
    assert base > 0
    assert sum(run["cost"]["device_hours"] for run in value["runs"]) + base == pytest.approx(whole)
    text = plan_text(found)
    assert re.search(
        r"to run: 2, [\d.,]+ to [\d.,]+ GPU-hours \(roofline of H100 and published runs, nothing measured yet\), "
        r"an estimated [\d.,]+ of them for the pass@k of 1 base model, measured once\n",
        text,
    )
    # Two digits of each end are known, of hours as of GPU-hours.
    assert re.search(r", [\d.]{1,3} to [\d.]{1,3}0* hours to the last result", text)


@pytest.mark.parametrize(
    ("override", "said"),
    [
        (
            "cluster.gpu_type=h100",
            "cluster.gpu_type=h100 is none of A100, H100, H200, B200: neither time nor memory is",
        ),
        ("cluster.gpu_type=null", "set cluster.gpu_type for an estimate of time and memory"),
    ],
)
def test_a_type_of_gpu_that_is_not_known_is_said_with_those_that_are(tmp_path: Path, override: str, said: str) -> None:
    text = plan_text(plan(tmp_path, "model_family=qwen2.5", "cluster=slurm", "seed=0,1", override))
    assert f"GPU-hours unknown ({said}" in text


def test_a_grid_of_one_point_has_one_run(tmp_path: Path) -> None:
    assert "guru_7b: 1 run = seed (1): 1 refused" in plan_text(plan(tmp_path, "+grid=guru_7b", "cluster=slurm"))


def test_a_measured_price_is_one_number_with_its_error(tmp_path: Path) -> None:
    for seed in (1, 2):
        measured = spec(f"seed={seed}")
        folder(tmp_path, measured).freeze(measured)
        write_row(tmp_path, row(measured))
    found = plan(tmp_path, "seed=0,3")
    assert "off by 0% where it was measured" in plan_text(found)
    assert " to the last result" in plan_text(found)
    cost = plan_json(found, overrides=None)["runs"][0]["cost"]
    assert cost["hours_low"] == cost["hours"] == cost["hours_high"]


def test_a_grid_remembers_its_runs(tmp_path: Path) -> None:
    found = plan(tmp_path, "seed=0,1")
    save_grid(found, tmp_path)
    assert [member.run_id for member in Membership.read(tmp_path, "by_seed").members] == [
        run.run_id for run in found.runs
    ]


def test_what_varies_and_is_not_in_the_ids_is_a_column_of_the_plan(tmp_path: Path) -> None:
    found = plan(tmp_path, "model=tiny-40k", "training.actor_lr=1e-3,3e-4", "+verl.actor_rollout_ref.rollout.top_k=5,7")
    table = [line.split() for line in plan_text(found).splitlines()[-6:]]
    assert table[0][:4] == ["run", "lr", "top_k", "state"]
    assert [line[1:3] for line in table[2:]] == [["1e-3", "5"], ["1e-3", "7"], ["3e-4", "5"], ["3e-4", "7"]]


def test_an_unknown_grid_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    save_grid(plan(tmp_path, "seed=0,1"), tmp_path)
    with pytest.raises(ConfigError, match="known grids: by_seed"):
        Membership.read(tmp_path, "model_scale")


def test_the_printed_plan_shows_every_run_and_the_count_of_each_state(tmp_path: Path) -> None:
    write_row(tmp_path, row(spec("seed=1")))
    found = plan(tmp_path, "seed=0,1")
    text = plan_text(found)
    assert all(str(run.run_id) in text for run in found.runs)
    assert "1 new, 1 done" in text


def test_a_long_plan_shows_one_line_for_runs_that_cost_the_same(tmp_path: Path) -> None:
    text = plan_text(plan(tmp_path, "+grid=model_scale", "seed=range(0,50)"))
    assert len(text.splitlines()) < 25
    line = next(line for line in text.splitlines() if "tiny-1.4m" in line)
    assert line.split()[:5] == ["50", "tiny-1.4m", "n64", "50", "values"]


def test_the_same_reason_is_printed_once(tmp_path: Path) -> None:
    text = plan_text(plan(tmp_path, "data_scale.n_unique=8", "seed=range(0,9)"))
    assert text.count("use more problems") == 1
    assert "and 8 more" in text


def test_the_json_plan_has_the_same_runs(tmp_path: Path) -> None:
    found = plan(tmp_path, "seed=0,1")
    value = plan_json(found, overrides=None)
    assert [run["run_id"] for run in value["runs"]] == [run.run_id for run in found.runs]
    assert value["counts"] == {"new": 2}
    assert value["totals"]["runs"] == 2


def test_the_json_plan_has_memory_and_seconds_by_phase(tmp_path: Path) -> None:
    value = plan_json(plan(tmp_path, "model_family=qwen2.5", "cluster=slurm", "seed=0,1"), overrides=None)
    cost = value["runs"][0]["cost"]
    assert cost["memory"]["fits"]
    assert set(cost["memory"]["peaks"]) == {"rollout", "log_prob", "actor", "hand_over"}
    assert sum(cost["seconds"].values()) == pytest.approx(3600 * cost["hours"])
    json.dumps(value)


def test_a_value_left_open_is_refused_by_name(tmp_path: Path) -> None:
    from sweeper.grid.expand import Grid, Point, expand

    point = expand((), multirun=False).points[0]
    config = {**point.config, "training": {**point.config["training"], "actor_lr": "???"}}
    found = make_plan(Grid(launch=None, axes=(), points=(Point(choice={}, config=config),)), tmp_path)
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


def test_a_refused_run_is_named_with_what_was_swept(tmp_path: Path) -> None:
    found = plan(tmp_path, "training.actor_lr=1e-3,3e-4", "training.ppo_mini_batch_size=5")
    assert f"{found.runs[0].run_id} (lr 1e-3) and 1 more: training.train_batch_size=" in plan_text(found)


def test_a_plan_says_of_runs_that_end_before_they_reach_their_learning_rate(tmp_path: Path) -> None:
    made = plan(tmp_path, "training.total_steps=3,4", "training.lr_warmup_steps=3")
    said = "1 of 2 runs end before they reach their learning rate: training.lr_warmup_steps=3 of 3 steps"
    assert said in plan_text(made)
    assert not plan(tmp_path, "training.total_steps=4,5", "training.lr_warmup_steps=3").notes
