"""One pure function from a `RunSpec` to the overrides of `python -m verl.trainer.main_ppo`.

The result is golden-tested per algorithm and checked against the installed verl by `sweeper.plan.verl_verdict`.
"""

from dataclasses import dataclass
from pathlib import Path

from data_prep.spec import Order
from sweeper.agent import files as agent_files
from sweeper.host.errors import ConfigError
from sweeper.host.machine import Device
from sweeper.spec.dotted import Value, overlap, render
from sweeper.spec.model import Resources
from sweeper.spec.run import RunSpec
from sweeper.training import checkpoint
from sweeper.training.fork_server import worker_command
from sweeper.training.owners import values_of
from sweeper.training.processors import STORAGE_UNITS
from sweeper.training.queue_sockets import HOOK
from sweeper.training.ray_nodes import share_of_node


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The paths one training job reads and writes, and what trackers call it."""

    model: Path
    train: Path
    val: Path
    checkpoints: Path
    validations: Path
    rewards: Path  # files of the user's own reward functions, by digest
    hydra: Path
    fork_socket: Path | None = None  # of the server that Ray's workers are forked from
    settings: Path | None = None  # a Hydra folder with `sweeper/run.yaml`
    title: str | None = None  # of the run, for trackers; None: its id
    agent: Path = Path("agent")  # folder of verl's files of an agent (`sweeper.agent.files`)


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

    Raises:
        ConfigError: a key of the user's would take the agent's place in verl's sampler, or change nothing in it.
    """
    _refuse_filters_without_sampler(spec)
    values: dict[str, Value] = values_of(spec) | _policy(spec, files) | _trainer(spec, files)
    values |= _gpu(spec) if device is Device.cuda else _cpu(spec, files)
    values |= _ray(spec.model.resources, device)
    values |= _agent(spec, files, device) if spec.agent.acts else {}
    values |= spec.verl_keys
    return tuple(f"{_prefix(key)}{key}={render(value)}" for key, value in values.items())


_KWARGS = "reward.custom_reward_function.reward_kwargs"
OWN_REWARDS = f"{_KWARGS}.own"
# Keys that verl's code reads but its YAML does not list; they need "++" to be set.
_UNLISTED = (
    "actor_rollout_ref.model.override_config.",
    "critic.model.override_config.",
    "actor_rollout_ref.actor.fsdp_config.mixed_precision.",
    "actor_rollout_ref.ref.fsdp_config.mixed_precision.",
    "critic.fsdp.mixed_precision.",
    "critic.ppo_infer_max_token_len_per_gpu",
    "actor_rollout_ref.rollout.enable_sleep_mode",
    "ray_kwargs.ray_init.",
    "reward.custom_reward_function.reward_kwargs.",
    "trainer.v1.sampler.sampler_kwargs.",
)


def _prefix(key: str) -> str:
    return "++" if key.startswith(_UNLISTED) else ""


def _policy(spec: RunSpec, files: Files) -> dict[str, Value]:
    lora = spec.algorithm.lora
    values: dict[str, Value] = {
        "data.train_files": str(files.train),
        "data.val_files": str(files.val),
        "data.filter_overlong_prompts": True,
        "data.shuffle": spec.curriculum.order is Order.mixed,
        "actor_rollout_ref.model.path": str(files.model),
        "actor_rollout_ref.actor.strategy": "fsdp2",
        "actor_rollout_ref.actor.use_dynamic_bsz": True,
        "actor_rollout_ref.actor.optim.lr": spec.actor_lr,
        # hf_model: plain weights beside the sharded state, read by the pass@k evaluation.
        "actor_rollout_ref.actor.checkpoint.save_contents": ["model", "optimizer", "extra", "hf_model"],
        "actor_rollout_ref.rollout.log_prob_use_dynamic_bsz": True,
        "actor_rollout_ref.rollout.val_kwargs.do_sample": True,
        "actor_rollout_ref.ref.log_prob_use_dynamic_bsz": True,
    }
    if spec.algorithm.loss_agg_mode == "seq-mean-token-sum-norm":
        # verl divides by the width of a batch otherwise, which differs from one to the next.
        values["actor_rollout_ref.actor.loss_scale_factor"] = spec.training.max_response_length
    if lora.rank > 0:
        values |= {
            "actor_rollout_ref.model.lora_rank": lora.rank,
            "actor_rollout_ref.model.lora_alpha": lora.alpha,
            "actor_rollout_ref.model.target_modules": list(lora.target_modules),
            # Merged weights go to the rollout engine: the one form that every engine accepts.
            "actor_rollout_ref.model.lora.merge": True,
        }
    if spec.algorithm.has_critic:
        own = spec.algorithm.critic_lr
        values |= {
            "critic.strategy": "fsdp2",
            "critic.model.path": str(files.model),
            "critic.optim.lr": spec.training.critic_lr if own is None else own,
            "trainer.critic_warmup": spec.algorithm.critic_warmup,
        }
    return values


