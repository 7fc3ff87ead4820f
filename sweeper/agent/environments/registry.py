"""Environments by name."""

from difflib import get_close_matches
from pathlib import Path

from sweeper.agent.environments.environment import EnvironmentClass
from sweeper.agent.environments.higher_lower import NAME as HIGHER_LOWER
from sweeper.agent.environments.higher_lower import HigherLower
from sweeper.agent.environments.own import OwnEnvironment
from sweeper.agent.environments.text_game import NAME, game_version, is_game, text_game
from sweeper.agent.own.own_code import frozen_path, is_reference, split_reference
from sweeper.host.errors import ConfigError
from sweeper.spec.agent import Agent

_ENVIRONMENTS: dict[str, EnvironmentClass] = {
    HIGHER_LOWER: HigherLower,
}


def names() -> tuple[str, ...]:
    """Of the environments that there are, sorted."""
    return tuple(sorted(_ENVIRONMENTS))


def environment_version(name: str) -> str:
    """Of one of our environments.

    Raises:
        ConfigError: There is no such environment.
    """
    return game_version(name) if is_game(name) else _made(name).version


def environment(name: str, agent: Agent, files: Path | None = None) -> EnvironmentClass:
    """What makes the episodes of an environment.

    Args:
        name: `agent.environment`.
        agent: Of the run.
        files: Folder with the files of the user's own, by their content; None: there are none.

    Raises:
        ConfigError: There is no such environment, or no copy of its file.
    """
    if is_reference(name):
        _, made = split_reference(name)
        return OwnEnvironment(frozen_path(name, agent, files), made, agent, agent.versions[name])
    return text_game(name, agent) if is_game(name) else _made(name)


def _made(name: str) -> EnvironmentClass:
    if name not in _ENVIRONMENTS:
        near = get_close_matches(name, [*names(), NAME], n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names())}, {NAME}:GAME, and FILE.py:CLASS"
        raise ConfigError(f"agent.environment: there is no environment {name!r}; {hint}")
    return _ENVIRONMENTS[name]
