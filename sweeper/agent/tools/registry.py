"""Tools by name."""

from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path

from sweeper.agent.tools.calculator import Calculator
from sweeper.agent.tools.python import Python
from sweeper.agent.tools.search import Search
from sweeper.agent.tools.tool import Tool
from sweeper.agent.tools.verifier import Verifier
from sweeper.host.errors import ConfigError
from sweeper.spec.agent import Agent

_TOOLS: dict[str, Callable[[Agent], Tool]] = {
    "calculator": Calculator,
    "python": Python,
    "search": Search,
    "verifier": Verifier,
}


def names() -> tuple[str, ...]:
    """Of the tools that there are, sorted."""
    return tuple(sorted(_TOOLS))


def tool(name: str, agent: Agent, files: Path | None = None) -> Tool:
    """A tool, for all trajectories of this process.

    Args:
        name: One of `agent.tools`.
        agent: Of the run.
        files: Folder with the files of the user's own, by their content; None: there are none.

    Raises:
        ConfigError: There is no such tool.
    """
    del files
    if name not in _TOOLS:
        near = get_close_matches(name, names(), n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names())}, and FILE.py:FUNCTION"
        raise ConfigError(f"agent.tools: there is no tool {name!r}; {hint}")
    return _TOOLS[name](agent)
