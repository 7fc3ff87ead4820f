"""What one run is: frozen, typed, hashed.

The dataclasses here are the only declaration of every setting: Hydra validates the YAML under `conf/` against them
(`sweeper.schema`), and a run executes the `RunSpec` read back from its `spec.json`. Identity (`run_id`) is a hash of
an allow-list of fields that can change the science; paths, partitions, GPUs and file names are not among them.
"""

import hashlib
import json
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from data_prep.materialise import FORMAT_VERSION
from data_prep.prompt_style import OWN_STYLE
from data_prep.spec import Cleaning, Order, PassRateRange, Recipe
from sweeper.dotted import dotted
from sweeper.errors import ConfigError
from sweeper.run_id import RunId

VERL_VERSION = "0.9.1"  # pinned in pyproject.toml; part of every run's identity
SPEC_VERSION = 1


class ModelSource(StrEnum):
    """Where a model's weights come from."""

    tiny = "tiny"  # built here, deterministically, from `architecture`
    hub = "hub"  # a Hugging Face id or a local folder in its format
    gguf = "gguf"  # a GGUF file shipped by an installed Python package


class Executor(StrEnum):
    """Who starts a run's process."""

    local = "local"
    slurm = "slurm"


class ContainerRuntime(StrEnum):
    """Who starts a container on a compute node."""

    none = "none"
    pyxis = "pyxis"  # `srun --container-image`, NVIDIA's plugin over enroot
    apptainer = "apptainer"  # also of Singularity's images


class Device(StrEnum):
    """What a run computes on; found on the machine for `cluster=local`, stated for a cluster."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """Shape of a decoder-only transformer with SwiGLU, RMSNorm and grouped-query attention (Qwen2, Llama).

    With `num_experts`, every layer's feed-forward part is a mixture of experts (Mixtral, Qwen2-MoE, Qwen3-MoE).
    """

    hidden_size: int
    intermediate_size: int
    num_layers: int
    num_heads: int
    num_kv_heads: int
    vocab_size: int
    tie_word_embeddings: bool
    attention_bias: bool = True  # Qwen2 has biases on q, k, v; Llama has none
    max_position_embeddings: int
    head_size: int | None = None  # width of one attention head; null: hidden_size / num_heads
    qk_norm: bool | None = None  # Qwen3 normalises queries and keys
    num_experts: int | None = None  # routed experts of a layer; null: dense
    experts_per_token: int | None = None  # of them, those a token passes
    expert_size: int | None = None  # width of a routed expert; null: intermediate_size
    shared_expert_size: int | None = None  # width of the expert that every token passes; null: there is none

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
        attention += 2 * self.head_dim if self.qk_norm else 0
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

    steps: int = 0
    batch_size: int = 64  # problems a step
    lr: float = 3e-3
    n_examples: int = 25600  # problems
    error_rate: float = 0.0  # share of the reference solutions that are wrong on purpose, 0..1
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What a model needs to be trained; never part of identity.

    `nodes` x `gpus_per_node` training processes. On a machine without a GPU they are CPU processes.
    """

    nodes: int = 1
    gpus_per_node: int = 1
    tensor_parallel: int = 1  # GPUs one rollout replica spans
    sequence_parallel: int = 1  # Ulysses degree of actor and critic
    actor_tokens_per_gpu: int = 16384  # micro-batch budget of the update, prompt + response tokens
    log_prob_tokens_per_gpu: int = 16384  # micro-batch budget of forward passes
    gpu_memory_utilization: float = 0.6  # share of a GPU that the rollout engine may take, 0..1
    offload: bool = False  # parameters and optimiser to host memory between phases
    gradient_checkpointing: bool = True
    max_num_seqs: int = 1024  # sequences one rollout engine decodes at once
    hours: float = 24.0  # wall-time limit of one job
    partition: str | None = None  # of this model's jobs; null: the cluster's

    @property
    def devices(self) -> int:
        """Training processes of one job, a GPU each where there are GPUs."""
        return self.nodes * self.gpus_per_node


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One base model."""

    name: str
    family: str
    source: ModelSource
    path: str | None = None  # hub id, local folder, or file inside a package; null for tiny
    revision: str | None = None  # commit of the hub repository; null: the newest, which is not reproducible
    architecture: Architecture
    nominal_params: int | None = None  # the size in the model's name, for the published 6NT; null: all parameters
    prompt_style: str = OWN_STYLE  # chat template, see data_prep.prompt_style
    actor_lr: float | None = None  # Adam step size vetted for this size
    warm_start: WarmStart = field(default_factory=WarmStart)
    resources: Resources = field(default_factory=Resources)
    vetted: dict[str, dict[str, Any]] = field(default_factory=dict, hash=False)  # resources by cluster.gpu_type

    @property
    def nominal(self) -> int:
        """Size as people say it."""
        return self.nominal_params or self.architecture.n_params


@dataclass(frozen=True, slots=True, kw_only=True)
class DataScale:
    """How much data: `n_unique` problems, each seen `epochs` times (the reuse factor tau of arXiv:2509.25300).

    Two of `n_unique`, `epochs` and `training.total_steps` decide the third.
    """

    name: str
    n_unique: int | None  # null: as epochs and steps say; without epochs every problem there is
    epochs: float | None = None  # of the RL problems; null: as n_unique and steps say


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainMix:
    """Relative weight of each domain among the unique problems."""

    name: str
    weights: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Curriculum:
    """The order in which problems are trained on; `mixed` is verl's own shuffle, any other order is kept as it is."""

    name: str
    order: Order = Order.mixed
    order_by: str | None = None  # a pass-rate column or `difficulty`; see data_prep.DataSpec
    stages: tuple[str, ...] = ()  # for order staged: the training domains, each once


