"""maj@k: the most frequent of k answers is right, drawn without replacement from the n answers of a problem.

Self-consistency (arXiv:2203.11171), estimated without bias and without simulation. Input: how often each *different*
answer of a problem was given and whether it is correct; a sample without any answer is an answer of its own that is
never correct. Ties are broken by chance among the answers that share the highest count.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
EXACT_UP_TO = 256  # samples; above, coefficients would leave the range of floats
DRAWS = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One different answer of a problem."""

    count: int
    correct: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Majority:
    """maj@k of one problem; `error` is the Monte Carlo standard error, 0 where the value is exact."""

    value: float | None
    error: float
    reason: str | None = None


def majority_at_k(answers: Sequence[Answer], k: int, *, draws: int = DRAWS, seed: int = 11) -> Majority:
    """Probability that the majority of k answers is correct.

    Exact up to `EXACT_UP_TO` samples: the ways in which an answer comes up m times, t others also m times and the rest
    less often are the coefficients of a product of polynomials, one factor an answer. Above that by simulation.

    Raises:
        ValueError: k < 1, or a negative count.
    """
    if k < 1 or any(answer.count < 0 for answer in answers):
        raise ValueError(f"k={k} must be at least 1 and no count negative")
    n = sum(answer.count for answer in answers)
    if k > n:
        return Majority(value=None, error=0.0, reason=f"k={k} is more than the {n} samples")
    if n > EXACT_UP_TO:
        return _simulated(answers, k, draws, seed)
    ways = sum(
        _ways_to_win(answer.count, [other.count for other in answers if other is not answer], k)
        for answer in answers
        if answer.correct
    )
    return Majority(value=min(1.0, ways / comb(n, k)), error=0.0)


def _ways_to_win(count: int, others: Sequence[int], k: int) -> float:
    """Choices of k samples in which an answer given `count` times wins, ties weighing 1/(number of winners)."""
    total = 0.0
    for m in range(1, min(count, k) + 1):
        left = k - m
        most_ties = left // m
        # product[t, x]: choices of x samples of the others, t of them coming up exactly m times, none more often.
        product: Floats = np.zeros((most_ties + 1, left + 1))
        product[0, 0] = 1.0
        for other in others:
            product = _times(product, other, m, left)
        total += comb(count, m) * sum(product[t, left] / (t + 1) for t in range(most_ties + 1))
    return total


def _times(product: Floats, count: int, m: int, left: int) -> Floats:
    """Multiply by one answer's factor: fewer than m times as a polynomial in x, exactly m times one tie more."""
    result = np.zeros_like(product)
    for taken in range(min(count, m - 1, left) + 1):
        result[:, taken:] += comb(count, taken) * product[:, : left + 1 - taken]
    if count >= m and m <= left and len(product) > 1:
        result[1:, m:] += comb(count, m) * product[:-1, : left + 1 - m]
    return result


def _simulated(answers: Sequence[Answer], k: int, draws: int, seed: int) -> Majority:
    rng = np.random.default_rng(seed)
    counts = np.array([answer.count for answer in answers])
    right = np.array([answer.correct for answer in answers])
    drawn = rng.multivariate_hypergeometric(counts, k, size=draws)
    winners = drawn == drawn.max(axis=1, keepdims=True)
    share = (winners & right).sum(axis=1) / winners.sum(axis=1)
    return Majority(value=float(share.mean()), error=float(share.std(ddof=1) / np.sqrt(draws)))
