"""What an agent could not do is refused at plan, with the key and the cure."""

from pathlib import Path

import pytest

from sweeper.host.errors import ConfigError
from sweeper.plan.agent_refusals import refuse_agent
from sweeper.plan.task_refusals import refuse_tasks
from tests.sweeper.points import spec

TINY = ("model_family=tiny-agent", "agent=calculator")
QWEN = ("model_family=qwen2.5-instruct", "agent=python")


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (("model_family=qwen3", "agent=calculator"), "model.tool_format is null"),
        (
            ("model=llama-3.1-8b-instruct", "model.prompt_style=model", "agent=python"),
            "llama-3.1-8b-instruct writes calls",
        ),
        (QWEN, "set model.prompt_style=model"),
        ((*TINY, "agent.format=hermse"), "did you mean hermes?"),
        ((*TINY, "agent.format=llama3_json"), "verl has no such parser"),
        ((*TINY, "agent.context=4000"), "agent.context=4000 is above"),
        ((*TINY, "agent.turn_tokens=4000"), "agent.turn_tokens=4000 is above"),
        ((*TINY, "agent.max_turns=20000"), "agent.max_turns=20000"),
        ((*TINY, "agent.context=24"), "agent.context=24 is all of training.max_prompt_length=24"),
        (("agent.tools=[calculator]", "agent.format=hermes"), "agent.name=none means one prompt and one answer"),
        (("agent.environment=higher_lower",), "agent.environment=higher_lower acts; name it"),
    ],
)
def test_what_could_not_act_is_refused(overrides: tuple[str, ...], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        refuse_agent(spec(*overrides))
    assert said in str(caught.value)


GAME = ("agent=higher_lower", "domain_mix=logic")
LOGIC = "eval.domains=[logic]"
FAMILY = "model_family=tiny-agent"


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (("data.tasks=agent", "domain_mix=math"), "data.tasks=agent: tiny-"),
        (("agent=calculator", "agent.format=hermes"), "agent.tools=['calculator']: tiny-"),
        (
            (FAMILY, "domain_mix=code"),
            "domain_mix: there are no synthetic tasks of the domain code",
        ),
        ((FAMILY, "eval.domains=[math,code]"), "eval.domains: there are no synthetic tasks of the domain code"),
        (
            ("eval.domains=[table]",),
            "choose from math, code, logic, stem, or set data_root to a folder with",
        ),
        (GAME, "the synthetic logic problems of data.tasks=answers (domain_mix) are no games"),
        ((FAMILY, *GAME), "the synthetic math problems of data.tasks=agent (eval.domains) are no games"),
        ((FAMILY, "agent=higher_lower", LOGIC), "the synthetic math problems of data.tasks=agent (domain_mix)"),
    ],
)
def test_tasks_that_there_are_not_or_that_nobody_could_do_are_refused(overrides: tuple[str, ...], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        refuse_tasks(spec(*overrides))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "overrides",
    [
        TINY,
        (*QWEN, "model.prompt_style=model"),
        ("model_family=qwen3-thinking", "agent=python"),
        ("model_family=r1-distill", "model=qwq-32b", "model.prompt_style=model", "agent=python"),
        (FAMILY, *GAME, LOGIC),
        ("agent.name=doors", "agent.environment=m.py:M"),
    ],
)
def test_what_can_act_is_not_refused(
    overrides: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "m.py").write_text("class M:\n    def reset(self, row, seed): ...\n    def step(self, text): ...\n")
    monkeypatch.chdir(tmp_path)
    run = spec(*overrides)
    refuse_tasks(run)
    refuse_agent(run)
