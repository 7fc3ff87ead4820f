"""Which settings change nothing in a run, because of what others are."""

from collections.abc import Iterator, Mapping
from functools import reduce
from typing import Any

from sweeper.spec.dotted import dotted, render

Plain = Mapping[str, Any]


_WITHOUT_CRITIC = ("grpo", "reinforce_plus_plus", "rloo", "reinforce_plus_plus_baseline")
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
        _WITHOUT_CRITIC,
        "training.critic_lr algorithm.critic_lr algorithm.critic_warmup algorithm.cliprange_value algorithm.lam",
    ),
    ("algorithm.adv_estimator", ("grpo", "rloo", "reinforce_plus_plus_baseline"), "algorithm.gamma"),
    (
        "algorithm.adv_estimator",
        ("gae", "reinforce_plus_plus", "rloo", "reinforce_plus_plus_baseline"),
        "algorithm.norm_adv_by_std",
    ),
    ("algorithm.policy_loss", ("gspo", "cispo"), "algorithm.clip_ratio_c"),
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
# Policy losses of verl's that are one and the same where no token's probability has changed.
_OF_RATIO = ("vanilla", "gspo", "cispo")
_RATIO = tuple(f"algorithm.{name}" for name in ("clip_ratio_low", "clip_ratio_high", "clip_ratio_c", "policy_loss"))
_LIMITS = ("agent.limits.cpu_s", "agent.limits.wall_s", "agent.limits.memory_mb", "agent.limits.output_bytes")
_ACTING = (
    *("agent.max_turns", "agent.max_calls", "agent.turn_tokens", "agent.context", "agent.format", "agent.feedback"),
    *("agent.observation_chars", "agent.tell_budget", "agent.corpus", *_LIMITS),
)
# Of the limits of a call, those that some tool keeps beside `wall_s`, by tool; `.py`: one of the user's own.
_KEPT_BY = {
    "agent.limits.cpu_s": ("python", "verifier"),
    "agent.limits.memory_mb": ("python", "verifier", ".py"),
    "agent.limits.output_bytes": ("python", ".py"),
}
NAMES = frozenset(name for _, _, names in _RULES for name in names.split()) | {*_ACTING, *_RATIO}


def idle(config: Plain) -> dict[str, str]:
    """The settings that change nothing in a run, dotted, each with why; of a composed config, as plain values."""
    found: dict[str, str] = {}
    for decides, values, names in _RULES:
        value = setting(config, decides)
        if value is not None if values is None else value in values:
            why = f"{decides}={'null' if value is None else str(value).lower()}"
            found |= {name: why for name in names.split() if name not in found}
    for name, why in (*_of_one_update(config), *_of_agent(config)):
        found.setdefault(name, why)
    return found


def _of_one_update(config: Plain) -> Iterator[tuple[str, str]]:
    """Settings of the policy's ratio to what sampled, which is 1 while a batch is one update of the weights."""
    training, algorithm = config["training"], config["algorithm"]
    batch, mini = training["train_batch_size"], training["ppo_mini_batch_size"]
    corrected = any("rollout_correction" in key or key.endswith("trainer_mode") for key in dotted(config["verl"]))
    if batch == mini and algorithm["ppo_epochs"] == 1 and algorithm["policy_loss"] in _OF_RATIO and not corrected:
        why = f"training.ppo_mini_batch_size={mini} is the whole batch, and algorithm.ppo_epochs=1: one update"
        yield from ((name, why) for name in _RATIO)


def _of_agent(config: Plain) -> Iterator[tuple[str, str]]:
    """Settings of an agent that change nothing, each with why; the first reason counts."""
    agent, training = config["agent"], config["training"]
    tools, environment = list(agent["tools"] or ()), agent["environment"]
    turns, calls = agent["max_turns"], agent["max_calls"]
    has = f"agent.tools={render(tools)}" if environment is None else f"agent.environment={environment}"
    if not tools and environment is None:
        yield from ((name, "agent.tools=[] and agent.environment=null") for name in _ACTING)
        return
    told = bool(agent["tell_budget"])  # the prompt has the numbers
    if environment is None and turns == 1:  # a call in the last turn leads nowhere
        unseen = ("agent.feedback", "agent.observation_chars", *_LIMITS, *(() if told else ("agent.max_calls",)))
        yield from ((name, "agent.max_turns=1") for name in unseen)
    if environment is not None:
        yield "agent.format", has
        if not _is_own(environment):
            yield "agent.feedback", has
        if not told and isinstance(calls, int) and isinstance(turns, int) and calls >= turns:
            yield "agent.max_calls", f"agent.max_turns={turns}, and a turn is one call"
    if "search" not in tools:
        yield "agent.corpus", has
    kinds = {".py" if _is_own(name) else name for name in (*tools, *([] if environment is None else [environment]))}
    yield from ((limit, has) for limit, names in _KEPT_BY.items() if not kinds & {*names})
    room = training["max_response_length"]
    if agent["turn_tokens"] == room:
        yield "agent.turn_tokens", f"training.max_response_length={room}"
    if agent["context"] is not None and agent["context"] == training["max_prompt_length"] + room:
        yield "agent.context", "training.max_prompt_length + training.max_response_length is as much"


def _is_own(name: object) -> bool:
    """Whether a tool or environment is `FILE.py:NAME`."""
    return str(name).rpartition(":")[0].endswith(".py")


def setting(config: Plain, key: str) -> Any:
    """The value of a dotted key."""
    return reduce(lambda part, name: part[name], key.split("."), config)
