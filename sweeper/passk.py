"""pass@k from per-problem counts.

`n` samples are drawn for a problem, `c` of them are correct. The estimator is exact and unbiased; it is computed as
a product in log space, stable for n up to 100,000.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple


class Count(NamedTuple):
    """Samples drawn for one problem and the correct ones among them."""

    n: int
    c: int


def pass_at_k(n: int, c: int, k: int) -> float | None:
    """Probability that at least one of k samples drawn without replacement is correct.

    Unbiased estimator of Chen et al. 2021 (arXiv:2107.03374, eq. 1): 1 - C(n-c, k) / C(n, k).

    Args:
        n: Samples drawn for the problem.
        c: Correct ones, 0 <= c <= n.
        k: Budget, k >= 1.

    Returns:
        A value in [0, 1], or None when n < k (the estimator is undefined; 0.0 or 1.0 would be a lie).

    Raises:
        ValueError: c outside [0, n] or k < 1.
    """
    if not 0 <= c <= n:
        raise ValueError(f"c={c} correct samples is outside [0, n={n}]")
    if k < 1:
        raise ValueError(f"k={k} must be at least 1")
    if k > n:
        return None
    if n - c < k:
        return 1.0
    # C(n-c,k)/C(n,k) is symmetric in c and k: multiply over the smaller one.
    few, many = min(c, k), max(c, k)
    return -math.expm1(math.fsum(math.log1p(-many / (n - i)) for i in range(few)))


def mean_pass_at_k(counts: Iterable[Count], k: int) -> float | None:
    """Mean of `pass_at_k` over problems.

    Returns:
        A value in [0, 1]; None when there is no problem, or when any problem has n < k (dropping such
        problems would silently change the benchmark).
    """
    values = [pass_at_k(count.n, count.c, k) for count in counts]
    if not values or any(value is None for value in values):
        return None
    return math.fsum(value for value in values if value is not None) / len(values)
