"""What changes nothing is refused, or left as it was with a word: a run has one id, whatever is asked of it in vain."""

from pathlib import Path

import pytest

from sweeper.agent.tools.registry import names, tool
from sweeper.grid.expand import Grid, expand
from sweeper.grid.known import is_key
from sweeper.host.errors import ConfigError
from sweeper.plan.plan import spec_from
from sweeper.plan.view import plan_json, plan_text
from sweeper.spec.agent import Agent
from sweeper.spec.idle import _KEPT_BY, _RULES, NAMES, idle, setting
from tests.sweeper.points import plan, spec

IN_VAIN = {  # what is asked for: why it changes nothing
    "algorithm.kl.loss_coef=0.04": "algorithm.kl.in_loss=false",
    "algorithm.kl.loss_type=kl": "algorithm.kl.in_loss=false",
    "algorithm.kl.loss_coef=0.001,0.01": "algorithm.kl.in_loss=false",
    "algorithm.kl={loss_coef: 0.3}": "algorithm.kl.in_loss=false",
    "algorithm.kl.reward_coef=0.1": "algorithm.kl.in_reward=false",
    "algorithm.kl.reward_controller=adaptive": "algorithm.kl.in_reward=false",
    "algorithm.kl.in_reward=true algorithm.kl.target=0.3": "algorithm.kl.reward_controller=fixed",
    "algorithm.lora.alpha=16": "algorithm.lora.rank=0",
    "algorithm.lora.target_modules=[q_proj]": "algorithm.lora.rank=0",
    "training.critic_lr=1e-5": "algorithm.adv_estimator=grpo",
    "algorithm.critic_warmup=3": "algorithm.adv_estimator=grpo",
    "algorithm.cliprange_value=0.1": "algorithm.adv_estimator=grpo",
    "algorithm.gamma=0.9": "algorithm.adv_estimator=grpo",
    "algorithm=reinforce_plus_plus algorithm.lam=0.9": "algorithm.adv_estimator=reinforce_plus_plus",
    "algorithm=ppo algorithm.norm_adv_by_std=false": "algorithm.adv_estimator=gae",
    "algorithm=ppo algorithm.critic_lr=1e-4 training.critic_lr=1e-5": "algorithm.critic_lr=0.0001",
    "training.actor_lr=0.003 model.actor_lr=0.005": "training.actor_lr=0.003",
    "model.warm_start.steps=0 model.warm_start.lr=1": "model.warm_start.steps=0",
    "model.revision=main": "model.source=tiny",
    "data.screen.max_problems=7": "data.screen.n_samples=0",
    "training.sft.lr=1e-3": "data.sft_share=0.0",
    "data.cleaning.golds=true": "data.root=null",
    "agent.max_turns=4": "agent.tools=[] and agent.environment=null",
    "agent.limits.wall_s=9": "agent.tools=[] and agent.environment=null",
    "agent=calculator agent.max_turns=1 agent.max_calls=3": "agent.max_turns=1",
    "agent=calculator agent.max_turns=1 agent.feedback=false": "agent.max_turns=1",
    "agent=calculator agent.max_turns=1 agent.observation_chars=64": "agent.max_turns=1",
    "agent=python agent.max_turns=1 agent.limits.memory_mb=64": "agent.max_turns=1",
    "agent=calculator agent.limits.cpu_s=3": "agent.tools=[calculator]",
    "agent=verifier agent.limits.output_bytes=64": "agent.tools=[verifier]",
    "agent=calculator agent.corpus=x.jsonl": "agent.tools=[calculator]",
    "agent=higher_lower agent.limits.memory_mb=64": "agent.environment=higher_lower",
    "agent=higher_lower agent.format=hermes": "agent.environment=higher_lower",
    "agent=higher_lower agent.feedback=false": "agent.environment=higher_lower",
    "agent=higher_lower agent.max_calls=4": "agent.max_turns=4, and a turn is one call",
    "agent=calculator agent.turn_tokens=20": "training.max_response_length=20",
    "agent=calculator agent.context=60": "training.max_prompt_length + training.max_response_length is as much",
}


@pytest.mark.parametrize("overrides", IN_VAIN)
def test_what_changes_nothing_in_any_point_is_refused_with_why(overrides: str) -> None:
    last = overrides if "{" in overrides else overrides.split()[-1]
    arguments = [overrides] if "{" in overrides else overrides.split()
    with pytest.raises(ConfigError) as refused:
        expand(arguments, multirun=None)
    text = str(refused.value)
    assert text.startswith(last.partition("=")[0])
    assert f" changes nothing, because {IN_VAIN[overrides]}; " in text


@pytest.mark.parametrize("same", ["algorithm.kl.loss_coef=0.001", "algorithm.lora.alpha=64", "algorithm.gamma=1"])
def test_the_value_that_is_there_anyway_may_be_written_out(same: str) -> None:
    assert spec(same).run_id == spec().run_id


