"""A key of verl's that a setting of ours decides is not the user's to set, however it is written."""

import importlib.util
from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig, OmegaConf

from sweeper.grid.known import is_key
from sweeper.host.errors import ConfigError
from sweeper.host.machine import Device
from sweeper.spec.dotted import overlap
from sweeper.spec.run import RunSpec
from sweeper.training.overrides import _UNLISTED, Files, verl_overrides
from sweeper.training.owners import MEANT, WRITTEN, owners, refuse_owned
from tests.sweeper.points import spec

ANY = Path("/any")
FILES = Files(model=ANY, train=ANY, val=ANY, checkpoints=ANY, validations=ANY, rewards=ANY, hydra=ANY, fork_socket=ANY)
GPU = ("model_family=qwen2.5", "cluster=slurm")
# What we write and a user may replace: how fast a run is, and what an engine is like inside.
FREE = {
    "actor_rollout_ref.actor.fsdp_config.mixed_precision.param_dtype",
    "actor_rollout_ref.actor.fsdp_config.use_torch_compile",
    "actor_rollout_ref.actor.strategy",
    "actor_rollout_ref.actor.use_dynamic_bsz",
    "actor_rollout_ref.model.lora.merge",
    "actor_rollout_ref.model.override_config.attn_implementation",
    "actor_rollout_ref.model.use_remove_padding",
    "actor_rollout_ref.ref.fsdp_config.mixed_precision.param_dtype",
    "actor_rollout_ref.ref.fsdp_config.use_torch_compile",
    "actor_rollout_ref.ref.log_prob_use_dynamic_bsz",
    "actor_rollout_ref.rollout.agent.num_workers",
    "actor_rollout_ref.rollout.cudagraph_capture_sizes",
    "actor_rollout_ref.rollout.dtype",
    "actor_rollout_ref.rollout.free_cache_engine",
    "actor_rollout_ref.rollout.load_format",
    "actor_rollout_ref.rollout.log_prob_use_dynamic_bsz",
    "actor_rollout_ref.rollout.name",
    "critic.fsdp.mixed_precision.param_dtype",
    "critic.fsdp.use_torch_compile",
    "critic.model.override_config.attn_implementation",
    "critic.model.use_remove_padding",
    "critic.strategy",
    "data.dataloader_num_workers",
    "ray_kwargs.ray_init.address",
    "ray_kwargs.ray_init.include_dashboard",
    "ray_kwargs.ray_init.num_cpus",
    "ray_kwargs.ray_init.num_gpus",
    "ray_kwargs.ray_init.runtime_env.py_executable",
    "reward.num_workers",
    "trainer.max_actor_ckpt_to_keep",
    "trainer.max_critic_ckpt_to_keep",
    "trainer.v1.sampler.custom_sampler.name",
    "trainer.v1.sampler.custom_sampler.path",
    "transfer_queue.backend.SimpleStorage.num_data_storage_units",
}


def written(run: RunSpec, device: Device = Device.cpu) -> dict[str, str]:
    pairs = (item.partition("=") for item in verl_overrides(run, FILES, device))
    return {key.lstrip("+"): value for key, _, value in pairs}


@pytest.fixture(scope="module")
def full() -> RunSpec:
    """A run in which every setting has something to decide."""
    on = ("algorithm.lora.rank=8", "algorithm.kl.in_loss=true", "algorithm.kl.in_reward=true", "logging.wandb=true")
    return spec("algorithm=ppo", "training.actor_lr=0.004", *on)


def test_every_key_that_is_written_is_decided_by_a_setting_or_free(full: RunSpec) -> None:
    gpu = spec("algorithm=ppo", "algorithm.lora.rank=8", *GPU)
    every = {*written(full), *written(gpu, Device.cuda)}
    owned = {key for key in every if any(overlap(key, one) for one in owners())}
    assert every - owned == FREE
    assert not [key for key in FREE if any(overlap(key, one) for one in owners())]


@pytest.mark.parametrize("key", {**WRITTEN, **MEANT})
def test_what_decides_a_key_is_a_setting_of_ours(key: str) -> None:
    assert is_key(key)


# Decided by what lies in a folder, or by more than the value of one setting.
NOT_BY_VALUE = {"data_root", "model.path", "cluster.device", "eval.val_problems_per_domain"}


def with_another(part: Any, path: list[str]) -> Any:
    """A copy of a specification with another value of one setting."""
    name, *rest = path
    old = getattr(part, name)
    if rest:
        return replace(part, **{name: with_another(old, rest)})
    new: Any
    if isinstance(old, bool):
        new = not old
    elif isinstance(old, Enum):
        new = next(one for one in type(old) if one is not old)
    elif isinstance(old, int | float):
        new = old + 1
    else:
        new = ("another",) if isinstance(old, tuple) else "another"
    return replace(part, **{name: new})


def test_a_setting_decides_the_keys_that_it_is_named_for(full: RunSpec) -> None:
    before = written(full)
    unmoved = {}
    for key in before:
        owner = next((of for one, of in owners().items() if one == key), None)
        if owner is None or " " in owner or owner in NOT_BY_VALUE:
            continue
        changed = written(with_another(full, owner.split(".")))
        if changed.get(key) == before[key]:
            unmoved[key] = owner
    # Constants that say how such a setting is meant.
    assert unmoved == {
        "data.filter_overlong_prompts": "training.max_prompt_length",
        "actor_rollout_ref.rollout.val_kwargs.do_sample": "eval.temperature",
        "trainer.total_epochs": "training.total_steps",
    }


