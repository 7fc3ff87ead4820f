"""Peak memory of one GPU in every phase of a training step, and the first setting to change when it does not fit.

Counted from verl 0.9.1's code: FSDP2 over all GPUs with float32 parameters, gradients and Adam moments, computing in
bfloat16; the reference model in host memory; the rollout engine asleep outside its phase. Sharded states, engine
weights, the KV cache and logits are exact to a few percent; activations, workspaces and the reserve are estimates, and
no peak has been measured against them. docs/planning.md derives every term.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sweeper.host.machine import Device
from sweeper.plan.gpu import GIB, GPUS
from sweeper.rows.flops import adapter_params
from sweeper.spec.model import Architecture, Resources
from sweeper.spec.run import RunSpec

# CUDA contexts of trainer and engine, NCCL's buffers, the allocator's fragments.
RESERVE = 2.0 * GIB
# What a sleeping vLLM keeps: its context, CUDA graphs and workspaces.
ASLEEP = 2.0 * GIB
BATCHED_TOKENS = 8192  # verl's rollout.max_num_batched_tokens
LOGITS_WITH_ENTROPY = 3  # logits, their gradient, and one more of the entropy's backward pass
MAX_NODES = 64  # as far as a cure is searched


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """Bytes that one phase holds on a GPU at its peak, by what for."""

    phase: str  # rollout | log_prob | reference | critic | actor
    parts: Mapping[str, float]

    @property
    def total(self) -> float:
        """Bytes of the phase."""
        return sum(self.parts.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Peak memory of a run on a GPU of a known type."""

    capacity: float  # bytes
    peaks: tuple[Peak, ...]
    engine_needs: float  # bytes: weights, workspace and the KV cache of one sequence of full length
    engine_has: float  # bytes: gpu_memory_utilization of the capacity
    kv_tokens: int  # tokens that the KV cache of one engine holds

    @property
    def worst(self) -> Peak:
        """The phase that needs most."""
        return max(self.peaks, key=lambda peak: peak.total)

    @property
    def fits(self) -> bool:
        """Whether every phase fits."""
        return self.engine_needs <= self.engine_has and self.worst.total <= self.capacity