def _trainer(spec: RunSpec, files: Files) -> dict[str, Value]:
    reward, kept = spec.reward, None if spec.evaluated_steps else checkpoint.KEPT
    values: dict[str, Value] = {
        # The top-level custom_reward_function key still exists in 0.9.1 but is ignored by main_ppo.
        "reward.custom_reward_function.path": "pkg://rewards",
        "reward.custom_reward_function.name": "compute_score",
        "trainer.logger": ["console", "file", *spec.logging.trackers],
        "trainer.experiment_name": files.title or spec.run_id,
        "trainer.total_training_steps": spec.total_steps,
        # Steps rule; epochs only bound them.
        "trainer.total_epochs": 1_000_000,
        "trainer.val_before_train": True,
        "trainer.max_actor_ckpt_to_keep": kept,  # None: all, for `checkpoint.thin`
        "trainer.max_critic_ckpt_to_keep": kept,
        "trainer.default_local_dir": str(files.checkpoints),
        "trainer.validation_data_dir": str(files.validations),
        "trainer.resume_mode": "auto",
        "hydra.run.dir": str(files.hydra),
    }
    if reward.scorers:
        values[OWN_REWARDS] = list(reward.references(files.rewards))
    if reward.partial_credit:
        values[f"{_KWARGS}.partial_credit"] = True
    if reward.limits:
        values[f"{_KWARGS}.limits"] = list(reward.program_limits)
    if files.settings is not None:  # ours, for trackers (`sweeper.training.tracking`)
        values |= {"hydra.searchpath": [f"file://{files.settings}"], "+sweeper": "run"}
    return values


# vLLM captures CUDA graphs of up to 512 sequences unasked. Above that a step of a small model takes as long as starting
# its kernels one by one; of a larger one it does not, and few of its sequences fit the cache.
_GRAPHS = (1, 2, 4, *range(8, 256, 8), *range(256, 512, 16), *range(512, 1025, 128))
_SMALL = 3.5e9  # parameters


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
    if resources.max_num_seqs > 512 and spec.model.architecture.n_params < _SMALL:
        sizes = [size for size in _GRAPHS if size < resources.max_num_seqs]
        values["actor_rollout_ref.rollout.cudagraph_capture_sizes"] = [*sizes, resources.max_num_seqs]
    if spec.algorithm.has_critic:
        values["critic.model.use_remove_padding"] = True
    return values | _sampler(spec, "sweeper.training.sampler", "CountingReplayBuffer")


_SAMPLER = "trainer.v1.sampler"
_REFILL = f"{_SAMPLER}.sync_refill_failed_groups"
_MODE = "trainer.v1.trainer_mode"


def other_sampler(spec: RunSpec) -> str | None:
    """Why a run has another sampler than ours, so that nothing of its steps is counted; None: it has ours."""
    if spec.verl_keys.get(_REFILL) and not spec.agent.acts:
        return f"verl.{_REFILL}: verl refills groups in its own sampler alone, which counts no verdicts"
    if spec.verl_keys.get(_MODE, "sync") != "sync":
        return f"verl.{_MODE}: verl has a sampler of its own for it, which counts no verdicts"
    taken = next((key for key in spec.verl_keys if overlap(key, f"{_SAMPLER}.custom_sampler")), None)
    return taken and f"verl.{taken}: that sampler counts no verdicts"


def _sampler(spec: RunSpec, path: str, name: str) -> dict[str, Value]:
    if other_sampler(spec):
        return {}
    sampler = {f"{_SAMPLER}.custom_sampler.path": f"pkg://{path}", f"{_SAMPLER}.custom_sampler.name": name}
    return sampler | _filter(spec)


def _filter(spec: RunSpec) -> dict[str, Value]:
    """Dynamic sampling (DAPO, arXiv:2503.14476): verl's own keys, for its data loader, and those of our sampler."""
    if not spec.algorithm.filter_groups:
        return {}
    return {
        "algorithm.filter_groups.enable": True,
        "algorithm.filter_groups.metric": "reward",
        f"{_SAMPLER}.sampler_kwargs.filter_groups": True,
        f"{_SAMPLER}.sampler_kwargs.batch": spec.training.train_batch_size,
    }


