"""Arguments of a call are checked once, by the tool's own schema, the same in the loop and in a tool called alone."""

import json
from pathlib import Path
from typing import Any

import pytest

from sweeper.agent.tools.registry import tool
from sweeper.agent.tools.tool import Observation
from sweeper.inputs.agent import frozen
from sweeper.spec.agent import Agent, ToolLimits
from tests.sweeper.played import play, record, shown, tokenizer
from tests.sweeper.test_agent_own import planned

FILE = '''
def join(names: list[str], sep: str | None = None, how: int = 1) -> str:
    """Joins names."""
    return (sep or "+").join(names * how)
'''


@pytest.fixture(scope="module")
def own(tmp_path_factory: Any) -> tuple[Agent, Path]:
    folder = tmp_path_factory.mktemp("own")
    (folder / "names.py").write_text(FILE)
    agent = planned(tools=(f"{folder}/names.py:join",))
    files = frozen(agent, folder / "results")
    assert files is not None
    return agent, files


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"names": ["a", "b"]}, "a+b"),
        ({"names": ["a", "b"], "sep": None}, "a+b"),  # its type has None
        ({"names": ["a"], "how": None}, "error: argument how must be of type integer"),  # may be left out, not null
        ({"names": None}, "error: argument names must be of type array"),
        ({"names": ["a", 1]}, "error: argument names must be of type string"),  # verl's schemas know no items
        ({"names": [], "how": True}, "error: argument how must be of type integer"),
        ({"sep": "-"}, "error: argument names is missing"),
        ({"names": [], "x": 1}, "error: there is no argument 'x'; there is names, sep, how"),
    ],
)
def test_the_loop_says_of_arguments_what_the_tool_says(
    own: tuple[Agent, Path], arguments: dict[str, Any], said: str
) -> None:
    agent, files = own
    alone: Observation = tool("names.py:join", agent, files).run(arguments, {}, {}, ToolLimits())
    assert alone.text == said
    made = tokenizer()
    text = "<tool_call>\n" + json.dumps({"name": "join", "arguments": arguments}) + "\n</tool_call>"
    output = play([text, "done"], agent, made=made, own=files, response=400)
    assert f"<|tool|>{said}<|assistant|>" in shown(output, made)[1][0]
    assert record(output)["errors"] == int(not alone.ok)
