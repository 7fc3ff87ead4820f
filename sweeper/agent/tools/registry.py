"""Tools by name."""

from difflib import get_close_matches
from pathlib import Path
from typing import Any

from sweeper.agent.own.own_code import frozen_path, is_reference, split_reference
from sweeper.agent.tools.calculator import Calculator
from sweeper.agent.tools.own import OwnTool
from sweeper.agent.tools.python import Python
from sweeper.agent.tools.search import Search
from sweeper.agent.tools.tool import Tool
from sweeper.agent.tools.verifier import Verifier
from sweeper.host.errors import ConfigError
from sweeper.spec.agent import Agent

_TOOLS = {
    "calculator": Calculator,
    "python": Python,
    "search": Search,
    "verifier": Verifier,
}


def names() -> tuple[str, ...]:
    """Of the tools that there are, sorted."""
    return tuple(sorted(_TOOLS))


def tool_version(name: str) -> str:
    """Of one of our tools.

    Raises:
        ConfigError: There is no such tool.
    """
    return str(_made(name).version)


def tool(name: str, agent: Agent, files: Path | None = None) -> Tool:
    """A tool, for all trajectories of this process.

    Args:
        name: One of `agent.tools`.
        agent: Of the run.
        files: Folder with the files of the user's own, by their content; None: there are none.

    Raises:
        ConfigError: There is no such tool, or no copy of its file.
        OwnCodeError: The file does not load.
    """
    if is_reference(name):
        _, function = split_reference(name)
        return OwnTool(frozen_path(name, agent, files), function, agent, agent.versions[name])
    made: Tool = _made(name)(agent)
    return made


def _made(name: str) -> Any:
    if name not in _TOOLS:
        near = get_close_matches(name, names(), n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names())}, and FILE.py:FUNCTION"
        raise ConfigError(f"agent.tools: there is no tool {name!r}; {hint}")
    return _TOOLS[name]
