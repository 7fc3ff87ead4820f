"""Which settings decide a result: what a run is known by.

Every setting of a run is in one of two lists, by the part of the specification that holds it: `SCIENCE` can change a
result and makes a run's id, `OTHER` cannot. A setting in neither is in no id, and a test refuses it. So that a setting
added later leaves the id of every old run as it was, a null is left out, and so is a value that `BEFORE` declares to
mean the same as before the setting was there. verl's keys count as they are: a null there is a value that verl is told.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from data_prep.spec import FORMAT_VERSION
from sweeper.spec.dotted import dotted

Plain = Mapping[str, Any]

SCIENCE = {
    "": "model data data_scale domain_mix curriculum algorithm training agent eval verl seed reward "
    "reward_suite verl_version",
    "model": "source path revision architecture prompt_style warm_start actor_lr",
    "model.architecture": "hidden_size intermediate_size num_layers num_heads num_kv_heads vocab_size "
    "tie_word_embeddings attention_bias max_position_embeddings head_size qk_norm qk_norm_all_heads num_experts "
    "experts_per_token expert_size shared_expert_size",
    "model.warm_start": "steps batch_size lr n_examples error_rate seed tasks tool_share",
    "data": "tasks seed stratify_by filters sft_share recipe cleaning screen digest annotation_digests "
    "solutions_digest",
    "data.filters": "column low high includes_low includes_high",
    "data.cleaning": "exact_duplicates near_duplicates contamination golds max_prompt_tokens tokenizer bad_rows",
    "data.screen": "n_samples max_problems min_pass_rate max_pass_rate",
    "data_scale": "n_unique epochs",
    "domain_mix": "weights",
    "curriculum": "order order_by stages",
    "algorithm": "adv_estimator rollout_n gamma lam norm_adv_by_std clip_ratio_low clip_ratio_high clip_ratio_c "
    "entropy_coeff policy_loss loss_agg_mode filter_groups ppo_epochs critic_lr critic_warmup cliprange_value kl lora",
    "algorithm.kl": "in_reward reward_coef reward_penalty reward_controller target in_loss loss_coef loss_type",
    "algorithm.lora": "rank alpha target_modules",
    "training": "train_batch_size ppo_mini_batch_size max_prompt_length max_response_length total_steps actor_lr "
    "critic_lr lr_warmup_steps weight_decay grad_clip temperature top_p sft",
    "training.sft": "epochs batch_size lr",
    "agent": "tools environment max_turns max_calls turn_tokens context format observation_chars feedback tell_budget "
    "limits versions",
    "agent.limits": "cpu_s wall_s memory_mb output_bytes",
    "reward": "scorers versions partial_credit limits",
    "reward.scorers": "source file function digest version",
    "eval": "suite n_samples ks problems_per_domain domains temperature top_p val_problems_per_domain val_n val_freq "
    "checkpoints",
}

# Names, paths (files count by their content) and how a run is executed. What a part holds is as the part is.
OTHER = {
    "": "cluster logging spec_version",
    "model": "name family nominal_params resources vetted tool_format",
    "data": "root annotations sft_solutions",
    "data_scale": "name",
    "domain_mix": "name",
    "curriculum": "name",
    "algorithm": "name",
    "training": "save_freq",
    "agent": "name corpus files",
    "reward": "path sources",
}

# What runs did that were made without a setting; never to be changed with its default.
BEFORE: dict[str, Any] = {
    "model.prompt_style": "model",
    "model.warm_start.tasks": "answers",
    "model.warm_start.tool_share": 0.5,
    "data.tasks": "answers",
    "data.stratify_by": "",
    "data.filters": [],
    "data.sft_share": 0.0,
    "data.annotation_digests": [],
    "algorithm.policy_loss": "vanilla",
    "algorithm.filter_groups": False,
    "curriculum.order": "mixed",
    "curriculum.order_by": "",
    "curriculum.stages": [],
    "reward.scorers": [],
    "reward.versions": {},
    "reward.partial_credit": False,
    "reward.limits": {},
    "eval.checkpoints": "last",
}


# How a run is executed, of what `OTHER` names: no description of a run in a table needs it.
EXECUTION = ("cluster", "logging", "spec_version", "model.resources", "model.vetted", "training.save_freq")


def settings(spec: Plain) -> dict[str, Any]:
    """Every setting of a run but how it is executed, by dotted key; nulls are left out. As `science` has it."""
    told = spec if _acts(spec["agent"]) else {key: part for key, part in spec.items() if key != "agent"}
    return {
        key: value
        for key, value in dotted(told).items()
        if value not in (None, {}) and not any(f"{key}.".startswith(f"{part}.") for part in EXECUTION)
    }


def agent_settings(settings: Plain) -> dict[str, Any]:
    """Of `settings`, what decides what an agent does; empty: the run has none.

    Without names and paths, and with the parser of calls that is used: as `sweeper.rows.base_counts.suite_digest`.
    """
    names = SCIENCE["agent"].split()
    found = {
        key: value
        for key, value in settings.items()
        if key.startswith("agent.") and key.split(".")[1] in names and (key not in BEFORE or value != BEFORE[key])
    }
    if found:
        found.setdefault("agent.format", settings.get("model.tool_format"))
    return found


def science(spec: Plain) -> dict[str, Any]:
    """What can change a result, of all fields of a `RunSpec`, as plain JSON values."""
    found = science_of("", spec)
    model, data, training = found["model"], found["data"] | found.pop("curriculum"), found["training"]
    # The step size is the regime's if it states one, else the model's.
    if (actor_lr := model.pop("actor_lr", None)) is not None:
        training.setdefault("actor_lr", actor_lr)
    # Files go by the names of the settings that name them.
    for name, digest in (("annotations", "annotation_digests"), ("sft_solutions", "solutions_digest")):
        if digest in data:
            data[name] = data.pop(digest)
    # What is off has no settings: synthetic tasks are not cleaned, and so on.
    synthetic = spec["data"]["root"] is None
    data |= {"synthetic": synthetic} | ({} if synthetic else {"format": FORMAT_VERSION})
    if synthetic:
        del data["cleaning"]
    if not spec["data"]["screen"]["n_samples"]:
        del data["screen"]
    if not spec["data"]["sft_share"]:
        del training["sft"]
    if not found["reward"]:
        del found["reward"]
    if not _acts(found["agent"]):
        del found["agent"]
    return found | {"data": data}


def _acts(agent: Plain) -> bool:
    """As `Agent.acts`."""
    return bool(agent["tools"]) or agent.get("environment") is not None


def science_of(part: str, values: Plain) -> dict[str, Any]:
    """What can change a result in one part of a specification, dotted as in `SCIENCE`; "" for the whole."""
    found = {}
    for name, key in _keys(part, SCIENCE[part]):
        value = values[name]
        if value is None or (key in BEFORE and value == BEFORE[key]):
            continue
        if key in SCIENCE:
            value = [science_of(key, one) for one in value] if isinstance(value, list) else science_of(key, value)
        found[name] = value
    return found


@cache
def _keys(part: str, names: str) -> tuple[tuple[str, str], ...]:
    """Each name with its dotted key: a plan of thousands of runs asks for the same ones."""
    return tuple((name, f"{part}.{name}" if part else name) for name in names.split())
