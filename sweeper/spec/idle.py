"""Which settings change nothing in a run, because of what others are."""

from collections.abc import Mapping
from functools import reduce
from typing import Any

Plain = Mapping[str, Any]


# The setting that decides, its values (None: all but null), and what then changes nothing. Only what is known to: an
# advantage estimator that is not named here may read anything.
_RULES: tuple[tuple[str, tuple[Any, ...] | None, str], ...] = (
    ("algorithm.kl.in_loss", (False,), "algorithm.kl.loss_coef algorithm.kl.loss_type"),
    (
        "algorithm.kl.in_reward",
        (False,),
        "algorithm.kl.reward_coef algorithm.kl.reward_penalty algorithm.kl.reward_controller algorithm.kl.target",
    ),
    ("algorithm.kl.reward_controller", ("fixed",), "algorithm.kl.target"),
    ("algorithm.lora.rank", (0,), "algorithm.lora.alpha algorithm.lora.target_modules"),
    # verl: a critic and lambda are generalised advantage estimation's alone; core_algos.py has who reads the others.
    (
        "algorithm.adv_estimator",
        ("grpo", "reinforce_plus_plus"),
        "training.critic_lr algorithm.critic_lr algorithm.critic_warmup algorithm.cliprange_value algorithm.lam",
    ),
    ("algorithm.adv_estimator", ("grpo",), "algorithm.gamma"),
    ("algorithm.adv_estimator", ("gae", "reinforce_plus_plus"), "algorithm.norm_adv_by_std"),
    ("algorithm.critic_lr", None, "training.critic_lr"),
    ("training.actor_lr", None, "model.actor_lr"),
    (
        "model.warm_start.steps",
        (0,),
        "model.warm_start.batch_size model.warm_start.lr model.warm_start.n_examples model.warm_start.error_rate",
    ),
    ("model.source", ("tiny",), "model.path model.revision"),
    ("model.source", ("gguf",), "model.revision"),
    (
        "data.screen.n_samples",
        (0,),
        "data.screen.max_problems data.screen.min_pass_rate data.screen.max_pass_rate",
    ),
    ("data.sft_share", (0,), "training.sft.epochs training.sft.batch_size training.sft.lr data.sft_solutions"),
    (
        "model.architecture.num_experts",
        (None,),
        "model.architecture.expert_size model.architecture.shared_expert_size",
    ),
    (
        "data.root",
        (None,),
        "data.cleaning.exact_duplicates data.cleaning.near_duplicates data.cleaning.contamination data.cleaning.golds "
        "data.cleaning.max_prompt_tokens data.cleaning.tokenizer data.cleaning.bad_rows",
    ),
)
NAMES = frozenset(name for _, _, names in _RULES for name in names.split())


def idle(config: Plain) -> dict[str, str]:
    """The settings that change nothing in a run, dotted, each with why; of a composed config, as plain values."""
    found: dict[str, str] = {}
    for decides, values, names in _RULES:
        value = setting(config, decides)
        if value is not None if values is None else value in values:
            why = f"{decides}={'null' if value is None else str(value).lower()}"
            found |= {name: why for name in names.split() if name not in found}
    return found


def setting(config: Plain, key: str) -> Any:
    """The value of a dotted key."""
    return reduce(lambda part, name: part[name], key.split("."), config)
