"""Percentile bootstrap over problems.

The problem is the unit of resampling: its samples are not independent, so they stay together. Quantities resampled
with the same draw (base and trained model, every k) are paired: what is hard for both cancels in their difference.
The intervals cover the choice of problems and the sampling of answers; they do not cover training seeds.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
DRAWS = 4000
SEED = 20211  # any fixed number: the same rows must give the same interval
LEVEL = 0.95


class Estimate(NamedTuple):
    """A mean with the ends of its interval; `low` and `high` are None where none can be computed."""

    value: float
    low: float | None
    high: float | None


NONE = Estimate(np.nan, None, None)  # in the place of an estimate that does not exist


@lru_cache(maxsize=16)
def problem_weights(n_problems: int, *, draws: int = DRAWS, seed: int = SEED) -> Floats:
    """Share of each problem in each bootstrap draw: draws x problems, rows sum to 1."""
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(n_problems, np.full(n_problems, 1 / n_problems), size=draws) / n_problems
    weights.flags.writeable = False
    return weights


def mean_over_problems(values: Floats, *, level: float = LEVEL, draws: int = DRAWS, seed: int = SEED) -> Estimate:
    """Mean over problems with its percentile interval.

    Args:
        values: One value a problem, of any range (a difference for a paired comparison).
        level: Coverage asked for, in (0, 1).
        draws: Bootstrap draws.
        seed: Of the draws; the same number of problems and seed give the same draws, hence pairing.

    Returns:
        The interval is None with fewer than two problems, when any value is not finite, and when all are equal:
        resampling equal values would claim certainty.

    Raises:
        ValueError: there is no problem.
    """
    if values.ndim != 1 or not len(values):
        raise ValueError(f"values of shape {values.shape}: expected one value a problem, at least one problem")
    mean = float(np.mean(values))
    if len(values) < 2 or not np.isfinite(values).all() or np.ptp(values) == 0:
        return Estimate(mean, None, None)
    low, high = percentile_interval(problem_weights(len(values), draws=draws, seed=seed) @ values, level=level)
    return Estimate(mean, low, high)


def percentile_interval(draws: Floats, *, level: float = LEVEL) -> tuple[float, float]:
    """Central interval of bootstrap draws."""
    tail = 50 * (1 - level)
    low, high = np.percentile(draws, [tail, 100 - tail])
    return float(low), float(high)
