"""The algorithm, the training regime and the evaluation of a run."""

import re
from dataclasses import dataclass, field
from math import inf
from typing import Annotated

from sweeper.spec.bounds import (
    FILLED,
    Count,
    CountOrZero,
    Finite,
    Name,
    Positive,
    PositiveOrZero,
    Share,
    ShareAboveZero,
    Word,
    between,
    must,
    one_of,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kl:
    """The two ways verl holds the policy near its reference; both off by default."""

    in_reward: bool = False  # verl: algorithm.use_kl_in_reward
    reward_coef: PositiveOrZero = 0.001  # verl: algorithm.kl_ctrl.kl_coef
    reward_penalty: Word = "kl"  # verl: algorithm.kl_penalty
    reward_controller: Annotated[str, one_of("fixed", "adaptive")] = "fixed"
    target: Positive = 0.1  # of the adaptive controller
    in_loss: bool = False  # verl: actor.use_kl_loss
    loss_coef: PositiveOrZero = 0.001  # verl: actor.kl_loss_coef
    loss_type: Word = "low_var_kl"  # verl: actor.kl_loss_type


LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")  # a layer's matrices


@dataclass(frozen=True, slots=True, kw_only=True)
class Lora:
    """Low-rank adapters; `rank: 0` trains every parameter."""

    rank: CountOrZero = 0
    alpha: Count = 64
    target_modules: Annotated[tuple[Word, ...], FILLED] = LINEAR


@dataclass(frozen=True, slots=True, kw_only=True)
class Algorithm:
    """An advantage estimator with its vetted bundle, in verl's terms."""

    name: Name
    adv_estimator: Word
    rollout_n: Count  # responses per prompt
    gamma: Share = 1.0
    lam: Share = 1.0
    norm_adv_by_std: bool = True  # verl: algorithm.norm_adv_by_std_in_grpo
    clip_ratio_low: Share = 0.2
    clip_ratio_high: PositiveOrZero = 0.2
    clip_ratio_c: Annotated[float, between(1, inf, above=True)] = 3.0  # dual-clip bound, arXiv:1912.09729
    entropy_coeff: Finite = 0.0
    policy_loss: Word = "vanilla"  # verl: actor.policy_loss.loss_mode; vanilla: PPO's clipped ratio of each token
    loss_agg_mode: Word = "token-mean"
    filter_groups: bool = False  # draw groups whose rewards are all alike anew (dynamic sampling of DAPO)
    ppo_epochs: Count = 1
    critic_lr: Positive | None = None  # null: training.critic_lr
    critic_warmup: CountOrZero = 0  # steps in which only the critic learns
    cliprange_value: Positive = 0.5
    kl: Kl = field(default_factory=Kl)
    lora: Lora = field(default_factory=Lora)

    @property
    def has_critic(self) -> bool:
        """Whether values are learned beside the policy: PPO's generalised advantage estimation needs them."""
        return self.adv_estimator == "gae"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sft:
    """Supervised fine-tuning on the problems that `data.sft_share` sets aside, before RL."""

    epochs: Positive = 2.0  # how often each of them is seen
    batch_size: Count = 64  # problems per step, at most as many as there are
    lr: Positive = 1.0e-5


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """Batch shape, lengths and optimiser: one regime a model family."""

    train_batch_size: Count  # prompts per step
    ppo_mini_batch_size: Count  # prompts an optimiser step
    max_prompt_length: Count  # tokens
    max_response_length: Count  # tokens
    total_steps: Count | None = None  # null: from data_scale.epochs
    actor_lr: Positive | None = None  # Adam step size for every model; null: model.actor_lr
    critic_lr: Positive
    lr_warmup_steps: CountOrZero = 0
    weight_decay: PositiveOrZero = 0.1
    grad_clip: Positive = 1.0
    temperature: Positive = 1.0
    top_p: ShareAboveZero = 1.0
    save_freq: Count = 10  # steps between checkpoints
    sft: Sft = field(default_factory=Sft)

    @property
    def max_length(self) -> int:
        """Tokens of the longest sequence: prompt and response."""
        return self.max_prompt_length + self.max_response_length


LAST, ALL = "last", "all"
_EVERY = re.compile(r"every:([1-9]\d{0,8})")  # steps


def _says_which(value: str) -> bool:
    return value in (LAST, ALL) or _EVERY.fullmatch(value) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """How a model is measured: during training (`val_*`) and after it (pass@k)."""

    suite: Word
    n_samples: Count  # samples per problem for pass@k
    ks: Annotated[tuple[Count, ...], FILLED]
    problems_per_domain: Count
    domains: Annotated[tuple[Word, ...], FILLED] = ("math", "code", "logic", "stem")
    temperature: PositiveOrZero = 1.0  # 0: the likeliest answer, the same each time
    top_p: ShareAboveZero = 1.0
    val_problems_per_domain: Count
    val_n: Count  # samples per problem during training
    val_freq: Count  # steps between validations
    # Whose pass@k is measured after training; a spec is made with `every:<training.save_freq>` in the place of `all`.
    checkpoints: Annotated[str, must("be last, all or every:STEPS, such as every:10", _says_which)] = LAST

    def gap(self, save_freq: int) -> int | None:
        """Steps between the checkpoints that are evaluated beside the last; None: there are none."""
        found = _EVERY.fullmatch(self.checkpoints)
        return int(found[1]) if found else save_freq if self.checkpoints == ALL else None
