"""What an agent adds to every prompt: the schemas of its tools, and the words that tell its budget."""

from collections.abc import Mapping
from typing import Any

from sweeper.spec.agent import Agent

# What verl keeps of a schema, in its order (`OpenAIFunctionToolSchema`, v0.9.1); the rest no model is shown.
_PROPERTY = ("type", "description", "enum")
_PARAMETERS = ("type", "properties", "required")
_FUNCTION = ("name", "description", "parameters", "strict")


def as_shown(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A tool's schema as verl hands it to chat templates, for its data and its rollout alike; known without verl."""
    function = _kept(schema["function"], _FUNCTION)
    if "parameters" in function:
        parameters = _kept(function["parameters"], _PARAMETERS)
        known = parameters["properties"].items()
        function["parameters"] = parameters | {"properties": {name: _kept(one, _PROPERTY) for name, one in known}}
    return {"type": schema["type"], "function": function}


def _kept(values: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: values[name] for name in names if values.get(name) is not None}


def ending_of(agent: Agent) -> str:
    """What the last message of a prompt ends with: the budget if `agent.tell_budget`, else nothing."""
    if not agent.acts or not agent.tell_budget:
        return ""
    limits = f"{agent.max_turns} turns" + ("" if agent.max_calls is None else f" and {agent.max_calls} calls")
    return f"\nYou have {limits}."
