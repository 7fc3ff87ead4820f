"""What an agent could not do is refused at plan, with the key and the cure."""

import pytest

from sweeper.host.errors import ConfigError
from sweeper.plan.agent_refusals import refuse_agent
from tests.sweeper.points import spec

TINY = ("model_family=tiny-agent", "agent=calculator")
QWEN = ("model_family=qwen2.5-instruct", "agent=python")


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (("agent=calculator",), "model.tool_format is null"),
        (QWEN, "set model.prompt_style=model"),
        ((*TINY, "agent.format=hermse"), "did you mean hermes?"),
        ((*TINY, "agent.format=llama3_json"), "verl has no such parser"),
        ((*TINY, "agent.context=4000"), "agent.context=4000 is above"),
        ((*TINY, "agent.turn_tokens=4000"), "agent.turn_tokens=4000 is above"),
        ((*TINY, "agent.max_turns=20000"), "agent.max_turns=20000"),
    ],
)
def test_what_could_not_act_is_refused(overrides: tuple[str, ...], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        refuse_agent(spec(*overrides))
    assert said in str(caught.value)


@pytest.mark.parametrize("overrides", [TINY, (*QWEN, "model.prompt_style=model"), ("agent=higher_lower",)])
def test_what_can_act_is_not_refused(overrides: tuple[str, ...]) -> None:
    refuse_agent(spec(*overrides))
