"""The tool calls in a turn: read by verl's parser of the format, checked against the tools' schemas.

verl's parsers leave out a call that they cannot read, and an episode that has none ends. Here such a call is one too,
with its fault, so that the model is told.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from verl.experimental.agent_loop.tool_parser import ToolParser

from sweeper.agent.arguments import fault_of
from sweeper.agent.formats import OPENINGS


@dataclass(frozen=True, slots=True)
class Call:
    """One call.

    Attributes:
        name: Of the tool, as the model wrote it; empty where none could be read.
        arguments: By name; empty where they could not be read.
        fault: Why it cannot be run; None: it can.
        id: That the model gave it, in the formats that have one.
    """

    name: str
    arguments: Mapping[str, Any]
    fault: str | None = None
    id: str | None = None

    def message(self) -> dict[str, Any]:
        """As a chat template knows it."""
        function = {"name": self.name or "unknown", "arguments": dict(self.arguments)}
        return {"type": "function", "function": function} | ({} if self.id is None else {"id": self.id})


async def read_calls(
    parser: ToolParser, style: str, ids: list[int], schemas: Sequence[Any], known: Mapping[str, Mapping[str, Any]]
) -> tuple[str, tuple[Call, ...]]:
    """The text beside the calls of a turn, and the calls.

    Args:
        parser: verl's.
        style: Its name.
        ids: Tokens of the turn.
        schemas: verl's `OpenAIFunctionToolSchema` of every tool, for its parser.
        known: The tools' own schemas by name, by which arguments are checked: verl's lack what lists are of.
    """
    content, found = await parser.extract_tool_calls(ids, list(schemas))
    calls = [_checked(call, known) for call in found]
    text = parser.tokenizer.decode(ids)
    unread = text.count(OPENINGS[style]) - len(found)
    fault = f"malformed call: {_why(text) if style == 'hermes' else f'not as {style} has it'}"
    return content, (*calls, *[Call(name="", arguments={}, fault=fault)] * max(0, unread))


def _checked(call: Any, known: Mapping[str, Mapping[str, Any]]) -> Call:
    """A call that verl's parser read, with what is wrong with it."""
    if call.name not in known:
        fault = f"no tool {call.name!r}; there is {', '.join(sorted(known))}"
        return Call(name=call.name, arguments={}, fault=fault, id=call.tool_call_id)
    try:
        arguments = json.loads(call.arguments)
    except (ValueError, RecursionError):
        arguments = None
    if not isinstance(arguments, dict):
        return Call(name=call.name, arguments={}, fault="arguments must be a JSON object", id=call.tool_call_id)
    wrong = fault_of(arguments, known[call.name])
    return Call(name=call.name, arguments=arguments, fault=wrong, id=call.tool_call_id)


def _why(text: str) -> str:
    """Why the first call that hermes' parser left out is none."""
    for part in text.split(OPENINGS["hermes"])[1:]:
        body, closed, _ = part.partition("</tool_call>")
        if not closed:
            return "it does not end with </tool_call>"
        try:
            call = json.loads(body)
        except ValueError as error:
            return f"no JSON: {error}"
        except RecursionError:
            return "no JSON: too deep"
        if not isinstance(call, dict) or not {"name", "arguments"} <= call.keys():
            return 'it needs "name" and "arguments"'
    return "its name is no text"
