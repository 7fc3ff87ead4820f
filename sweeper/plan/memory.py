"""Peak memory of one GPU in every phase of a training step.

Counted from verl 0.9.1's code: FSDP2 over all GPUs with float32 parameters, gradients and Adam moments, computing in
bfloat16; the reference model in host memory; the rollout engine asleep outside its phase. Sharded states, engine
weights, the KV cache and logits are exact to a few percent; activations, workspaces and the reserve are estimates, and
no peak has been measured against them. docs/planning.md derives every term.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sweeper.host.machine import Device
from sweeper.inputs.models import WARM_START_LENGTH
from sweeper.plan.gpu import GIB, GPUS
from sweeper.rows.flops import adapter_params
from sweeper.spec.model import Architecture, Resources
from sweeper.spec.run import RunSpec
from sweeper.training.sft import SftShare

# CUDA contexts of trainer and engine, NCCL's buffers, the allocator's fragments.
RESERVE = 2.0 * GIB
# What a sleeping vLLM keeps: its context, CUDA graphs and workspaces.
ASLEEP = 2.0 * GIB
BATCHED_TOKENS = 8192  # verl's rollout.max_num_batched_tokens
LOGITS_WITH_ENTROPY = 3  # logits, their gradient, and one more of the entropy's backward pass
# verl's rollout.update_weights_bucket_megabytes: the buffer through which weights reach the engine.
BUCKET = 2.0 * GIB


# Before RL, then in the order of a training step.
PHASES = ("fine_tuning", "rollout", "log_prob", "reference", "critic", "actor", "hand_over")


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """Bytes that one phase holds on a GPU at its peak, by what for."""

    phase: str  # one of PHASES
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
    engine = _Engine.of(spec, gpu.memory)
    actor, critic = _State.of_actor(spec), _State.of_critic(spec)
    trainer = (*_passes(spec, actor, critic), *_updates(spec, actor, critic), _hand_over(spec, engine, actor, critic))
    return Memory(
        capacity=gpu.memory,
        peaks=(*_fine_tuning(spec), engine.rollout(_resident(spec, actor, critic)), *trainer),
        engine_needs=engine.weights + engine.workspace + spec.training.max_length * engine.kv_token,
        engine_has=engine.has,
        kv_tokens=int(engine.left / engine.kv_token),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Engine:
    """The rollout engine on one GPU, bytes; `kv_token` is what the KV cache holds for a token."""

    weights: float
    workspace: float
    kv_token: float
    has: float

    @classmethod
    def of(cls, spec: RunSpec, capacity: float) -> "_Engine":
        resources, arch = spec.model.resources, spec.model.architecture
        batched = 2 * (4 * arch.hidden_size + 2 * sum(arch.mlp_widths) / resources.tensor_parallel)
        sampler = resources.max_num_seqs * arch.vocab_size * 8  # float32 logits and probabilities
        return cls(
            weights=2 * arch.n_params / resources.tensor_parallel,
            workspace=BATCHED_TOKENS * batched + sampler,
            kv_token=kv_bytes(arch, resources),
            has=resources.gpu_memory_utilization * capacity,
        )

    @property
    def left(self) -> float:
        """What the KV cache gets."""
        return max(0.0, self.has - self.weights - self.workspace)

    def rollout(self, trainer: float) -> Peak:
        parts = {"weights": self.weights, "workspace": self.workspace, "KV cache": self.left, "trainer": trainer}
        return Peak(phase="rollout", parts={"reserve": RESERVE} | parts)


def _resident(spec: RunSpec, *states: "_State") -> float:
    return 0.0 if spec.model.resources.offload else sum(state.idle for state in states)


def _trainer(phase: str, parts: Mapping[str, float]) -> Peak:
    return Peak(phase=phase, parts={"reserve": RESERVE, "engine asleep": ASLEEP, **parts})


def _fine_tuning(spec: RunSpec) -> Iterator[Peak]:
    """Supervised fine-tuning before RL, where there is any: on one node, with every parameter and no engine.

    Its states stay on the GPUs whatever `offload` says, and verl's trainer always checkpoints gradients there.
    """
    warm, tuned = spec.model.warm_start, spec.data.sft_share > 0
    lengths = [WARM_START_LENGTH] * (warm.steps > 0) + [spec.training.max_length] * tuned
    if not lengths:
        return
    share = SftShare.of(spec.model.resources, max(lengths))
    rows = max([warm.batch_size] * (warm.steps > 0) + [spec.training.sft.batch_size] * tuned)
    longest = max(lengths) / share.sequence_parallel
    tokens = max(min(share.tokens, rows * max(lengths) / share.processes), longest)
    state = _State.of(0.0, spec.model.architecture.n_params, share.processes)
    parts = state.updating(spec, tokens, logits=2 * spec.model.architecture.vocab_size, checkpointing=True)
    yield Peak(phase="fine_tuning", parts={"reserve": RESERVE} | parts)


def _passes(spec: RunSpec, actor: "_State", critic: "_State") -> Iterator[Peak]:
    """Forward passes without gradients: the actor's and, where the KL divergence is used, the reference's."""
    resources, arch = spec.model.resources, spec.model.architecture
    tokens = _tokens(spec, resources.log_prob_tokens_per_gpu, spec.training.train_batch_size)
    held = {
        "layer": tokens * _passing_bytes(arch),
        "logits": tokens * 2 * arch.vocab_size * _copies(spec),
        "gathered": _fetched(arch) + _head(arch),
    }
    resident = _resident(spec, actor, critic)
    yield _trainer("log_prob", {"trainer": actor.weights if resources.offload else resident} | held)
    if spec.algorithm.kl.in_loss or spec.algorithm.kl.in_reward:
        # With LoRA the reference is the actor without its adapters; otherwise its shards lie in host memory.
        own = actor.weights if spec.algorithm.lora.rank else 0.0
        yield _trainer("reference", {"trainer": own if resources.offload else resident} | held)


def _updates(spec: RunSpec, actor: "_State", critic: "_State") -> Iterator[Peak]:
    """Passes with gradients: PPO's critic, and the actor."""
    tokens = _tokens(spec, spec.model.resources.actor_tokens_per_gpu, spec.training.ppo_mini_batch_size)
    # The scaled copy's gradient takes the place of the first copy, which nothing needs after the forward pass.
    copies = LOGITS_WITH_ENTROPY if spec.algorithm.entropy_coeff else _copies(spec)
    logits = copies * 2 * spec.model.architecture.vocab_size
    again = spec.model.resources.gradient_checkpointing
    if spec.algorithm.has_critic:
        own = critic.updating(spec, tokens, logits=0.0, checkpointing=again)
        yield _trainer("critic", {"other states": _resident(spec, actor)} | own)
    own = actor.updating(spec, tokens, logits=logits, checkpointing=again)
    yield _trainer("actor", {"other states": _resident(spec, critic)} | own)


