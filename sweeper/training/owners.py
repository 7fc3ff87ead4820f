"""Which setting of ours decides a key of verl's: such a key is not the user's to set.

What `sweeper.training.overrides` and `sweeper.training.sft` write and is not here is a default that the user may
replace: how fast a run is, and what an engine is like inside.
"""

import re
from collections.abc import Iterator, Mapping
from operator import attrgetter
from typing import Any

from sweeper.host.errors import ConfigError
from sweeper.spec.dotted import dotted, overlap, render
from sweeper.spec.run import RunSpec

# By setting of ours: verl's keys that get its value. `actor`, `model`, `ref` and `rollout` are parts of
# `actor_rollout_ref`.
WRITTEN = {
    "training.train_batch_size": "data.train_batch_size",
    "training.max_prompt_length": "data.max_prompt_length",
    "training.max_response_length": "data.max_response_length",
    "seed": "data.seed actor.fsdp_config.seed actor.data_loader_seed rollout.seed critic.fsdp.seed",
    "model.resources.gradient_checkpointing": "model.enable_gradient_checkpointing "
    "critic.model.enable_gradient_checkpointing",
    "training.ppo_mini_batch_size": "actor.ppo_mini_batch_size",
    "algorithm.ppo_epochs": "actor.ppo_epochs",
    "algorithm.rollout_n": "rollout.n",
    # The critic's: verl's trainer gives its engine this budget for values and for updates alike, and no other.
    "model.resources.actor_tokens_per_gpu": "actor.ppo_max_token_len_per_gpu critic.ppo_infer_max_token_len_per_gpu",
    "algorithm.clip_ratio_low": "actor.clip_ratio actor.clip_ratio_low",
    "algorithm.clip_ratio_high": "actor.clip_ratio_high",
    "algorithm.clip_ratio_c": "actor.clip_ratio_c",
    "algorithm.entropy_coeff": "actor.entropy_coeff",
    "algorithm.policy_loss": "actor.policy_loss.loss_mode",
    "algorithm.loss_agg_mode": "actor.loss_agg_mode",
    "algorithm.kl.in_loss": "actor.use_kl_loss",
    "algorithm.kl.loss_coef": "actor.kl_loss_coef",
    "algorithm.kl.loss_type": "actor.kl_loss_type",
    "training.grad_clip": "actor.optim.clip_grad critic.optim.clip_grad",
    "training.lr_warmup_steps": "actor.optim.lr_warmup_steps critic.optim.lr_warmup_steps",
    "training.weight_decay": "actor.optim.weight_decay critic.optim.weight_decay",
    # The critic's: verl hands an actor's degree on to its engine, and a critic's not.
    "model.resources.sequence_parallel": "actor.ulysses_sequence_parallel_size "
    "critic.fsdp.ulysses_sequence_parallel_size",
    "model.resources.offload": "actor.fsdp_config.param_offload actor.fsdp_config.optimizer_offload "
    "critic.fsdp.param_offload critic.fsdp.optimizer_offload",
    "training.temperature": "rollout.temperature",
    "training.top_p": "rollout.top_p",
    "model.resources.tensor_parallel": "rollout.tensor_model_parallel_size",
    "model.resources.max_num_seqs": "rollout.max_num_seqs",
    "model.resources.nodes": "trainer.nnodes",
    "model.resources.gpus_per_node": "trainer.n_gpus_per_node",
    "model.resources.log_prob_tokens_per_gpu": "rollout.log_prob_max_token_len_per_gpu "
    "ref.log_prob_max_token_len_per_gpu",
    "eval.val_n": "rollout.val_kwargs.n",
    "eval.temperature": "rollout.val_kwargs.temperature",
    "eval.top_p": "rollout.val_kwargs.top_p",
    "algorithm.adv_estimator": "algorithm.adv_estimator",
    "algorithm.cliprange_value": "critic.cliprange_value",
    "algorithm.gamma": "algorithm.gamma",
    "algorithm.lam": "algorithm.lam",
    "algorithm.norm_adv_by_std": "algorithm.norm_adv_by_std_in_grpo",
    "algorithm.kl.in_reward": "algorithm.use_kl_in_reward",
    "algorithm.kl.reward_penalty": "algorithm.kl_penalty",
    "algorithm.kl.reward_controller": "algorithm.kl_ctrl.type",
    "algorithm.kl.reward_coef": "algorithm.kl_ctrl.kl_coef",
    "algorithm.kl.target": "algorithm.kl_ctrl.target_kl",
    "logging.project": "trainer.project_name",
    "eval.val_freq": "trainer.test_freq",
    "training.save_freq": "trainer.save_freq",
}
# The others by which verl would be told the same, each for all beneath it: some are written, but not as they are.
MEANT = {
    "data_root": "data.train_files data.val_files data.custom_cls data.prompt_key data.reward_fn_key",
    "data_scale.n_unique": "data.train_max_samples",
    "eval.val_problems_per_domain": "data.val_max_samples",
    "training.train_batch_size": "data.gen_batch_size",
    "training.max_prompt_length": "data.filter_overlong_prompts data.truncation rollout.prompt_length",
    "training.max_response_length": "rollout.response_length rollout.max_model_len data.max_length",
    "curriculum.order": "data.shuffle data.sampler",
    "model.path": "data.tokenizer model.path model.hf_config_path model.tokenizer_path critic.model.path "
    "critic.model.hf_config_path critic.model.tokenizer_path",
    "model.prompt_style": "data.apply_chat_template_kwargs model.custom_chat_template "
    "critic.model.custom_chat_template",
    "algorithm.lora.rank": "model.lora_rank model.lora.rank model.lora_adapter_path model.lora.adapter_path",
    "algorithm.lora.alpha": "model.lora_alpha model.lora.alpha",
    "algorithm.lora.target_modules": "model.target_modules model.lora.target_modules",
    "training.ppo_mini_batch_size": "critic.ppo_mini_batch_size",
    "algorithm.ppo_epochs": "critic.ppo_epochs",
    "algorithm.rollout_n": "actor.rollout_n ref.rollout_n critic.rollout_n",
    "training.grad_clip": "actor.grad_clip actor.optim.grad_clip critic.optim.grad_clip critic.grad_clip",
    "training.actor_lr": "actor.optim.lr",
    "training.lr_warmup_steps": "actor.optim.lr_warmup_steps_ratio critic.optim.lr_warmup_steps_ratio",
    "training.total_steps": "actor.optim.total_training_steps critic.optim.total_training_steps "
    "trainer.total_training_steps trainer.total_epochs trainer.val_only",
    "model.resources.actor_tokens_per_gpu": "critic.ppo_max_token_len_per_gpu critic.forward_max_token_len_per_gpu",
    "model.resources.sequence_parallel": "actor.fsdp_config.ulysses_sequence_parallel_size "
    "ref.ulysses_sequence_parallel_size ref.fsdp_config.ulysses_sequence_parallel_size "
    "critic.ulysses_sequence_parallel_size",
    "training.temperature": "rollout.do_sample",
    "model.resources.gpu_memory_utilization": "rollout.gpu_memory_utilization",
    "model.resources.nodes": "rollout.nnodes",
    "model.resources.gpus_per_node": "rollout.n_gpus_per_node",
    "eval.temperature": "rollout.val_kwargs.do_sample",
    "algorithm.adv_estimator": "critic.enable",
    "algorithm.filter_groups": "algorithm.filter_groups trainer.v1.sampler.sampler_kwargs.filter_groups",
    "training.critic_lr": "critic.optim.lr",
    "cluster.device": "trainer.device",
    "algorithm.critic_warmup": "trainer.critic_warmup",
    "logging.backends": "trainer.logger",
    "training.sft.lr": "optim",
    "reward.path": "reward.custom_reward_function custom_reward_function",
}
# Likewise what no setting decides.
FIXED = {
    "what a resumed run and pass@k read": "actor.checkpoint.save_contents",
    "what a resumed run reads": "actor.checkpoint.load_contents",
    "the run's id": "trainer.experiment_name",
    "the measure of the base model": "trainer.val_before_train",
    # By which verl would be told of tools and turns; its trainer does not read `multi_turn.enable`.
    "the run's agent (agent=NAME, one of conf/agent, e.g. agent=calculator)": "rollout.multi_turn "
    "rollout.agent.default_agent_loop rollout.agent.agent_loop_config_path rollout.agent.agent_loop_manager_class",
    # Other stores and meters of TransferQueue listen where nobody has closed them (`queue_sockets`).
    "who can reach a run": "ray_kwargs.ray_init.runtime_env.worker_process_setup_hook "
    "transfer_queue.backend.storage_backend transfer_queue.metrics",
    "the run's own folder": "trainer.default_local_dir trainer.default_hdfs_dir trainer.validation_data_dir "
    "trainer.resume_mode trainer.resume_from_path trainer.del_local_ckpt_after_load hydra",
}
_PARTS = ("actor.", "model.", "ref.", "rollout.")
_KEY = re.compile(r"[\w-]+(\.[\w-]+)*")


