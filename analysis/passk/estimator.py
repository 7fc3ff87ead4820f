"""The estimators of `sweeper.rows.passk` over arrays of counts.

Nothing is estimated here: every value comes from `sweeper.rows.passk`, once for each different (n, c).
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sweeper.rows.passk import pass_at_k, pass_at_k_of_every_count, pass_hat_k

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def pass_at_k_values(n: Ints, c: Ints, k: int) -> Floats:
    """pass@k of every line; NaN where n < k."""
    return _by_n(n, c, k, _pass_at)


def pass_hat_k_values(n: Ints, c: Ints, k: int) -> Floats:
    """pass^k of every line (all of k samples correct); NaN where n < k."""
    return _by_n(n, c, k, lambda size, found, k: np.array([_number(pass_hat_k(size, int(one), k)) for one in found]))


def variance_values(n: Ints, c: Ints, k: int) -> Floats:
    """Sampling variance of each line's pass@k, over repeated draws of n samples from the same problem.

    Unbiased: u^2 - C(n-c, 2k)/C(n, 2k) with u = C(n-c, k)/C(n, k), because both terms are unbiased for E[u^2] and
    (1-p)^2k.

    Returns:
        One value a line, at least 0; NaN where n < 2k: no unbiased estimate exists there (`prior.likely_variance`).
    """
    return _by_n(n, c, k, _variance)


def _by_n(n: Ints, c: Ints, k: int, of: Callable[[int, Ints, int], Floats]) -> Floats:
    """Evaluate each different (n, c) once."""
    values = np.full(len(n), np.nan)
    for size in np.unique(n):
        if size >= k:
            members = n == size
            different, where = np.unique(c[members], return_inverse=True)
            values[members] = of(int(size), different, k)[where]
    return values


def _pass_at(n: int, c: Ints, k: int) -> Floats:
    # One running product gives every c for the price of n terms; few and small counts are cheaper one by one.
    if int(np.minimum(c, k).sum()) < n:
        return np.array([_number(pass_at_k(n, int(one), k)) for one in c])
    return np.array(pass_at_k_of_every_count(n, k))[c]


def _variance(n: int, c: Ints, k: int) -> Floats:
    missed = 1 - _pass_at(n, c, k)
    if 2 * k > n:
        return np.full(len(c), np.nan)
    return np.maximum(missed**2 - (1 - _pass_at(n, c, 2 * k)), 0.0)


def _number(value: float | None) -> float:
    return math.nan if value is None else value
