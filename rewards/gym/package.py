"""Which release of reasoning-gym is used, and which of its tasks cannot be: their scorers would reward nothing."""

from functools import lru_cache
from importlib import metadata

from rewards.program import UserError

VERSION = "0.1.25"
RELEASE = f"reasoning-gym=={VERSION}"
INSTALL = f"make setup in a checkout, elsewhere pip install '{RELEASE}'"

_NO_GOLD = "states no right answer that its own scorer accepts"
# Found by scoring the gold, the empty answer, nonsense and another problem's gold (tests/rewards/test_gym.py).
LEFT_OUT = {
    "boxnet": _NO_GOLD,
    "coin_flip": "its scorer accepts 0 for every probability below 1",
    "composite": "is a mixture of others, not a task",
    "game_of_life_halting": "its scorer accepts nonsense",
    "graph_color": _NO_GOLD,
    "propositional_logic": _NO_GOLD,
    "puzzle24": "its scorer accepts any four numbers that make 24, so one answer is right for every problem",
    "rubiks_cube": _NO_GOLD,
    "rush_hour": _NO_GOLD,
    "zebra_puzzles": "is made with pycosat, which has to be compiled",
}

# Levels of which one problem may take five seconds or more to make. Sequences that square again and again never end.
TOO_SLOW = {
    "bf": (3,),
    "game_of_life": (4,),
    "jugs": (3, 4),
    "n_queens": (5,),
    "number_sequence": (2, 3, 4),
    "sokoban": (1,),
}


class GymMissing(UserError, ImportError):
    """The release of reasoning-gym that is needed is not installed; the message says how to install it."""


@lru_cache(1)
def require() -> None:
    """Checks that the release is installed, without importing it.

    Raises:
        GymMissing: Another is, or none.
    """
    try:
        found = metadata.version("reasoning-gym")
    except metadata.PackageNotFoundError:
        found = None
    if found != VERSION:
        here = "is not installed" if found is None else f"is needed, and {found} is installed"
        raise GymMissing(f"tasks of reasoning-gym: {RELEASE} {here}. Install it: {INSTALL}.")