@pytest.fixture(scope="module")
def verls_own() -> DictConfig:
    GlobalHydra.instance().clear()
    found = importlib.util.find_spec("verl")
    assert found
    with initialize_config_dir(str(Path(str(found.origin)).parent / "trainer" / "config"), version_base=None):
        return compose("ppo_trainer")


def test_every_key_of_the_table_is_one_of_verls(verls_own: DictConfig) -> None:
    # Read by verl's code where its YAML does not list them; `optim` and `data.max_length` are its supervised trainer's.
    unlisted = {"data.sampler", "data.max_length", "optim", "hydra", "actor_rollout_ref.actor.optim.grad_clip"}
    unlisted |= {"critic.optim.grad_clip", "actor_rollout_ref.rollout.agent.agent_loop_manager_class"}
    missing = {key for key in {*owners(), *FREE} if not key.startswith(_UNLISTED)} - {
        key for key in {*owners(), *FREE} if _has(verls_own, key)
    }
    assert missing == unlisted


def _has(config: DictConfig, key: str) -> bool:
    part, _, last = key.rpartition(".")
    holder = OmegaConf.select(config, part) if part else config
    return isinstance(holder, DictConfig) and last in set(holder.keys())


REFUSED = {
    "+verl.trainer.total_training_steps=2": "verl.trainer.total_training_steps=2: training.total_steps decides it",
    "+verl.trainer.total_epochs=3": "training.total_steps",
    "+verl.data.train_batch_size=32": "training.train_batch_size",
    "+verl.data.gen_batch_size=32": "training.train_batch_size",
    "+verl.data.train_max_samples=8": "data_scale.n_unique",
    "+verl.data.sampler.class_name=Mine": "curriculum.order",
    "+verl.actor_rollout_ref.rollout.n=1": "algorithm.rollout_n",
    "+verl.actor_rollout_ref.model.path=/x": "model.path",
    "+verl.trainer.default_local_dir=/tmp/x": "the run's own folder decides it; leave it out",
    "+verl.trainer.n_gpus_per_node=4": "model.resources.gpus_per_node",
    "+verl.trainer.nnodes=2": "model.resources.nodes",
    "+verl.trainer={nnodes: 2}": "verl.trainer.nnodes=2: model.resources.nodes decides it",
    "+verl={trainer: {logger: [console]}}": "logging.backends",
    "+verl.trainer=null": "decides trainer.",
    "+verl.actor_rollout_ref.actor.optim={lr: 1}": "training.actor_lr",
    "+verl.actor_rollout_ref.actor.optim.lr_warmup_steps_ratio=0.1": "training.lr_warmup_steps",
    "+verl.actor_rollout_ref.actor.optim.clip_grad=0.1": "training.grad_clip",
    "+verl.actor_rollout_ref.actor.kl_loss_coef=0.1": "algorithm.kl.loss_coef",
    "+verl.algorithm.kl_ctrl.kl_coef=0.1": "algorithm.kl.reward_coef",
    "+verl.actor_rollout_ref.rollout.temperature=0.1": "training.temperature",
    "+verl.actor_rollout_ref.rollout.response_length=10": "training.max_response_length",
    "+verl.critic.enable=true": "algorithm.adv_estimator",
    "+verl.critic.optim.lr=1": "training.critic_lr",
    "+verl.custom_reward_function.path=my.py": "reward.path",
    "+verl.reward.custom_reward_function.path=my.py": "reward.path",
    "+verl.reward.custom_reward_function={path: my.py, name: f}": "reward.path",
    "+verl.data.seed=3": "seed decides it",
    "+verl.trainer.logger=[wandb]": "logging.backends",
    "+verl.trainer.experiment_name=mine": "the run's id",
    "+verl.actor_rollout_ref.rollout.multi_turn.enable=true": "agent=calculator",
    "+verl.actor_rollout_ref.rollout.multi_turn.tool_config_path=t.yaml": "agent=NAME",
    "+verl.actor_rollout_ref.rollout.agent.default_agent_loop=tool_agent": "agent=NAME",
    "+verl.hydra.run.dir=/tmp": "the run's own folder",
}


@pytest.mark.parametrize("override", REFUSED)
def test_a_key_that_is_ours_is_refused_and_what_decides_it_is_named(override: str) -> None:
    with pytest.raises(ConfigError) as refused:
        spec(override)
    assert REFUSED[override] in str(refused.value)


@pytest.mark.parametrize("key", ["++trainer.nnodes", "~trainer.nnodes", "actor@trainer", "trainer[nnodes]", ""])
def test_a_key_that_verl_would_take_for_another_order_is_refused(key: str) -> None:
    with pytest.raises(ConfigError, match="verl has no such key"):
        refuse_owned({key: 2})


def test_a_free_key_is_the_users() -> None:
    free = ("+verl.actor_rollout_ref.rollout.top_k=5", "+verl.actor_rollout_ref.actor.optim.betas=[0.9,0.95]")
    run = spec(*free, "+verl.trainer={balance_batch: false}", "+verl.actor_rollout_ref.rollout.name=hf_cpu")
    assert set(run.verl_keys) == {
        "actor_rollout_ref.rollout.top_k",
        "actor_rollout_ref.actor.optim.betas",
        "trainer.balance_batch",
        "actor_rollout_ref.rollout.name",
    }


def test_a_run_that_was_frozen_with_such_a_key_is_still_read() -> None:
    old = replace(spec(), verl={"trainer": {"balance_batch": False}, "data": {"train_batch_size": 8}})
    assert RunSpec.from_json(old.to_json()) == old
    assert written(old)["data.train_batch_size"] == "8"
