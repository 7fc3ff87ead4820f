"""pass@k from per-problem counts.

`n` samples are drawn for a problem, `c` of them are correct. The estimator is exact and unbiased; it is computed as
a product in log space, stable for n up to 100,000.
"""

import math
from collections.abc import Iterable
from itertools import accumulate
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
    _check(n, c, k)
    if k > n:
        return None
    return 1.0 if n - c < k else -math.expm1(_log_all(n, n - c, k))


def pass_hat_k(n: int, c: int, k: int) -> float | None:
    """Probability that all k samples drawn without replacement are correct: C(c, k) / C(n, k).

    Unbiased for p^k, the reliability pass^k of tau-bench (arXiv:2406.12045).

    Returns:
        A value in [0, 1], or None when n < k.

    Raises:
        ValueError: c outside [0, n] or k < 1.
    """
    _check(n, c, k)
    if k > n:
        return None
    return 0.0 if c < k else math.exp(_log_all(n, c, k))


def pass_at_k_of_every_count(n: int, k: int) -> list[float]:
    """`pass_at_k(n, c, k)` for c = 0 ... n at the cost of one of them: C(n-c, k)/C(n, k) is a running product over c.

    Raises:
        ValueError: k outside [1, n].
    """
    if not 1 <= k <= n:
        raise ValueError(f"k={k} is outside [1, n={n}]")
    terms = (math.log1p(-k / (n - i)) for i in range(n - k))
    # Two floats carry the running sum (Kahan and Babuska): a plain one loses 1e-12 at n = 100,000.
    sums = accumulate(terms, _add, initial=(0.0, 0.0))
    return [-math.expm1(high + low) for high, low in sums] + [1.0] * k


def _add(total: tuple[float, float], term: float) -> tuple[float, float]:
    high, low = total
    new = high + term
    return new, low + ((high - new) + term if abs(high) >= abs(term) else (term - new) + high)


def _log_all(n: int, m: int, k: int) -> float:
    """Logarithm of C(m, k) / C(n, k), for k <= m <= n: k samples drawn all lie among m of the n."""
    # Symmetric in k and n - m: multiply over the smaller one.
    few, many = min(n - m, k), max(n - m, k)
    return math.fsum(math.log1p(-many / (n - i)) for i in range(few))


def _check(n: int, c: int, k: int) -> None:
    if not 0 <= c <= n:
        raise ValueError(f"c={c} correct samples is outside [0, n={n}]")
    if k < 1:
        raise ValueError(f"k={k} must be at least 1")


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
