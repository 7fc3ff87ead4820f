"""Bootstrap over problems, exact and fast: equal problems are drawn together.

Drawing P problems with replacement and counting how often each *kind* of problem (the same values at every k) comes up
is a multinomial over kinds. With n samples a problem has at most n + 1 kinds, so 10,000 draws of 10,000 problems cost
10,000 x 129 numbers instead of 10^8. Where kinds are as many as problems, the draws are made in blocks.
"""

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
        raise ValueError(f"values of shape {values.shape} must be finite, with one row a problem")
    kinds, counts = np.unique(values, axis=0, return_counts=True)
    n, rng = int(counts.sum()), np.random.default_rng(seed)
    means = np.empty((draws, values.shape[1]))
    block = max(1, _BLOCK // max(len(kinds), 1))
    for first in range(0, draws, block):
        size = min(block, draws - first)
        few = 3 * len(kinds) < n
        weights = rng.multinomial(n, counts / n, size=size) if few else _drawn(rng, counts, n, size)
        means[first : first + size] = weights @ kinds / n
    return means


def _drawn(rng: np.random.Generator, counts: NDArray[np.int64], n: int, size: int) -> NDArray[np.int64]:
    """How often each kind is drawn when n problems are, `size` times: one bincount for all draws."""
    kind_of = np.repeat(np.arange(len(counts)), counts)
    weights = np.empty((size, len(counts)), dtype=np.int64)
    for row in weights:
        row[:] = np.bincount(kind_of[rng.integers(0, n, size=n)], minlength=len(counts))
    return weights
