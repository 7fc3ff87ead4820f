"""The base model of a run: shape, weights, warm start, and what it takes to train it."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any

from data_prep.prompt_style import OWN_STYLE
from data_prep.spec import Tasks
from sweeper.spec.bounds import (
    Count,
    CountOrZero,
    Name,
    Parameters,
    Positive,
    Seed,
    Share,
    ShareAboveZero,
    Text,
    Word,
    between,
)


class ModelSource(StrEnum):
    """Where a model's weights come from."""

    tiny = "tiny"  # built here, deterministically, from `architecture`
    hub = "hub"  # a Hugging Face id or a local folder in its format
    gguf = "gguf"  # a GGUF file shipped by an installed Python package


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """Shape of a decoder-only transformer with SwiGLU, RMSNorm and grouped-query attention (Qwen, Llama, OLMo 2).

    With `num_experts`, every layer's feed-forward part is a mixture of experts (Mixtral, Qwen2-MoE, Qwen3-MoE).
    """

    hidden_size: Count
    intermediate_size: Count
    num_layers: Count
    num_heads: Count
    num_kv_heads: Count
    vocab_size: Count
    tie_word_embeddings: bool
    attention_bias: bool = True  # Qwen2 has biases on q, k, v; Llama has none
    max_position_embeddings: Count
    head_size: Count | None = None  # width of one attention head; null: hidden_size / num_heads
    qk_norm: bool | None = None  # Qwen3 normalises queries and keys, each head by itself
    qk_norm_all_heads: bool | None = None  # OLMo 2 normalises all heads together; null: each by itself
    num_experts: Count | None = None  # routed experts of a layer; null: dense
    experts_per_token: Count | None = None  # of them, those a token passes
    expert_size: Count | None = None  # width of a routed expert; null: intermediate_size
    shared_expert_size: Count | None = None  # width of the expert that every token passes; null: there is none

    @property
    def head_dim(self) -> int:
        """Width of one attention head."""
        return self.head_size or self.hidden_size // self.num_heads

    @property
    def mlp_widths(self) -> tuple[int, ...]:
        """Widths of the feed-forward parts that a token passes in one layer."""
        if not self.num_experts:
            return (self.intermediate_size,)
        shared = (self.shared_expert_size,) if self.shared_expert_size else ()
        return (self.expert_size or self.intermediate_size,) * (self.experts_per_token or 1) + shared

    @property
    def n_params_embedding(self) -> int:
        """Parameters of the input embedding table."""
        return self.vocab_size * self.hidden_size

    @property
    def n_params_head(self) -> int:
        """Weights multiplied to get the logits: the (possibly tied) output matrix."""
        return self.vocab_size * self.hidden_size

    @property
    def n_params_non_embedding(self) -> int:
        """Parameters of all layers and the final norm; neither embedding nor head."""
        idle = (self.num_experts or 0) - (self.experts_per_token or 1) if self.num_experts else 0
        return self.n_params_active + idle * self.num_layers * 3 * self.hidden_size * self.mlp_widths[0]

    @property
    def n_params_active(self) -> int:
        """As `n_params_non_embedding`, without the experts that a token does not pass."""
        h, q, kv = self.hidden_size, self.num_heads * self.head_dim, self.num_kv_heads * self.head_dim
        attention = 2 * h * q + 2 * h * kv + (q + 2 * kv if self.attention_bias else 0)
        if self.qk_norm:
            attention += q + kv if self.qk_norm_all_heads else 2 * self.head_dim
        gates = h * (self.num_experts or 0) + (h if self.num_experts and self.shared_expert_size else 0)
        layer = attention + 3 * h * sum(self.mlp_widths) + gates + 2 * h
        return self.num_layers * layer + h

    @property
    def n_params(self) -> int:
        """All distinct parameters, the number that papers quote."""
        head = 0 if self.tie_word_embeddings else self.n_params_head
        return self.n_params_embedding + self.n_params_non_embedding + head


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmStart:
    """Supervised fine-tuning before RL; `steps: 0` means none."""

    steps: CountOrZero = 0
    batch_size: Count = 64  # problems per step
    lr: Positive = 3e-3
    n_examples: Count = 25600  # problems
    error_rate: Share = 0.0  # of the reference solutions that are wrong on purpose
    seed: Seed = 0
    tasks: Tasks = Tasks.answers  # see `Data.tasks`; also which tokens a tiny model has
    tool_share: Share = 0.5  # of `agent` conversations, that call tools; the others answer at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What a model needs to be trained; never part of identity.

    `nodes` x `gpus_per_node` training processes. On a machine without a GPU they are CPU processes.
    """

    nodes: Count = 1
    gpus_per_node: Count = 1
    tensor_parallel: Count = 1  # GPUs one rollout replica spans
    sequence_parallel: Count = 1  # Ulysses degree of actor and critic
    actor_tokens_per_gpu: Count = 16384  # micro-batch budget of the update, prompt + response tokens
    log_prob_tokens_per_gpu: Count = 16384  # micro-batch budget of forward passes
    gpu_memory_utilization: ShareAboveZero = 0.6  # of a GPU, that the rollout engine may take
    offload: bool = False  # parameters and optimiser to host memory between phases
    gradient_checkpointing: bool = True
    max_num_seqs: Count = 1024  # sequences one rollout engine decodes at once
    hours: Annotated[float, between(0, 8760, above=True)] = 24.0  # wall-time limit of one job
    partition: Word | None = None  # of this model's jobs; null: the cluster's

    @property
    def devices(self) -> int:
        """Training processes of one job, a GPU each where there are GPUs."""
        return self.nodes * self.gpus_per_node


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One base model."""

    name: Name
    family: Name
    source: ModelSource
    path: Text | None = None  # hub id, local folder, or file inside a package; null for tiny
    revision: Word | None = None  # commit of the hub repository; null: the newest, which is not reproducible
    architecture: Architecture
    nominal_params: Parameters | None = None  # the size in its name, for the published 6NT; null: all parameters
    prompt_style: Text = OWN_STYLE  # chat template, see data_prep.prompt_style
    tool_format: Word | None = None  # verl's parser of the calls that its template asks for; null: verl has none
    actor_lr: Positive | None = None  # Adam step size vetted for this size
    warm_start: WarmStart = field(default_factory=WarmStart)
    resources: Resources = field(default_factory=Resources)
    vetted: dict[str, dict[str, Any]] = field(default_factory=dict, hash=False)  # resources by cluster.gpu_type

    @property
    def nominal(self) -> int:
        """Size as people say it."""
        return self.nominal_params or self.architecture.n_params