def _refuse_filters_without_sampler(spec: RunSpec) -> None:
    """Refuse what a sampler would change nothing beside: verl hands neither to one that is not its own."""
    taken = next((key for key in spec.verl_keys if overlap(key, f"{_SAMPLER}.custom_sampler")), None)
    if spec.verl_keys.get(_REFILL) and not spec.agent.acts and taken is not None:
        raise ConfigError(
            f"verl.{_REFILL} changes nothing beside verl.{taken}: verl refills groups in its own sampler alone; leave "
            "one of them out"
        )
    if spec.algorithm.filter_groups and (why := other_sampler(spec)):
        raise ConfigError(
            f"algorithm.filter_groups=true needs our sampler, which draws groups without signal anew and counts them; "
            f"{why.partition(': ')[0]} sets another: leave it out, or set algorithm.filter_groups=false"
        )


def _agent(spec: RunSpec, files: Files, device: Device) -> dict[str, Value]:
    """What makes a rollout an agent's; docs/agent-loop.md says what verl does with each key."""
    for key in spec.verl_keys:
        if overlap(key, _SAMPLER):
            raise ConfigError(
                f"verl.{key}: an agent's run has a sampler of its own, which counts its trajectories; leave the key "
                "out, or set agent=none"
            )
    agent, written = spec.agent, agent_files.paths(spec.agent, files.agent)
    rollout, sampler = "actor_rollout_ref.rollout", f"{_SAMPLER}.custom_sampler"
    fast = device is Device.cpu
    values: dict[str, Value] = {
        f"{rollout}.agent.default_agent_loop": written.loop,
        f"{rollout}.agent.agent_loop_config_path": str(written.loops),
        f"{rollout}.multi_turn.max_assistant_turns": agent.max_turns,
        "reward.custom_reward_function.path": "pkg://rewards.route.trajectory",
        f"{sampler}.path": "pkg://sweeper.verl_cpu.sampler" if fast else "pkg://sweeper.training.agent_sampler",
        f"{sampler}.name": "FastAgentReplayBuffer" if fast else "AgentReplayBuffer",
        f"{_SAMPLER}.sampler_kwargs.n": spec.algorithm.rollout_n,
        f"{_SAMPLER}.sampler_kwargs.val_n": spec.eval.val_n,
    }
    values |= _filter(spec)
    if written.tools is not None:
        values[f"{rollout}.multi_turn.tool_config_path"] = str(written.tools)
        values[f"{rollout}.multi_turn.format"] = spec.call_format
    return values


def _ray(resources: Resources, device: Device) -> dict[str, Value]:
    """A Ray of the run's own on one node; over several `sweeper.training.ray_nodes` starts it."""
    closing: dict[str, Value] = {"ray_kwargs.ray_init.runtime_env.worker_process_setup_hook": HOOK}
    if resources.nodes > 1:
        return closing
    share = share_of_node(resources, device)
    return closing | {
        "ray_kwargs.ray_init.num_cpus": share.cpus,
        "ray_kwargs.ray_init.num_gpus": share.gpus,
        "ray_kwargs.ray_init.include_dashboard": False,
        # Never join a Ray that someone else started on this machine.
        "ray_kwargs.ray_init.address": "local",
    }


def _cpu(spec: RunSpec, files: Files) -> dict[str, Value]:
    """What a machine without a GPU needs; docs/verl-cpu.md gives the reason of each."""
    models = ["actor_rollout_ref.model"]
    engines = ["actor_rollout_ref.actor.fsdp_config", "actor_rollout_ref.ref.fsdp_config"]
    if spec.algorithm.has_critic:
        models.append("critic.model")
        engines.append("critic.fsdp")
    values: dict[str, Value] = {
        "trainer.device": "cpu",
        "data.dataloader_num_workers": 0,
        "actor_rollout_ref.rollout.name": "hf_cpu",
        "actor_rollout_ref.rollout.load_format": "auto",
        "actor_rollout_ref.rollout.dtype": "float32",
        "actor_rollout_ref.rollout.free_cache_engine": False,
        "actor_rollout_ref.rollout.agent.num_workers": 2,
        "reward.num_workers": 1,
        "transfer_queue.backend.SimpleStorage.num_data_storage_units": STORAGE_UNITS[Device.cpu],
    }
    values |= _sampler(spec, "sweeper.verl_cpu.sampler", "FastReplayBuffer")
    for model in models:
        values[f"{model}.use_remove_padding"] = True
        values[f"{model}.override_config.attn_implementation"] = "sdpa"
    for engine in engines:
        values[f"{engine}.use_torch_compile"] = False
        values[f"{engine}.mixed_precision.param_dtype"] = "fp32"
    if files.fork_socket is not None:
        values["ray_kwargs.ray_init.runtime_env.py_executable"] = worker_command(files.fork_socket)
    return values
