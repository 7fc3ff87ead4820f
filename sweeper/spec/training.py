"""The algorithm, the training regime and the evaluation of a run."""

from dataclasses import dataclass, field


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
    rollout_n: int  # responses per prompt
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

    @property
    def has_critic(self) -> bool:
        """Whether values are learned beside the policy: PPO's generalised advantage estimation needs them."""
        return self.adv_estimator == "gae"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sft:
    """Supervised fine-tuning on the problems that `data.sft_share` sets aside, before RL."""

    epochs: float = 2.0  # how often each of them is seen
    batch_size: int = 64  # problems per step, at most as many as there are
    lr: float = 1.0e-5


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """Batch shape, lengths and optimiser: one regime a model family."""

    train_batch_size: int  # prompts per step
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
    save_freq: int = 10  # steps between checkpoints
    sft: Sft = field(default_factory=Sft)

    @property
    def max_length(self) -> int:
        """Tokens of the longest sequence: prompt and response."""
        return self.max_prompt_length + self.max_response_length


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """How a model is measured: during training (`val_*`) and after it (pass@k)."""

    suite: str
    n_samples: int  # samples per problem for pass@k
    ks: tuple[int, ...]
    problems_per_domain: int
    domains: tuple[str, ...] = ("math", "code", "logic", "stem")
    temperature: float = 1.0
    top_p: float = 1.0
    val_problems_per_domain: int
    val_n: int  # samples per problem during training
    val_freq: int  # steps between validations