def _copies(spec: RunSpec) -> int:
    """Logits that a pass holds at once: at another temperature than 1 verl divides them into a copy."""
    return 1 if spec.training.temperature == 1.0 else 2


def _hand_over(spec: RunSpec, engine: _Engine, actor: "_State", critic: "_State") -> Peak:
    """The trainer's weights on their way to the engine, whose weights are awake and whose KV cache is not."""
    arch, lora = spec.model.architecture, spec.algorithm.lora.rank > 0
    # One matrix at a time is gathered in float32, the largest being the embedding table; to merge adapters, verl
    # unshards a layer in float32, then sends each merged matrix as a bfloat16 copy.
    largest = arch.n_params_embedding
    gathered = max(4 * _layer_params(arch), 6 * largest) if lora else 4 * largest
    # Only for adapters are offloaded shards all brought back: they are merged in place.
    staged = actor.weights if lora else 0.0
    parts = {
        "engine's weights": engine.weights,
        "gathered": gathered,
        "bucket": BUCKET,
        "trainer": staged if spec.model.resources.offload else _resident(spec, actor, critic),
    }
    return _trainer("hand_over", parts)


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
    def of_actor(cls, spec: RunSpec) -> "_State":
        arch, world = spec.model.architecture, spec.model.resources.devices
        if spec.algorithm.lora.rank:
            return cls.of(arch.n_params, adapter_params(arch, spec), world)
        return cls.of(0.0, arch.n_params, world)

    @classmethod
    def of_critic(cls, spec: RunSpec) -> "_State":
        arch = spec.model.architecture
        trained = arch.n_params_embedding + arch.n_params_non_embedding + arch.hidden_size
        return cls.of(0.0, trained if spec.algorithm.has_critic else 0.0, spec.model.resources.devices)

    @property
    def idle(self) -> float:
        """What stays between updates: gradients are freed."""
        return self.weights + self.moments

    def updating(self, spec: RunSpec, tokens: float, *, logits: float, checkpointing: bool) -> dict[str, float]:
        """The parts of an update at its largest moment: the loss, a layer's backward pass, or Adam's step.

        `tokens` are of a micro-batch on one GPU, `logits` bytes per token: 0 for a critic, which has none.
        """
        arch = spec.model.architecture
        head, fetched = _head(arch), _fetched(arch)
        kept = 2 * arch.hidden_size if checkpointing else _layer_bytes(arch)
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
    given = prompts * spec.algorithm.rollout_n * spec.longest / resources.devices
    return max(min(budget, given), spec.longest / resources.sequence_parallel)


def kv_bytes(arch: Architecture, resources: Resources) -> float:
    """KV cache of a token on one GPU of an engine, which keeps at least one head: bfloat16 keys and values."""
    heads = max(1.0, arch.num_kv_heads / resources.tensor_parallel)
    return 2 * 2 * arch.num_layers * heads * arch.head_dim


def _head(arch: Architecture) -> float:
    return 2 * arch.n_params_head  # in bfloat16; the embedding table is a unit of its own, or the same matrix


def _fetched(arch: Architecture) -> float:
    return 2 * 2 * _layer_params(arch)  # two layers' bfloat16 weights, the second prefetched


def _layer_params(arch: Architecture) -> float:
    return arch.n_params_non_embedding / arch.num_layers


def _layer_bytes(arch: Architecture) -> float:
    """Bytes per token that one layer's forward pass keeps for its backward pass.

    bfloat16: queries, keys, values (queries and keys also rotated), attention's output, the residual between, gate, up,
    their activation and product. Each of two norms: its input in float32, and twice its result in bfloat16.
    """
    h, q, kv = arch.hidden_size, arch.num_heads * arch.head_dim, arch.num_kv_heads * arch.head_dim
    return 18 * h + 6 * q + 6 * kv + 8 * sum(arch.mlp_widths)


def _passing_bytes(arch: Architecture) -> float:
    """Bytes per token that are alive at once in the MLP without anything kept: input, output, gate, up and product."""
    return 4 * arch.hidden_size + 6 * sum(arch.mlp_widths)