def owners() -> dict[str, str]:
    """By key of verl's, in full: what decides it, a setting of ours or in words."""
    return {key: owner for table in (WRITTEN, MEANT, FIXED) for key, owner in _in_full(table)}


def refuse_owned(verl: Mapping[str, Any]) -> None:
    """Refuse keys of verl's that are not the user's to set.

    Args:
        verl: What the user set under `verl`, dotted or nested.

    Raises:
        ConfigError: with the key and what decides it.
    """
    known = owners() if verl else {}
    for key, value in dotted(verl).items():
        if not _KEY.fullmatch(key):
            raise ConfigError(f"verl.{key}: verl has no such key; one is of letters, digits, _, - and dots")
        owned = next((one for one in known if overlap(key, one)), None)
        if owned is not None:
            owner = known[owned]
            cure = "leave it out" if " " in owner else f"set that, and leave verl.{key} out"
            raise ConfigError(f"verl.{key}={render(value)}: {owner} decides {owned if key != owned else 'it'}; {cure}")


def values_of(spec: RunSpec) -> dict[str, Any]:
    """The keys of verl's that get a setting's value as it is; of a run without a critic, none of a critic."""
    pairs = ((key, attrgetter(setting)(spec)) for key, setting in _in_full(WRITTEN))
    return {key: value for key, value in pairs if spec.algorithm.has_critic or not key.startswith("critic.")}


def _in_full(table: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for owner, keys in table.items():
        for key in keys.split():
            yield f"actor_rollout_ref.{key}" if key.startswith(_PARTS) else key, owner
