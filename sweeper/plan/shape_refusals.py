"""What does not divide: a model's shape, its GPUs, and the sequences of a batch among them."""

from data_prep.spec import Tasks
from data_prep.synthetic.tasks import STRINGS
from sweeper.host.errors import ConfigError
from sweeper.inputs.tiny import tokens_of
from sweeper.rows.flops import adaptable
from sweeper.spec.model import ModelSource
from sweeper.spec.run import RunSpec
from sweeper.training.sft import SftShare


def refuse_shape(spec: RunSpec) -> None:
    """Refuse a model that cannot be built, and adapters of what it does not have.

    Raises:
        ConfigError: heads or experts that do not divide, too few tokens, unknown modules.
    """
    shape, lora = spec.model.architecture, spec.algorithm.lora
    if shape.head_size is None and shape.hidden_size % shape.num_heads:
        raise ConfigError(
            f"model.architecture.num_heads={shape.num_heads} must divide hidden_size={shape.hidden_size}; or set "
            "head_size"
        )
    if shape.num_heads % shape.num_kv_heads or shape.head_dim % 2:
        raise ConfigError(
            f"model.architecture.num_kv_heads={shape.num_kv_heads} must divide num_heads={shape.num_heads}, and the "
            f"size of a head, {shape.head_dim}, must be even (rotary positions turn pairs)"
        )
    tasks = spec.model.warm_start.tasks
    least = tokens_of(STRINGS[tasks], acts=tasks is Tasks.agent)
    if spec.model.source is ModelSource.tiny and shape.vocab_size < least:
        raise ConfigError(
            f"model.architecture.vocab_size={shape.vocab_size}: must be at least {least}, the tokens of a tiny model"
        )
    experts, chosen = shape.num_experts, shape.experts_per_token
    if (experts is None) != (chosen is None) or (experts and chosen and not 1 <= chosen <= experts):
        raise ConfigError(
            f"model.architecture.num_experts={experts}, experts_per_token={chosen}: set both, with 1 <= "
            "experts_per_token <= num_experts, or neither"
        )
    if experts and spec.model.source is ModelSource.tiny:
        raise ConfigError(
            f"model.architecture.num_experts={experts}: tiny models are dense; set it to null, or take a model.source "
            "that has experts"
        )
    unbuilt = {
        "head_size": shape.head_size not in (None, shape.hidden_size // shape.num_heads),
        "qk_norm": bool(shape.qk_norm),
        "attention_bias": not shape.attention_bias,
    }
    for name in [name for name, is_set in unbuilt.items() if is_set and spec.model.source is ModelSource.tiny]:
        raise ConfigError(
            f"model.architecture.{name}={getattr(shape, name)}: tiny models are Qwen2's, which have heads of "
            "hidden_size / num_heads, biases and no norm of queries and keys; leave it out"
        )
    unknown = set(lora.target_modules) - {"all-linear", *adaptable(shape)} if lora.rank else set()
    if unknown:
        raise ConfigError(
            f"algorithm.lora.target_modules has {', '.join(sorted(unknown))}: choose from {', '.join(adaptable(shape))}"
        )


def refuse_division(spec: RunSpec) -> None:
    """Refuse what verl and vLLM assert only after a job has waited for its GPUs.

    Raises:
        ConfigError: heads, GPUs or sequences that do not divide among each other.
    """
    resources, heads = spec.model.resources, spec.model.architecture.num_heads
    kv_heads = spec.model.architecture.num_kv_heads
    gpus, width, ring = resources.devices, resources.tensor_parallel, resources.sequence_parallel
    shape = f"{resources.nodes} x {resources.gpus_per_node} GPUs (model.resources.nodes x gpus_per_node)"
    if gpus % width or heads % width:
        raise ConfigError(
            f"model.resources.tensor_parallel={width} must divide both {shape} and the {heads} attention "
            f"heads of {spec.model.name}; use {_divisors(gpus, heads)}"
        )
    if gpus % ring or heads % ring or (kv_heads % ring and ring % kv_heads):
        raise ConfigError(
            f"model.resources.sequence_parallel={ring} must divide {shape} and the {heads} attention heads of "
            f"{spec.model.name}, and divide its {kv_heads} KV heads or be a multiple of them; "
            f"use {_divisors(gpus, heads, kv_heads)}"
        )
    workers = gpus // ring
    for key, prompts in (
        ("training.train_batch_size", spec.training.train_batch_size),
        ("training.ppo_mini_batch_size", spec.training.ppo_mini_batch_size),
    ):
        sequences = prompts * spec.algorithm.rollout_n
        if sequences % workers:
            raise ConfigError(
                f"{key}={prompts} x algorithm.rollout_n={spec.algorithm.rollout_n} = {sequences} sequences do not "
                f"divide among {workers} training workers ({shape} / sequence_parallel={ring}); use a multiple of "
                f"{workers} sequences, or other GPUs"
            )
    tuned = SftShare.of(resources, spec.training.max_length).workers
    warm = spec.model.warm_start
    shown = {"data.sft_share": spec.n_sft, "model.warm_start.batch_size": warm.batch_size if warm.steps else 0}
    for key, rows in shown.items():
        if 0 < rows < tuned:
            raise ConfigError(
                f"{key}: {rows} problems to fine-tune on for {tuned} workers (model.resources.gpus_per_node="
                f"{resources.gpus_per_node} / sequence_parallel): each needs one; take more problems, or fewer GPUs"
            )


def _divisors(gpus: int, heads: int, kv_heads: int | None = None) -> str:
    fine = [n for n in range(1, gpus + 1) if gpus % n == 0 and heads % n == 0]
    return " or ".join(str(n) for n in fine if kv_heads is None or kv_heads % n == 0 or n % kv_heads == 0)
