import dataclasses
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeper.host.errors import ConfigError
from sweeper.spec.run import RunSpec
from tests.sweeper.points import spec

# Published parameter counts (model cards and the hub's count of each repository's weights).
BY_SIZE = {
    "0.5b": 494_032_768,
    "1.5b": 1_543_714_304,
    "3b": 3_085_938_688,
    "7b": 7_615_616_512,
    "14b": 14_770_033_664,
    "32b": 32_763_876_352,
    "72b": 72_706_203_648,
}
PUBLISHED = {
    **{f"qwen2.5-{size}": count for size, count in BY_SIZE.items()},
    **{f"qwen2.5-{size}-instruct": count for size, count in BY_SIZE.items()},
    **{f"r1-distill-qwen-{size}": BY_SIZE[size] for size in ("7b", "14b", "32b")},
    "r1-distill-qwen-1.5b": 1_777_088_000,  # its head is not tied
    "qwq-32b": BY_SIZE["32b"],
    "smollm2-135m-instruct": 134_515_008,
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_models_architecture_gives_its_published_parameter_count(name: str) -> None:
    assert spec(f"model={name}").model.architecture.n_params == PUBLISHED[name]


def test_a_spec_survives_its_json() -> None:
    one = spec("algorithm=ppo", "+verl.actor_rollout_ref.rollout.top_k=5")
    assert RunSpec.from_json(one.to_json()) == one
    assert RunSpec.from_json(one.to_json()).run_id == one.run_id


def test_resources_cluster_logging_and_save_freq_are_not_identity() -> None:
    plain = spec()
    for override in (
        "model.resources.gpus_per_node=2",
        "cluster.max_parallel=3",
        "logging.wandb=true",
        "cluster.sbatch={constraint: ib}",
        "training.save_freq=3",
    ):
        assert spec(override).run_id == plain.run_id


@pytest.mark.parametrize(
    "override",
    [
        "seed=1",
        "training.actor_lr=1e-4",
        "algorithm=ppo",
        "algorithm.kl.in_loss=true",
        "data_scale=n128",
        "domain_mix=math",
        "eval.n_samples=256",
        "model.warm_start.steps=10",
        "+verl.actor_rollout_ref.rollout.top_k=5",
        "+verl.actor_rollout_ref.rollout.max_num_batched_tokens=null",
    ],
)
def test_whatever_can_change_the_result_changes_the_id(override: str) -> None:
    assert spec(override).run_id != spec().run_id


def test_a_group_option_and_the_same_values_by_hand_are_the_same_run() -> None:
    values = yaml.safe_load(Path("conf/data_scale/n128.yaml").read_text())
    by_hand = [f"data_scale.{key}={value}" for key, value in values.items()]
    assert spec(*by_hand).run_id == spec("data_scale=n128").run_id


def test_replicates_share_a_group() -> None:
    assert spec("seed=1").group_id == spec("seed=2").group_id != spec("seed=1", "algorithm=ppo").group_id


def test_the_reward_suite_is_part_of_identity() -> None:
    assert dataclasses.replace(spec(), reward_suite="other").run_id != spec().run_id


def test_an_unknown_key_in_a_spec_file_is_refused_by_name() -> None:
    text = spec().to_json().replace('"rollout_n"', '"rollouts"')
    with pytest.raises(ConfigError, match="rollout"):
        RunSpec.from_json(text)


def test_two_of_problems_epochs_and_steps_decide_the_third() -> None:
    assert spec("data_scale.epochs=2", "training.total_steps=null", "data_scale=n512").total_steps == 64
    assert spec("data_scale.n_unique=null", "data_scale.epochs=4", "training.total_steps=20").n_unique == 80
    with pytest.raises(ConfigError, match=r"data_scale\.epochs"):
        _ = spec("data_scale.epochs=2").total_steps


def test_problems_for_fine_tuning_are_taken_from_those_of_rl() -> None:
    run = spec("data_scale=n512", "data_scale.epochs=2", "training.total_steps=null", "data.sft_share=0.25")
    assert run.n_unique == 512
    assert run.n_sft == 128
    assert run.total_steps == 2 * (512 - 128) // run.training.train_batch_size


@pytest.mark.parametrize(
    "override",
    [
        "curriculum=easy_to_hard",
        "curriculum=hard_to_easy",
        "curriculum=staged",
        "data.stratify_by=difficulty",
        "data.sft_share=0.5",
        "model.prompt_style=base",
    ],
)
def test_what_decides_the_rows_and_prompts_is_part_of_identity(override: str) -> None:
    assert spec(override).run_id != spec().run_id


def test_how_fine_tuning_goes_is_part_of_identity_only_where_there_is_some() -> None:
    sft = dataclasses.replace(spec().training.sft, lr=1e-3)
    changed = dataclasses.replace(spec(), training=dataclasses.replace(spec().training, sft=sft))
    assert changed.run_id == spec().run_id
    shared = "data.sft_share=0.5"
    assert spec(shared, "training.sft.lr=1e-3").run_id != spec(shared).run_id


@settings(max_examples=10)  # an order takes Hydra a fifth of a second
@given(st.permutations(range(5)))
def test_the_order_of_overrides_does_not_change_the_id(order: list[int]) -> None:
    overrides = [
        "seed=3",
        "algorithm=ppo",
        "training.actor_lr=1e-5",
        "data_scale=n64",
        "+verl.trainer.balance_batch=false",
    ]
    assert spec(*(overrides[i] for i in order)).run_id == spec(*overrides).run_id
