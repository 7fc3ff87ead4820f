"""Bootstrap over problems, exact and fast: equal problems are drawn together.

Drawing P problems with replacement and counting how often each *kind* of problem (the same values at every k) comes up
is a multinomial over kinds. With n samples per problem there are at most n + 1 kinds, so 10,000 draws of 10,000
problems cost 10,000 x 129 numbers instead of 10^8. Where kinds are about as many as problems, problems are drawn one by
one: in blocks, or once for all values of as many problems.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DRAWS = 10_000
SEED = 20211  # any fixed number: the same counts give the same interval
_BLOCK = 4_000_000  # numbers held at once


def resampled_means(values: Floats, *, draws: int = DRAWS, seed: int = SEED) -> Floats:
    """Means over problems, one row a draw.

    Args:
        values: Problems x columns, finite; columns are resampled with the same draw, so they stay paired.
        draws: Bootstrap draws.
        seed: Of the draws; the result does not depend on the order of the problems.

    Returns:
        Draws x columns.

    Raises:
        ValueError: a value is not finite, or there is no problem.
    """
    if values.ndim != 2 or not len(values) or not np.isfinite(values).all():
        raise ValueError(f"values of shape {values.shape} must be finite, with one row per problem")
    kinds, counts = np.unique(values, axis=0, return_counts=True)
    n, rng = int(counts.sum()), np.random.default_rng(seed)
    few = 3 * len(kinds) < n
    if not few:  # each problem by itself: how often it is drawn does not depend on the values, and is shared
        kinds = np.repeat(kinds, counts, axis=0)
        if draws * n <= _BLOCK:
            return _shared(seed, n, draws) @ kinds / n
    means = np.empty((draws, values.shape[1]))
    block = max(1, _BLOCK // max(len(kinds), 1))
    for first in range(0, draws, block):
        size = min(block, draws - first)
        weights = rng.multinomial(n, counts / n, size=size) if few else _drawn(rng, n, size)
        means[first : first + size] = weights @ kinds / n
    return means


@lru_cache(maxsize=8)
def _shared(seed: int, n: int, draws: int) -> Floats:
    """`_drawn` for panels and intervals of as many problems; up to 32 MB each."""
    weights = _drawn(np.random.default_rng(seed), n, draws)
    weights.flags.writeable = False
    return weights


def _drawn(rng: np.random.Generator, n: int, size: int) -> Floats:
    """How often each of n problems is drawn when n are, `size` times: one bincount for all draws."""
    places = rng.integers(0, n, size=(size, n)) + n * np.arange(size)[:, None]
    return np.bincount(places.ravel(), minlength=size * n).reshape(size, n).astype(np.float64)
