"""How solve rates are spread over problems, from counts, and the sampling noise that follows where k > n/2.

The spread is a histogram over a grid of rates on the logit scale, moved by a few steps of expectation maximisation from
a flat start towards the one that makes the counts likeliest. Few steps, because the likeliest of all is a handful of
spikes. A fitted Beta distribution in its place covered .88 where a third of the problems is nearly unsolvable.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.passk.sample import Sample

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
STEPS = 20
_SPACING = 0.2  # of the grid, in logits


def kinds_of(sample: Sample) -> tuple[Ints, Ints, Any]:
    """Different (n, c) of a sample, which of them each line is, and problems x kinds (sparse): shares of lines."""
    from scipy.sparse import csr_array

    kinds, kind = np.unique(np.column_stack([sample.n, sample.c]), axis=0, return_inverse=True)
    values = 1 / sample.replicates[sample.problem]
    return kinds, kind, csr_array((values, (sample.problem, kind)), shape=(sample.n_problems, len(kinds)))


def likely_variance(sample: Sample, k: int) -> Floats:
    """Sampling variance of each line's pass@k, its mean over the solve rates that its counts leave likely.

    Args:
        sample: Every line has n >= k.
        k: Draws.

    Returns:
        One value per line, at least 0.
    """
    kinds, kind, shares = kinds_of(sample)
    rates, posterior = _posterior(kinds, np.asarray(shares.sum(axis=0), dtype=np.float64))
    of_kind = np.empty(len(kinds))
    for size in np.unique(kinds[:, 0]):
        members = kinds[:, 0] == size
        of_kind[members] = posterior[members] @ _variance(rates, int(size), k)
    return np.asarray(of_kind[kind], dtype=np.float64)


def _posterior(kinds: Ints, weights: Floats) -> tuple[Floats, Floats]:
    """Rates of the grid, and kinds x rates: how likely each is after the counts."""
    from scipy.stats import binom

    n, c = kinds[:, :1], kinds[:, 1:]
    end = math.log(8 * int(n.max()))
    inner = 1 / (1 + np.exp(-np.linspace(-end, end, 2 * math.ceil(end / _SPACING) + 1)))
    rates = np.concatenate([[0.0], inner, [1.0]])
    logs = binom.logpmf(c, n, rates[None, :])
    likely = np.exp(logs - logs.max(axis=1, keepdims=True))
    share = np.full(len(rates), 1 / len(rates))
    for _ in range(STEPS):
        share = weights @ _normalised(likely * share) / weights.sum()
    return rates, _normalised(likely * share)


def _normalised(values: Floats) -> Floats:
    return np.asarray(values / values.sum(axis=1, keepdims=True), dtype=np.float64)


def _variance(rates: Floats, n: int, k: int) -> Floats:
    """Sampling variance of the estimator at known rates.

    Two sets of k of n samples share j of them with hypergeometric probability, hence with q = 1 - p
    Var = sum_j P(j) q^(2k-j) - q^(2k).
    """
    from scipy.stats import hypergeom

    middle, spread = k * k / n, k * (n - k) / n**1.5
    low = max(0, 2 * k - n, math.floor(middle - 8 * spread - 2))
    shared = np.arange(low, min(k, math.ceil(middle + 8 * spread + 2)) + 1)
    missed = 1 - rates
    found = missed[:, None] ** (2 * k - shared) @ hypergeom.pmf(shared, n, k, k) - missed ** (2 * k)
    return np.asarray(np.maximum(found, 0.0), dtype=np.float64)
