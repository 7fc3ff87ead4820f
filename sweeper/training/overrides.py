"""One pure function from a `RunSpec` to the overrides of `python -m verl.trainer.main_ppo`.

The result is golden-tested per algorithm and checked against the installed verl by `sweeper.plan.verl_verdict`.
"""

from dataclasses import dataclass
from pathlib import Path

from data_prep.spec import Order
from sweeper.host.machine import Device
from sweeper.spec.dotted import Value, render
from sweeper.spec.run import RunSpec
from sweeper.training.fork_server import worker_command
from sweeper.training.ray_nodes import share_of_node


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The paths one training job reads and writes."""

    model: Path
    train: Path
    val: Path
    checkpoints: Path
    validations: Path
    rewards: Path  # files of the user's own reward functions, by digest
    hydra: Path
    fork_socket: Path | None = None  # of the server that Ray's workers are forked from
    settings: Path | None = None  # a Hydra folder with `sweeper/run.yaml`


def verl_overrides(spec: RunSpec, files: Files, device: Device) -> tuple[str, ...]:
    """The full, ordered override list of one run.

    Args:
        spec: What to train.
        files: Where the job's inputs and outputs lie.
        device: `cpu` or `cuda`, of the machine that will train.

    Returns:
        Hydra overrides, each `key=value`; `++` where verl's YAML lacks the key but its code reads it. The keys the
        user set under `verl` win over ours; of those that are not the user's to set (`sweeper.training.owners`) no run
        is made.
    """
    values: dict[str, Value] = {}
    for part in (_data, _model, _actor, _rollout, _critic, _algorithm, _trainer):
        values |= part(spec, files)
    values |= _gpu(spec) if device is Device.cuda else _cpu(spec, files)
    values |= spec.verl_keys
    return tuple(f"{_prefix(key)}{key}={render(value)}" for key, value in values.items())


OWN_REWARDS = "reward.custom_reward_function.reward_kwargs.own"
# Keys that verl's code reads but its YAML does not list; they need "++" to be set.
_UNLISTED = (
    "actor_rollout_ref.model.override_config.",
    "critic.model.override_config.",
    "actor_rollout_ref.actor.fsdp_config.mixed_precision.",
    "actor_rollout_ref.ref.fsdp_config.mixed_precision.",
    "critic.fsdp.mixed_precision.",
    "actor_rollout_ref.rollout.enable_sleep_mode",
    "ray_kwargs.ray_init.",
    "reward.custom_reward_function.reward_kwargs.",
)


def _prefix(key: str) -> str:
    return "++" if key.startswith(_UNLISTED) else ""


def _data(spec: RunSpec, files: Files) -> dict[str, Value]:
    training = spec.training
    return {
        "data.train_files": str(files.train),
        "data.val_files": str(files.val),
        "data.train_batch_size": training.train_batch_size,
        "data.max_prompt_length": training.max_prompt_length,
        "data.max_response_length": training.max_response_length,
        "data.filter_overlong_prompts": True,
        "data.shuffle": spec.curriculum.order is Order.mixed,
        "data.seed": spec.seed,
    }


def _model(spec: RunSpec, files: Files) -> dict[str, Value]:
    lora = spec.algorithm.lora
    values: dict[str, Value] = {
        "actor_rollout_ref.model.path": str(files.model),
        "actor_rollout_ref.model.enable_gradient_checkpointing": spec.model.resources.gradient_checkpointing,
    }
    if lora.rank > 0:
        values |= {
            "actor_rollout_ref.model.lora_rank": lora.rank,
            "actor_rollout_ref.model.lora_alpha": lora.alpha,
            "actor_rollout_ref.model.target_modules": list(lora.target_modules),
            # Merged weights go to the rollout engine: the one form that every engine accepts.
            "actor_rollout_ref.model.lora.merge": True,
        }
    return values


def _actor(spec: RunSpec, files: Files) -> dict[str, Value]:
    del files
    algorithm, training, resources = spec.algorithm, spec.training, spec.model.resources
    actor = "actor_rollout_ref.actor"
    return {
        f"{actor}.strategy": "fsdp2",
        f"{actor}.ppo_mini_batch_size": training.ppo_mini_batch_size,
        f"{actor}.ppo_epochs": algorithm.ppo_epochs,
        f"{actor}.use_dynamic_bsz": True,
        f"{actor}.ppo_max_token_len_per_gpu": resources.actor_tokens_per_gpu,
        f"{actor}.clip_ratio": algorithm.clip_ratio_low,
        f"{actor}.clip_ratio_low": algorithm.clip_ratio_low,
        f"{actor}.clip_ratio_high": algorithm.clip_ratio_high,
        f"{actor}.clip_ratio_c": algorithm.clip_ratio_c,
        f"{actor}.entropy_coeff": algorithm.entropy_coeff,
        f"{actor}.loss_agg_mode": algorithm.loss_agg_mode,
        f"{actor}.use_kl_loss": algorithm.kl.in_loss,
        f"{actor}.kl_loss_coef": algorithm.kl.loss_coef,
        f"{actor}.kl_loss_type": algorithm.kl.loss_type,
        f"{actor}.optim.clip_grad": training.grad_clip,
        f"{actor}.optim.lr": spec.actor_lr,
        f"{actor}.optim.lr_warmup_steps": training.lr_warmup_steps,
        f"{actor}.optim.weight_decay": training.weight_decay,
        f"{actor}.ulysses_sequence_parallel_size": resources.sequence_parallel,
        f"{actor}.fsdp_config.param_offload": resources.offload,
        f"{actor}.fsdp_config.optimizer_offload": resources.offload,
        f"{actor}.fsdp_config.seed": spec.seed,
        f"{actor}.data_loader_seed": spec.seed,
        # hf_model: plain weights beside the sharded state, read by the pass@k evaluation.
        f"{actor}.checkpoint.save_contents": ["model", "optimizer", "extra", "hf_model"],
    }


def _rollout(spec: RunSpec, files: Files) -> dict[str, Value]:
    del files
    resources, rollout = spec.model.resources, "actor_rollout_ref.rollout"
    return {
        f"{rollout}.n": spec.algorithm.rollout_n,
        f"{rollout}.temperature": spec.training.temperature,
        f"{rollout}.top_p": spec.training.top_p,
        f"{rollout}.seed": spec.seed,
        f"{rollout}.tensor_model_parallel_size": resources.tensor_parallel,
        f"{rollout}.max_num_seqs": resources.max_num_seqs,
        f"{rollout}.log_prob_use_dynamic_bsz": True,
        f"{rollout}.log_prob_max_token_len_per_gpu": resources.log_prob_tokens_per_gpu,
        f"{rollout}.val_kwargs.n": spec.eval.val_n,
        f"{rollout}.val_kwargs.do_sample": True,
        f"{rollout}.val_kwargs.temperature": spec.eval.temperature,
        f"{rollout}.val_kwargs.top_p": spec.eval.top_p,
        "actor_rollout_ref.ref.log_prob_use_dynamic_bsz": True,
        "actor_rollout_ref.ref.log_prob_max_token_len_per_gpu": resources.log_prob_tokens_per_gpu,
    }


def _critic(spec: RunSpec, files: Files) -> dict[str, Value]:
    if not spec.algorithm.has_critic:
        return {}
    training, resources = spec.training, spec.model.resources
    lr = spec.algorithm.critic_lr if spec.algorithm.critic_lr is not None else training.critic_lr
    return {
        "critic.strategy": "fsdp2",
        "critic.model.path": str(files.model),
        "critic.model.enable_gradient_checkpointing": resources.gradient_checkpointing,
        "critic.optim.lr": lr,
        "critic.optim.lr_warmup_steps": training.lr_warmup_steps,
        "critic.optim.weight_decay": training.weight_decay,
        "critic.optim.clip_grad": training.grad_clip,
        "critic.cliprange_value": spec.algorithm.cliprange_value,
        "critic.ppo_max_token_len_per_gpu": resources.actor_tokens_per_gpu,
        "critic.ulysses_sequence_parallel_size": resources.sequence_parallel,
        "critic.fsdp.param_offload": resources.offload,
        "critic.fsdp.optimizer_offload": resources.offload,
        "critic.fsdp.seed": spec.seed,
        "trainer.critic_warmup": spec.algorithm.critic_warmup,
    }


def _algorithm(spec: RunSpec, files: Files) -> dict[str, Value]:
    algorithm, kl, reward = spec.algorithm, spec.algorithm.kl, spec.reward
    values: dict[str, Value] = {
        "algorithm.adv_estimator": algorithm.adv_estimator,
        "algorithm.gamma": algorithm.gamma,
        "algorithm.lam": algorithm.lam,
        "algorithm.norm_adv_by_std_in_grpo": algorithm.norm_adv_by_std,
        "algorithm.use_kl_in_reward": kl.in_reward,
        "algorithm.kl_penalty": kl.reward_penalty,
        "algorithm.kl_ctrl.type": kl.reward_controller,
        "algorithm.kl_ctrl.kl_coef": kl.reward_coef,
        "algorithm.kl_ctrl.target_kl": kl.target,
        # The top-level custom_reward_function key still exists in 0.9.1 but is ignored by main_ppo.
        "reward.custom_reward_function.path": "pkg://rewards",
        "reward.custom_reward_function.name": "compute_score",
    }
    if reward.scorers:
        values[OWN_REWARDS] = list(reward.references(files.rewards))
    if reward.partial_credit:
        values["reward.custom_reward_function.reward_kwargs.partial_credit"] = True
    return values


def _trainer(spec: RunSpec, files: Files) -> dict[str, Value]:
    # Of our settings, for trackers (`sweeper.training.tracking`).
    more: dict[str, Value] = {}
    if files.settings is not None:
        more = {"hydra.searchpath": [f"file://{files.settings}"], "+sweeper": "run"}
    return {
        "trainer.nnodes": spec.model.resources.nodes,
        "trainer.n_gpus_per_node": spec.model.resources.gpus_per_node,
        "trainer.logger": ["console", "file", *spec.logging.trackers],
        "trainer.project_name": spec.logging.project,
        "trainer.experiment_name": spec.run_id,
        "trainer.total_training_steps": spec.total_steps,
        # Steps rule; epochs only bound them.
        "trainer.total_epochs": 1_000_000,
        "trainer.val_before_train": True,
        "trainer.test_freq": spec.eval.val_freq,
        "trainer.save_freq": spec.training.save_freq,
        "trainer.max_actor_ckpt_to_keep": 2,
        "trainer.max_critic_ckpt_to_keep": 2,
        "trainer.default_local_dir": str(files.checkpoints),
        "trainer.validation_data_dir": str(files.validations),
        "trainer.resume_mode": "auto",
        "hydra.run.dir": str(files.hydra),
        **more,
    }


def _gpu(spec: RunSpec) -> dict[str, Value]:
    resources = spec.model.resources
    values: dict[str, Value] = {
        "actor_rollout_ref.rollout.name": "vllm",
        "actor_rollout_ref.rollout.gpu_memory_utilization": resources.gpu_memory_utilization,
        # verl would ask vLLM for the model's whole context, and vLLM starts only if its cache holds one such sequence:
        # 131,072 tokens of a 14B model take 24 GiB.
        "actor_rollout_ref.rollout.max_model_len": spec.training.max_length,
        "actor_rollout_ref.model.use_remove_padding": True,
    }
    if spec.algorithm.has_critic:
        values["critic.model.use_remove_padding"] = True
    return values


def _cpu(spec: RunSpec, files: Files) -> dict[str, Value]:
    """What a machine without a GPU needs; docs/verl-cpu.md gives the reason of each."""
    share = share_of_node(spec, Device.cpu)
    models = ["actor_rollout_ref.model"]
    engines = ["actor_rollout_ref.actor.fsdp_config", "actor_rollout_ref.ref.fsdp_config"]
    if spec.algorithm.has_critic:
        models.append("critic.model")
        engines.append("critic.fsdp")
    values: dict[str, Value] = {
        "trainer.device": "cpu",
        "data.dataloader_num_workers": 0,
        "actor_rollout_ref.actor.use_torch_compile": False,
        "actor_rollout_ref.rollout.name": "hf_cpu",
        "actor_rollout_ref.rollout.load_format": "auto",
        "actor_rollout_ref.rollout.dtype": "float32",
        "actor_rollout_ref.rollout.free_cache_engine": False,
        "actor_rollout_ref.rollout.agent.num_workers": 2,
        "reward.num_workers": 1,
        "transfer_queue.backend.SimpleStorage.num_data_storage_units": 1,
        "trainer.v1.sampler.custom_sampler.path": "pkg://sweeper.verl_cpu.sampler",
        "trainer.v1.sampler.custom_sampler.name": "FastReplayBuffer",
    }
    if spec.model.resources.nodes == 1:  # else sweeper.training.ray_nodes has started Ray
        values |= {
            "ray_kwargs.ray_init.num_cpus": share.cpus,
            "ray_kwargs.ray_init.num_gpus": share.gpus,
            "ray_kwargs.ray_init.include_dashboard": False,
            # Never join a Ray that someone else started on this machine.
            "ray_kwargs.ray_init.address": "local",
        }
    for model in models:
        values[f"{model}.use_remove_padding"] = False
        values[f"{model}.override_config.attn_implementation"] = "sdpa"
    for engine in engines:
        values[f"{engine}.use_torch_compile"] = False
        values[f"{engine}.mixed_precision.param_dtype"] = "fp32"
    if files.fork_socket is not None:
        values["ray_kwargs.ray_init.runtime_env.py_executable"] = worker_command(files.fork_socket)
    return values