def memory_of(spec: RunSpec) -> Memory | None:
    """Peak memory by phase; None without a GPU or for an unknown `cluster.gpu_type`.

    Keys under `verl` are not read: they can change any term.
    """
    gpu = GPUS.get(spec.cluster.gpu_type or "")
    if gpu is None or spec.cluster.device is Device.cpu:
        return None
    resources, arch = spec.model.resources, spec.model.architecture
    world, longest = resources.devices, spec.training.max_length
    actor, critic = _State.of_actor(spec, world), _State.of_critic(spec, world)
    resident = 0.0 if resources.offload else actor.idle + critic.idle
    trainer_base = {"reserve": RESERVE, "engine asleep": ASLEEP}

    weights = 2 * arch.n_params / resources.tensor_parallel
    workspace = BATCHED_TOKENS * 2 * (4 * arch.hidden_size + 2 * sum(arch.mlp_widths) / resources.tensor_parallel)
    workspace += resources.max_num_seqs * arch.vocab_size * 8  # the sampler's float32 logits and probabilities
    kv_token = kv_bytes(arch, resources)
    has = resources.gpu_memory_utilization * gpu.memory
    left = max(0.0, has - weights - workspace)
    rollout = {"reserve": RESERVE, "weights": weights, "workspace": workspace, "KV cache": left}

    forward = _tokens(spec, resources.log_prob_tokens_per_gpu, spec.training.train_batch_size)
    update = _tokens(spec, resources.actor_tokens_per_gpu, spec.training.ppo_mini_batch_size)
    others = 0.0 if resources.offload else critic.idle
    logits = 2 * arch.vocab_size
    fetched = 2 * 2 * _layer_params(arch)  # two layers' bfloat16 weights, the second prefetched
    head = 2 * arch.n_params_head  # in bfloat16; the embedding table is a unit of its own, or the same matrix
    no_grad = {"layer": forward * _passing_bytes(arch), "logits": forward * logits, "gathered": fetched + head}
    peaks = [
        Peak(phase="rollout", parts=rollout | {"trainer": resident}),
        Peak(
            phase="log_prob",
            parts=trainer_base | {"trainer": (actor.weights if resources.offload else resident)} | no_grad,
        ),
    ]
    if spec.algorithm.kl.in_loss or spec.algorithm.kl.in_reward:
        # With LoRA the reference is the actor without its adapters; otherwise its shards lie in host memory.
        own = actor.weights if spec.algorithm.lora.rank else 0.0
        peaks.append(
            Peak(phase="reference", parts=trainer_base | {"trainer": own if resources.offload else resident} | no_grad)
        )
    copies = LOGITS_WITH_ENTROPY if spec.algorithm.entropy_coeff else 1
    if spec.algorithm.adv_estimator == "gae":
        peaks.append(
            Peak(
                phase="critic",
                parts=trainer_base
                | {"other states": 0.0 if resources.offload else actor.idle}
                | critic.updating(arch, resources, update, logits=0.0, head=head, fetched=fetched),
            )
        )
    peaks.append(
        Peak(
            phase="actor",
            parts=trainer_base
            | {"other states": others}
            | actor.updating(arch, resources, update, logits=copies * logits, head=head, fetched=fetched),
        )
    )
    return Memory(
        capacity=gpu.memory,
        peaks=tuple(peaks),
        engine_needs=weights + workspace + longest * kv_token,
        engine_has=has,
        kv_tokens=int(left / kv_token),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """One model's share of a GPU's memory, bytes: float32 weights, their gradients, Adam's two moments."""

    weights: float
    gradients: float
    moments: float
    trained: float  # parameters of this share that are trained

    @classmethod
    def of(cls, frozen: float, trained: float, world: int) -> "_State":
        share = trained / world
        return cls(weights=4 * (frozen + trained) / world, gradients=4 * share, moments=8 * share, trained=share)

    @classmethod
    def of_actor(cls, spec: RunSpec, world: int) -> "_State":
        arch = spec.model.architecture
        if spec.algorithm.lora.rank:
            return cls.of(arch.n_params, adapter_params(arch, spec), world)
        return cls.of(0.0, arch.n_params, world)

    @classmethod
    def of_critic(cls, spec: RunSpec, world: int) -> "_State":
        arch = spec.model.architecture
        trained = arch.n_params_embedding + arch.n_params_non_embedding + arch.hidden_size
        return cls.of(0.0, trained if spec.algorithm.adv_estimator == "gae" else 0.0, world)

    @property
    def idle(self) -> float:
        """What stays between updates: gradients are freed."""
        return self.weights + self.moments

    def updating(
        self, arch: Architecture, resources: Resources, tokens: float, *, logits: float, head: float, fetched: float
    ) -> dict[str, float]:
        """The parts of an update at its largest moment: the loss, a layer's backward pass, or Adam's step."""
        kept = 2 * arch.hidden_size if resources.gradient_checkpointing else _layer_bytes(arch)
        states = {"weights": self.weights, "gradients": self.gradients, "moments": self.moments}
        held = {"activations": tokens * kept * arch.num_layers, "gathered": head + fetched}
        # The head's gradient is made in bfloat16 and reduced in float32.
        at_loss = {"logits": tokens * logits, "gathered": head + (3 * head if logits else 0.0) + fetched}
        # A layer computed again and the gradients that pass through it; its weights' gradients in both types.
        layer = tokens * (_layer_bytes(arch) + _passing_bytes(arch))
        at_layer = {"layer": layer, "gathered": head + fetched + 6 * _layer_params(arch)}
        at_step = {"Adam's step": 4 * self.trained, "activations": 0.0, "gathered": 0.0}
        return states | max((held | at_loss, held | at_layer, at_step), key=lambda parts: sum(parts.values()))


def _tokens(spec: RunSpec, budget: int, prompts: int) -> float:
    """Tokens of a micro-batch on one GPU: its budget, or all that the GPU is given where that is less."""
    resources = spec.model.resources
    given = prompts * spec.algorithm.rollout_n * spec.training.max_length / resources.devices
    return max(min(budget, given), spec.training.max_length / resources.sequence_parallel)


def kv_bytes(arch: Architecture, resources: Resources) -> float:
    """KV cache of a token on one GPU of an engine, which keeps at least one head: bfloat16 keys and values."""
    heads = max(1.0, arch.num_kv_heads / resources.tensor_parallel)
    return 2 * 2 * arch.num_layers * heads * arch.head_dim


def _layer_params(arch: Architecture) -> float:
    return arch.n_params_non_embedding / arch.num_layers


def _layer_bytes(arch: Architecture) -> float:
    """Bytes a token that one layer's forward pass keeps for its backward pass.

    bfloat16: queries, keys, values (queries and keys also rotated), attention's output, the residual between, gate, up,
    their activation and product. Each of two norms: its input in float32, and twice its result in bfloat16.
    """
    h, q, kv = arch.hidden_size, arch.num_heads * arch.head_dim, arch.num_kv_heads * arch.head_dim
    return 18 * h + 6 * q + 6 * kv + 8 * sum(arch.mlp_widths)


def _passing_bytes(arch: Architecture) -> float:
    """Bytes a token that are alive at once in the MLP without anything kept: input, output, gate, up and product."""
    return 4 * arch.hidden_size + 6 * sum(arch.mlp_widths)


def misfit(spec: RunSpec) -> str | None:
    """Why a run does not fit its GPUs, with the first setting to change; None: it fits, or nothing is known."""
    memory = memory_of(spec)
    if memory is None or memory.fits:
        return None
    kind = f"cluster.gpu_type={spec.cluster.gpu_type} has {memory.capacity / GIB:.0f} GiB"
    if memory.engine_needs > memory.engine_has:
        what = (
            f"the rollout engine needs {memory.engine_needs / GIB:.0f} GiB on a GPU for its weights and one sequence, "
            f"and model.resources.gpu_memory_utilization={spec.model.resources.gpu_memory_utilization:g} gives it "
            f"{memory.engine_has / GIB:.0f} GiB"
        )
    else:
        worst = memory.worst
        largest = sorted(worst.parts.items(), key=lambda item: -item[1])[:3]
        parts = ", ".join(f"{name} {size / GIB:.0f}" for name, size in largest)
        what = f"phase {worst.phase} needs an estimated {worst.total / GIB:.0f} GiB on a GPU ({parts})"
    return f"{spec.model.name} does not fit: {what}, and {kind}; {_cure(spec)}"


def _cure(spec: RunSpec) -> str:
    for changes in _changes(spec):
        resources = replace(spec.model.resources, **changes)
        changed = memory_of(replace(spec, model=replace(spec.model, resources=resources)))
        if changed is not None and changed.fits:
            return "set " + " ".join(f"model.resources.{key}={str(value).lower()}" for key, value in changes.items())
    return f"no setting up to {MAX_NODES} nodes makes it fit: choose a smaller model or larger GPUs"


def _changes(spec: RunSpec) -> Iterator[dict[str, Any]]:
    """Single changes first, the cheapest in speed first; then more GPUs."""
    resources, longest = spec.model.resources, spec.training.max_length
    gpus = resources.devices
    least = 1024 * math.ceil(longest / resources.sequence_parallel / 1024)
    if not resources.gradient_checkpointing:
        yield {"gradient_checkpointing": True}
    for tokens in _lower(max(resources.actor_tokens_per_gpu, resources.log_prob_tokens_per_gpu), least):
        if tokens < resources.actor_tokens_per_gpu:
            yield {"actor_tokens_per_gpu": tokens}
        if tokens < resources.log_prob_tokens_per_gpu:
            yield {"log_prob_tokens_per_gpu": tokens}
            yield {
                "actor_tokens_per_gpu": min(tokens, resources.actor_tokens_per_gpu),
                "log_prob_tokens_per_gpu": tokens,
            }
    for percent in range(round(100 * resources.gpu_memory_utilization) - 5, 25, -5):
        yield {"gpu_memory_utilization": percent / 100}
    for percent in range(5 * math.ceil(20 * resources.gpu_memory_utilization + 0.01), 91, 5):
        yield {"gpu_memory_utilization": percent / 100}
    for width in _wider(resources.tensor_parallel, resources.gpus_per_node, spec.model.architecture.num_heads):
        yield {"tensor_parallel": width}
    if not resources.offload:
        yield {"offload": True}
    for width in _wider(resources.sequence_parallel, gpus, spec.model.architecture.num_heads):
        yield {"sequence_parallel": width, "actor_tokens_per_gpu": 1024 * math.ceil(longest / width / 1024)}
    sequences = spec.training.ppo_mini_batch_size * spec.algorithm.rollout_n
    for nodes in range(resources.nodes + 1, MAX_NODES + 1):
        if sequences % max(1, nodes * resources.gpus_per_node // resources.sequence_parallel):
            continue  # an update's sequences would not divide among its workers
        yield {"nodes": nodes}
        if not resources.offload:
            yield {"nodes": nodes, "offload": True}
        for width in _wider(resources.tensor_parallel, resources.gpus_per_node, spec.model.architecture.num_heads):
            yield {"nodes": nodes, "offload": True, "tensor_parallel": width}


def _lower(start: int, least: int) -> Iterator[int]:
    tokens = start - start % 1024 if start % 1024 else start - 1024
    while tokens >= least:
        yield tokens
        tokens -= max(1024, tokens // 8 // 1024 * 1024)


def _wider(now: int, gpus: int, heads: int) -> Iterator[int]:
    width = 2 * now
    while width <= gpus:
        if gpus % width == 0 and heads % width == 0:
            yield width
        width *= 2
