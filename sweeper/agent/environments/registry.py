"""Environments by name."""

from difflib import get_close_matches
from pathlib import Path

from sweeper.agent.environments.environment import EnvironmentClass
from sweeper.agent.environments.higher_lower import HigherLower
from sweeper.host.errors import ConfigError
from sweeper.spec.agent import Agent

_ENVIRONMENTS: dict[str, EnvironmentClass] = {
    "higher_lower": HigherLower,
}


def names() -> tuple[str, ...]:
    """Of the environments that there are, sorted."""
    return tuple(sorted(_ENVIRONMENTS))


def environment(name: str, agent: Agent, files: Path | None = None) -> EnvironmentClass:
    """What makes the episodes of an environment.

    Args:
        name: `agent.environment`.
        agent: Of the run.
        files: Folder with the files of the user's own, by their content; None: there are none.

    Raises:
        ConfigError: There is no such environment.
    """
    del agent, files
    if name not in _ENVIRONMENTS:
        near = get_close_matches(name, names(), n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names())}, and FILE.py:CLASS"
        raise ConfigError(f"agent.environment: there is no environment {name!r}; {hint}")
    return _ENVIRONMENTS[name]
