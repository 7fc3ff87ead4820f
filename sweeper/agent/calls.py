"""The tool calls in a turn: read by verl's parser of the format, checked against the tools' schemas.

verl's parsers leave out a call that they cannot read, and an episode that has none ends. Here such a call is one too,
with its fault, so that the model is told.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from verl.experimental.agent_loop.tool_parser import ToolParser

from sweeper.agent.formats import OPENINGS

_KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}


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
    parser: ToolParser, style: str, ids: list[int], schemas: Sequence[Any]
) -> tuple[str, tuple[Call, ...]]:
    """The text beside the calls of a turn, and the calls.

    Args:
        parser: verl's.
        style: Its name.
        ids: Tokens of the turn.
        schemas: verl's `OpenAIFunctionToolSchema` of every tool.
    """
    content, found = await parser.extract_tool_calls(ids, list(schemas))
    known = {schema.function.name: schema.function.parameters for schema in schemas}
    calls = [_checked(call, known) for call in found]
    text = parser.tokenizer.decode(ids)
    unread = text.count(OPENINGS[style]) - len(found)
    fault = f"malformed call: {_why(text) if style == 'hermes' else f'not as {style} has it'}"
    return content, (*calls, *[Call(name="", arguments={}, fault=fault)] * max(0, unread))


def _checked(call: Any, known: Mapping[str, Any]) -> Call:
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
    wrong = _fault(arguments, known[call.name])
    return Call(name=call.name, arguments=arguments, fault=wrong, id=call.tool_call_id)


def _fault(arguments: Mapping[str, Any], parameters: Any) -> str | None:
    """What is wrong with arguments by their schema; None: nothing."""
    missing = next((name for name in parameters.required if name not in arguments), None)
    if missing is not None:
        return f"argument {missing} is missing"
    for name, value in arguments.items():
        if name not in parameters.properties:
            return f"there is no argument {name[:40]!r}; there is {', '.join(parameters.properties) or 'none'}"
        kinds = parameters.properties[name].type
        kinds = [kinds] if isinstance(kinds, str) else kinds
        if not any(_is(value, kind) for kind in kinds):
            return f"argument {name} must be of type {' or '.join(kinds)}"
    return None


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool):  # Python's are integers
        return kind == "boolean"
    return kind not in _KINDS or isinstance(value, _KINDS[kind])


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
