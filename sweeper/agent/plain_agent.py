"""An agent's settings as one text in verl's YAML files: they reach every process that makes a loop or a tool."""

from functools import cache

from sweeper.spec.agent import Agent
from sweeper.spec.bounds import RECORD, adapter


def plain(agent: Agent) -> str:
    """JSON without a dollar sign: OmegaConf would look for a value of that name."""
    text: bytes = adapter(Agent).dump_json(agent)
    return text.decode().replace("$", "\\u0024")


@cache
def agent_of(text: str) -> Agent:
    """The agent that `plain` wrote."""
    found: Agent = adapter(Agent).validate_json(text, context=RECORD)
    return found