@dataclass(frozen=True, slots=True, kw_only=True)
class Kl:
    """The two ways verl holds the policy near its reference; both off by default."""

    in_reward: bool = False  # verl: algorithm.use_kl_in_reward
    reward_coef: float = 0.001  # verl: algorithm.kl_ctrl.kl_coef
    reward_penalty: str = "kl"  # verl: algorithm.kl_penalty
    reward_controller: str = "fixed"  # fixed | adaptive
    target: float = 0.1  # of the adaptive controller
    in_loss: bool = False  # verl: actor.use_kl_loss
    loss_coef: float = 0.001  # verl: actor.kl_loss_coef
    loss_type: str = "low_var_kl"  # verl: actor.kl_loss_type


@dataclass(frozen=True, slots=True, kw_only=True)
class Lora:
    """Low-rank adapters; `rank: 0` trains every parameter."""

    rank: int = 0
    alpha: int = 64
    target_modules: tuple[str, ...] = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


@dataclass(frozen=True, slots=True, kw_only=True)
class Algorithm:
    """An advantage estimator with its vetted bundle, in verl's terms."""

    name: str
    adv_estimator: str
    rollout_n: int  # responses a prompt
    gamma: float = 1.0
    lam: float = 1.0
    norm_adv_by_std: bool = True  # verl: algorithm.norm_adv_by_std_in_grpo
    clip_ratio_low: float = 0.2
    clip_ratio_high: float = 0.2
    clip_ratio_c: float = 3.0  # dual-clip bound, arXiv:1912.09729
    entropy_coeff: float = 0.0
    loss_agg_mode: str = "token-mean"
    ppo_epochs: int = 1
    critic_lr: float | None = None  # null: training.critic_lr
    critic_warmup: int = 0  # steps in which only the critic learns
    cliprange_value: float = 0.5
    kl: Kl = field(default_factory=Kl)
    lora: Lora = field(default_factory=Lora)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sft:
    """Supervised fine-tuning on the problems that `data.sft_share` sets aside, before RL."""

    epochs: float = 2.0  # how often each of them is seen
    batch_size: int = 64  # problems a step, at most as many as there are
    lr: float = 1.0e-5


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """Batch shape, lengths and optimiser: one regime a model family."""

    train_batch_size: int  # prompts a step
    ppo_mini_batch_size: int  # prompts an optimiser step
    max_prompt_length: int  # tokens
    max_response_length: int  # tokens
    total_steps: int | None = None  # null: from data_scale.epochs
    actor_lr: float | None = None  # Adam step size for every model; null: model.actor_lr
    critic_lr: float
    lr_warmup_steps: int = 0
    weight_decay: float = 0.1
    grad_clip: float = 1.0
    temperature: float = 1.0
    top_p: float = 1.0
    save_freq: int = 10  # steps between checkpoints; not part of identity
    sft: Sft = field(default_factory=Sft)

    @property
    def max_length(self) -> int:
        """Tokens of the longest sequence: prompt and response."""
        return self.max_prompt_length + self.max_response_length


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """How a model is measured: during training (`val_*`) and after it (pass@k)."""

    suite: str
    n_samples: int  # samples a problem for pass@k
    ks: tuple[int, ...]
    problems_per_domain: int
    domains: tuple[str, ...] = ("math", "code", "logic", "stem")
    temperature: float = 1.0
    top_p: float = 1.0
    val_problems_per_domain: int
    val_n: int  # samples a problem during training
    val_freq: int  # steps between validations


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """An image in which a job's command runs; the results folder is mounted at its own path."""

    runtime: ContainerRuntime = ContainerRuntime.none
    image: str = ""  # as the runtime names it: /shared/verl.sqsh, nvcr.io#nvidia/pytorch:25.01-py3, /shared/verl.sif
    mounts: tuple[str, ...] = ()  # more of them: HOST or HOST:CONTAINER


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Where runs execute; never part of identity."""

    name: str
    executor: Executor
    device: Device = Device.auto
    gpu_type: str | None = None  # A100 | H100 | H200, for the estimates of time and memory; null: no estimate
    check_memory: bool = True  # refuse runs whose estimated peak exceeds a GPU's memory
    confirm_gpu_hours: float | None = None  # a launch expected to take more asks first; null: never
    gpus_per_node: int = 1
    max_nodes: int = 1
    max_parallel: int = 1  # runs at once
    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    cpus_per_gpu: int | None = None  # null: the partition's default
    memory_gb_per_gpu: int | None = None  # host memory; null: the partition's default
    max_gpus: int | None = None  # used at once by all jobs of a results folder; null: as many as SLURM gives
    exclude: tuple[str, ...] = ()  # names of nodes that no job is to use
    max_loss_minutes: float | None = (
        30.0  # of training between checkpoints, once a step's time is known; null: no bound
    )
    stalled_after_minutes: float | None = 60.0  # without a finished step a run is ended, if also ...; null: never
    stalled_after_steps: float = 10.0  # ... that many times its median step has passed
    max_failures: int = 3  # of one class, of one run: then it is not tried again
    max_failed_gpu_hours: float | None = None  # of one run's failed attempts; null: what one job of it may take
    signal_seconds: int = 120  # warning before the time limit: the run stops there and is queued again
    setup: tuple[str, ...] = ()  # shell lines at the beginning of a job, e.g. module load
    python: str | None = None  # of jobs; null: the one that submits, and python3 in a container
    container: Container = field(default_factory=Container)
    environment: tuple[str, ...] = ()  # variables that pass from the submitter to its jobs, by name; no secrets
    secrets_file: str | None = None  # NAME=value lines, mode 0600, seen by every node; read by the job itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """Train only on problems that the base model solves sometimes (Guru's filter, arXiv:2506.14965).

    A group of answers that are all right or all wrong has no advantage, so GRPO learns nothing from it.
    """

    n_samples: int = 0  # samples a problem; 0 trains on every problem
    max_problems: int | None = None  # how many training problems to measure, in training order; null: all
    min_pass_rate: float = 0.0  # keep problems whose pass rate is above this ...
    max_pass_rate: float = 1.0  # ... and below this


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """Where problems come from."""

    root: str | None = None  # folder of parquet files in Guru's format; null: synthetic tasks
    seed: int = 0  # order of the problems; the same for every run of a grid, so that scales are nested
    stratify_by: str | None = None  # pass-rate column or `difficulty`: every scale has each level in the same share
    filters: tuple[PassRateRange, ...] = ()  # pass rates of the problems to train on
    annotations: tuple[str, ...] = ()  # files of measured pass rates (python -m data_prep annotate)
    sft_share: float = 0.0  # share of the unique problems that goes to supervised fine-tuning, 0 <= share < 1
    sft_solutions: str | None = None  # file of rejection-sampled solutions; null: the reference solutions
    recipe: Recipe | None = None  # a published selection of rows, reproduced exactly
    cleaning: Cleaning = field(default_factory=Cleaning)
    screen: Screen = field(default_factory=Screen)
    digest: str | None = None  # content of `root`, filled in when the spec is made ...
    annotation_digests: tuple[str, ...] = ()  # ... as are those of the other files
    solutions_digest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Logging:
    """Loggers beside verl's console and file loggers; never part of identity."""

    wandb: bool = False
    project: str = "rl-scaling"


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """Everything one run needs, frozen before anything is queued."""

    model: Model
    data: Data
    data_scale: DataScale
    domain_mix: DomainMix
    curriculum: Curriculum = field(default_factory=lambda: Curriculum(name="mixed"))
    algorithm: Algorithm
    training: Training
    eval: Evaluation
    verl: dict[str, Any]  # verl keys set by the user, dotted -> value; part of identity
    seed: int
    reward_suite: str  # rewards.SUITE_VERSION when the spec was made
    verl_version: str = VERL_VERSION
    cluster: Cluster
    logging: Logging
    spec_version: int = SPEC_VERSION

    @cached_property
    def run_id(self) -> RunId:
        """Readable slug plus 12 hex digits of the science's hash; the folder and row name."""
        parts = [self.model.name, self.algorithm.name, self.domain_mix.name]
        parts.append("nall" if self.n_unique is None else f"n{self.n_unique}")
        if self.curriculum.order is not Order.mixed:
            parts.append(self.curriculum.name)
        if self.data.sft_share:
            parts.append(f"sft{self.data.sft_share:g}")
        return RunId(f"{'_'.join(parts)}_s{self.seed}-{_digest(self.science())}")

    @property
    def group_id(self) -> str:
        """Hash shared by the replicates of a point: identity without the seed."""
        return _digest({key: value for key, value in self.science().items() if key != "seed"})

    @property
    def n_unique(self) -> int | None:
        """Different problems, those of supervised fine-tuning included; None: every one there is."""
        n, epochs, steps = self.data_scale.n_unique, self.data_scale.epochs, self.training.total_steps
        if n is not None or steps is None or not epochs:
            return n
        return round(steps * self.training.train_batch_size / epochs)

    @property
    def n_sft(self) -> int:
        """Problems set aside for supervised fine-tuning."""
        return int(self.data.sft_share * (self.n_unique or 0) + 0.5)

    @property
    def total_steps(self) -> int:
        """Optimiser-driving training steps of RL.

        Raises:
            ConfigError: `data_scale.n_unique`, `data_scale.epochs` and `training.total_steps` contradict each other,
                or leave the number of steps open.
        """
        n, epochs, steps = self.data_scale.n_unique, self.data_scale.epochs, self.training.total_steps
        given = f"data_scale.n_unique={n}, data_scale.epochs={epochs}, training.total_steps={steps}"
        if epochs is not None and epochs <= 0:
            raise ConfigError(f"data_scale.epochs={epochs}: must be above 0")
        if steps is not None and epochs is not None and (n is not None or self.data.sft_share):
            raise ConfigError(
                f"{given}: two of them decide the third (with data.sft_share, n_unique and one other do); set one to "
                "null"
            )
        if steps is not None:
            return steps
        if n is None or epochs is None:
            raise ConfigError(f"{given}: the number of steps is open; set training.total_steps, or both others")
        return max(1, int((n - self.n_sft) * epochs) // self.training.train_batch_size)

    @property
    def actor_lr(self) -> float | None:
        """The policy's Adam step size: the regime's if it states one, else the model's; the plan refuses None."""
        return self.training.actor_lr if self.training.actor_lr is not None else self.model.actor_lr

    @property
    def verl_keys(self) -> dict[str, Any]:
        """The verl keys set by the user, dotted, whichever way they were written."""
        return dotted(self.verl)

    def science(self) -> dict[str, Any]:
        """The fields that can change a result, as plain JSON values; nulls are left out.

        Leaving nulls out lets a later version add an optional setting without changing any old id.
        """
        whole = self._plain()
        model = {key: whole["model"][key] for key in ("source", "path", "revision", "architecture", "warm_start")}
        if self.model.prompt_style != OWN_STYLE:
            model["prompt_style"] = self.model.prompt_style
        training = _without(whole["training"], "save_freq", "sft") | {"actor_lr": self.actor_lr}
        if self.data.sft_share:
            training["sft"] = whole["training"]["sft"]
        picked = {
            "model": model,
            "data": self._data_science(whole["data"]),
            "data_scale": _without(whole["data_scale"], "name"),
            "domain_mix": _without(whole["domain_mix"], "name"),
            "algorithm": _without(whole["algorithm"], "name"),
            "training": training,
            "eval": whole["eval"],
            "verl": whole["verl"],
            "seed": self.seed,
            "reward_suite": self.reward_suite,
            "verl_version": self.verl_version,
        }
        return dict(_without_nulls(picked))

    def _data_science(self, data: dict[str, Any]) -> dict[str, Any]:
        """What decides the rows: files by their content; options that are off are left out."""
        chosen: dict[str, Any] = {
            "order": str(self.curriculum.order),
            "order_by": self.curriculum.order_by,
            "stages": list(self.curriculum.stages),
            "stratify_by": self.data.stratify_by,
            "filters": data["filters"],
            "annotations": self.data.annotation_digests,
            "sft_share": self.data.sft_share,
            "sft_solutions": self.data.solutions_digest,
            "recipe": self.data.recipe,
            "cleaning": None if self.data.root is None else data["cleaning"],
            "format": None if self.data.root is None else FORMAT_VERSION,
            "screen": data["screen"] if self.data.screen.n_samples else None,
        }
        always = {"seed": self.data.seed, "digest": self.data.digest, "synthetic": self.data.root is None}
        return always | {key: value for key, value in chosen.items() if value and value != Order.mixed}

    def to_json(self) -> str:
        """JSON with a line a part and sorted keys; `from_json` reads it back to an equal spec."""
        lines = (
            f"{json.dumps(key)}:{json.dumps(part, sort_keys=True, separators=(',', ':'))}"
            for key, part in sorted(self._plain().items())
        )
        return "{\n" + ",\n".join(lines) + "\n}\n"

    def _plain(self) -> dict[str, Any]:
        """The fields as plain JSON values, in a third of the time of `dataclasses.asdict`, which copies every leaf."""
        values: dict[str, Any] = _adapter().dump_python(self, mode="json")
        return values

    @classmethod
    def from_json(cls, text: str) -> "RunSpec":
        """Read a spec with full validation.

        Raises:
            ConfigError: an unknown, missing or ill-typed field.
        """
        return cls.from_dict(json.loads(text))

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "RunSpec":
        """As `from_json`, from plain values."""
        from pydantic import ValidationError

        try:
            spec: RunSpec = _adapter().validate_python(values)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"])
            if first["type"] == "missing":
                raise ConfigError(f"{key} has no value: set it") from None
            raise ConfigError(f"{key}={first.get('input')!r}: {first['msg']}") from None
        return spec

    @classmethod
    def read(cls, path: Path) -> "RunSpec":
        """Read `spec.json`."""
        return cls.from_json(path.read_text())


@cache
def _adapter() -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(RunSpec)


def digest_of(value: Any, length: int = 12) -> str:
    """First `length` hex digits of the SHA-256 of a value's canonical JSON."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:length]


_digest = digest_of


def _without(values: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in keys}


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return value
