"""The most that any policy can reach in an environment, where that is known."""

import numpy as np

from analysis.runs.selection import Run
from sweeper.agent.environments.higher_lower import NAME as HIGHER_LOWER
from sweeper.agent.environments.higher_lower import ceiling as of_higher_lower


def ceiling(run: Run, turns: int) -> float | None:
    """The largest mean share of right answers within so many turns, over the problems of a run; None: not known.

    Known for games of `higher_lower` on the synthetic tasks: a problem of level L hides one of 2^(L+1) to 2^(L+2) - 1
    numbers, each as likely, and so many numbers with the same chance.
    """
    settings, counts = run.row.settings or {}, run.trained
    levels = () if counts is None else counts.difficulties
    known = [int(level) for level in levels if level is not None and 1 <= level < 40 and level == int(level)]
    is_game = settings.get("agent.environment") == HIGHER_LOWER and settings.get("data.tasks") == "agent"
    if not is_game or not known or len(known) < len(levels):
        return None
    each = {level: _of_level(level, turns) for level in set(known)}
    return float(np.mean([each[level] for level in known]))


def _of_level(level: int, turns: int) -> float:
    fewest, most = 2 ** (level + 1), 2 ** (level + 2) - 1
    if most - fewest > 10_000:  # far more than any level there is
        return of_higher_lower(fewest, turns)
    return float(np.mean([of_higher_lower(numbers, turns) for numbers in range(fewest, most + 1)]))