MERGED = {  # axes: points asked for, different runs, those where the setting was left as it was
    "algorithm.kl.in_loss=true,false algorithm.kl.loss_coef=0.01,0.04": (4, 3, 2),
    "algorithm=ppo,grpo training.critic_lr=1e-5,2e-5 seed=0,1": (8, 6, 4),
    "algorithm=ppo,grpo training.critic_lr=1e-5": (2, 2, 1),
    "algorithm=grpo,ppo algorithm.lam=0.9,1": (4, 3, 1),
    "algorithm.lora.rank=0,8 algorithm.lora.alpha=16,32,64": (6, 4, 2),
    "agent=none,calculator agent.max_turns=1,2,4": (6, 4, 2),
    "agent=calculator agent.max_turns=1,2 agent.observation_chars=64,128": (4, 3, 2),
    "agent=higher_lower,python agent.feedback=true,false": (4, 3, 1),
}


def merged(axes: str) -> Grid:
    return expand(axes.split(), multirun=True)


@pytest.mark.parametrize("axes", MERGED)
def test_points_that_are_then_the_same_run_are_one_and_it_is_said_of_how_many(axes: str) -> None:
    asked, different, moved = MERGED[axes]
    found = merged(axes)
    ids = [spec_from(point.config).run_id for point in found.points]
    assert len(ids) == len(set(ids)) == different
    (note,) = found.notes
    assert f": left as it was in {moved} point" in note
    assert (f"; {asked - different} left out, being the same run as another" in note) == (asked > different)


@pytest.mark.parametrize("axes", MERGED)
def test_where_it_changes_nothing_a_run_is_the_one_without_it(axes: str) -> None:
    for point in merged(axes).points:
        reasons = idle(point.config)
        needed = [item for item in axes.split() if item.partition("=")[0] not in reasons]
        chosen = [f"{key}={value}" for key, value in point.choice.items() if key not in reasons]
        fixed = [item for item in needed if "," not in item]
        assert spec(*fixed, *chosen).run_id == spec_from(point.config).run_id
        # What is shown of the point is what it has.
        assert {key: point.choice[key] for key in point.choice if key in reasons} == {
            key: str(setting(point.config, key)) for key in reasons if key in point.choice
        }


def test_the_plan_says_it(tmp_path: Path) -> None:
    made = plan(tmp_path, "algorithm.kl.in_loss=true,false", "algorithm.kl.loss_coef=0.01,0.04")
    text = plan_text(made)
    assert ": 3 runs = algorithm.kl.in_loss (2) x algorithm.kl.loss_coef (2) less 1 tied, excluded or the same" in text
    note = "algorithm.kl.loss_coef changes nothing where algorithm.kl.in_loss=false: left as it was in 2 points"
    assert note in text
    assert plan_json(made, overrides=None)["notes"] == list(made.notes)


def test_points_that_are_the_same_run_otherwise_are_refused_with_their_number(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"4 points are 2 different runs; these are the same run \(tiny"):
        plan(tmp_path, "model.resources.hours=1,2", "seed=0,1")


ACTS = [  # the last setting, beside others of which a rule says that they are idle
    "agent=calculator agent.max_turns=1 agent.tell_budget=true agent.max_calls=3",
    "agent=calculator agent.max_turns=1 agent.turn_tokens=9",
    "agent=calculator agent.feedback=false",
    "agent=calculator agent.limits.wall_s=9",
    "agent=verifier agent.limits.memory_mb=64",
    "agent=python agent.limits.output_bytes=64",
    "agent=higher_lower agent.max_calls=3",
    "agent=higher_lower agent.tell_budget=true agent.max_calls=4",
    "agent=higher_lower agent.max_turns=1 agent.observation_chars=9",
    "agent=calculator agent.context=47",
]


@pytest.mark.parametrize("overrides", ACTS)
def test_an_agents_setting_that_can_change_a_run_makes_another_one(overrides: str) -> None:
    asked = overrides.split()
    assert spec(*asked).run_id != spec(*asked[:-1]).run_id


def test_of_tools_and_environments_of_the_users_own_no_limit_but_of_cpu_seconds_is_idle(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        'def twice(x: int) -> str:\n    """Twice.\n\n    Args:\n        x: It.\n    """\n'
    )
    config = expand([f"agent.tools=[{tmp_path}/mine.py:twice]", "agent.max_turns=2"], multirun=False).points[0].config
    assert {name for name in idle(config) if name.startswith("agent.")} == {"agent.corpus", "agent.limits.cpu_s"}


class Untouchable:
    def __getattr__(self, name: str) -> object:
        raise AssertionError(name)


@pytest.mark.parametrize("name", sorted({*names()} - {kind for kinds in _KEPT_BY.values() for kind in kinds}))
def test_a_tool_that_no_rule_names_reads_no_limit(name: str) -> None:
    made = tool(name, Agent(tools=(name,), versions={name: "1"}))
    asked = dict.fromkeys(made.schema["function"]["parameters"]["properties"], "1 + 2")
    assert made.run(asked, {}, {}, Untouchable()).text  # type: ignore[arg-type]


def test_every_rule_names_settings_of_ours() -> None:
    assert [name for name in (*NAMES, *(key for key, _, _ in _RULES)) if not is_key(name)] == []


def test_an_estimator_that_no_rule_names_may_read_anything() -> None:
    assert not {"algorithm.gamma", "algorithm.lam", "algorithm.norm_adv_by_std"} & set(
        idle(expand(["algorithm.adv_estimator=opo"], multirun=False).points[0].config)
    )
