"""Games of the optional package textarena (MIT; extra `games`), each an environment `text_game:NAME`.

Named are those for one player that begin without network, give the same positions for the same seed and actions, and
run no text of the model's as code. Others want a download or a key, or judge by more than who has won.
"""

from difflib import get_close_matches
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from sweeper.agent.environments.own import OwnEnvironment
from sweeper.host.errors import ConfigError
from sweeper.spec.agent import Agent

NAME = "text_game"
_OURS = "1"  # of how a game is begun, shown and judged
_PACKAGE, _PINNED = "textarena", "0.7.4"
GAMES = (
    *("2048-v0", "Bandit-v0", "Blackjack-v0", "Crosswords-v0", "FifteenPuzzle-v0", "FrozenLake-v0"),
    *("FrozenLake-v0-random", "GuessTheNumber-v0", "LightsOut-v0", "LogicPuzzle-v0", "Mastermind-v0", "Minesweeper-v0"),
    *("PegJump-v0", "RushHour-v0", "Secretary-v0", "Set-v0", "Sokoban-v0", "Sokoban-v0-medium", "Sudoku-v0"),
    "TowerOfHanoi-v0",
)


def is_game(name: str) -> bool:
    """Whether an environment's name is meant to be a game's."""
    return name == NAME or name.startswith(f"{NAME}:")


def game_version(name: str) -> str:
    """What an environment `text_game:NAME` is known by.

    Raises:
        ConfigError: There is no such game, or textarena is not installed in the one version that was tried.
    """
    game = name.partition(":")[2]
    if game not in GAMES:
        near = get_close_matches(game, GAMES, n=1)
        hint = f"did you mean {NAME}:{near[0]}?" if near else f"there are {', '.join(GAMES)}"
        raise ConfigError(f"agent.environment={name}: there is no game {game!r}; {hint}")
    try:
        installed = version(_PACKAGE)
    except PackageNotFoundError:
        installed = "none"
    if installed != _PINNED:
        raise ConfigError(
            f"agent.environment={name} needs {_PACKAGE} {_PINNED}, and {installed} is installed: pip install "
            f"{_PACKAGE}=={_PINNED} (the extra `games`)"
        )
    return f"{_OURS}+{_PACKAGE}-{installed}"


def text_game(name: str, agent: Agent) -> OwnEnvironment:
    """What makes the episodes of a game.

    Raises:
        ConfigError: As for `game_version`.
    """
    known = game_version(name)
    file = Path(__file__).with_name("textarena_game.py")
    return OwnEnvironment(file, "Game", agent, known, given=(name.partition(":")[2],))
