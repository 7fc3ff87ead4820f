"""Intervals of a mean pass@k for two questions that must not be mixed.

Over problems: how would the mean come out on other problems like these? The spread between problems is in it.
This fixed benchmark: how would it come out when these very problems are sampled again? Only sampling noise is in it,
and it is many times narrower.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from analysis.laws.student import LEVEL, quantile
from analysis.passk.crossed import crossed_mean
from analysis.passk.estimator import variance_values
from analysis.passk.prior import likely_variance
from analysis.passk.sample import Sample

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Ends of an interval; None with the reason where one cannot be computed."""

    low: float | None
    high: float | None
    method: str
    reason: str | None = None


def over_problems(values: Floats, *, level: float = LEVEL) -> Interval:
    """Interval of a mean of shares for problems, and runs, drawn like these.

    Args:
        values: One value in [0, 1] a problem, or a matrix runs x problems.
        level: Coverage asked for.

    Returns:
        The delta method on the logit scale with Student's quantile, the error that of `crossed_mean`. When all values
        are 0 (or all 1) an exact one-sided bound: with k <= n, none of P problems being solved has probability at most
        (1 - mean)^P.

    Raises:
        ValueError: there is no value.
    """
    matrix, nothing = np.atleast_2d(values), _nothing(values)
    if nothing is not None:
        return nothing
    n, mean, alpha = matrix.shape[1], float(matrix.mean()), 1 - level
    if np.ptp(matrix) == 0 and mean in (0.0, 1.0):
        bound = alpha ** (1 / n)
        text = f"exact one-sided {level:.0%} bound, 1 - {alpha:.3g}^(1/{n} problems)"
        return (
            Interval(low=0.0, high=1 - bound, method=text) if mean == 0 else Interval(low=bound, high=1.0, method=text)
        )
    found = crossed_mean(matrix)
    if n < 2 or found.error is None:
        return _no_spread(n)
    low, high = _logit_delta(mean, found.error, quantile(found.df, level))
    return Interval(low=low, high=high, method=f"logit-delta, t with {found.df:.0f} degrees of freedom")


def of_difference(values: Floats, *, level: float = LEVEL) -> Interval:
    """The same of a mean of differences in [-1, 1], paired over problems: Student's t, on their own scale."""
    matrix, nothing = np.atleast_2d(values), _nothing(values)
    if nothing is not None:
        return nothing
    found = crossed_mean(matrix)
    if matrix.shape[1] < 2 or found.error is None:
        return _no_spread(matrix.shape[1])
    half = quantile(found.df, level) * found.error
    low, high = max(-1.0, found.value - half), min(1.0, found.value + half)
    return Interval(low=low, high=high, method=f"paired t with {found.df:.0f} degrees of freedom")


def _nothing(values: Floats) -> Interval | None:
    """Why there is no interval, whatever the method."""
    if not values.size:
        raise ValueError(f"values of shape {values.shape}: there is no problem")
    if np.isfinite(values).all():
        return None
    return Interval(low=None, high=None, method="none", reason="the value of some problem is not defined")


def _no_spread(n: int) -> Interval:
    reason = f"all {n} problems have the same value: no spread to learn from"
    if n < 2:
        reason = "one problem says nothing about other problems"
    return Interval(low=None, high=None, method="none", reason=reason)


def fixed_benchmark(sample: Sample, k: int, *, level: float = LEVEL) -> Interval:
    """Interval of the mean when the same problems are sampled again: sampling noise only.

    When no sample of any problem was correct, the exact bound: the chance of that is at most prod (1-p_i)^n, and among
    all p with that chance >= 1 - level the mean pass@k is largest when they are equal, 1 - (1-level)^(k / (P min n)).
    """
    values = sample.per_problem(k)
    mean, alpha = float(values.mean()), 1 - level
    if not sample.c.any() or (sample.c == sample.n).all():
        fewest = int(_least_samples(sample).min()) * sample.n_problems
        if not sample.c.any():
            return Interval(
                low=0.0,
                high=1 - alpha ** (k / fewest),
                method=f"exact one-sided {level:.0%} bound, 1 - {alpha:.3g}^(k/{fewest} samples)",
            )
        return Interval(low=None, high=1.0, method="none", reason="every sample was correct: no failure to learn from")
    error = math.sqrt(float((_problem_variance(sample, k)).sum())) / sample.n_problems
    if error == 0:
        return Interval(
            low=None,
            high=None,
            method="none",
            reason="the estimated sampling variance is 0: too few samples per problem",
        )
    if mean == 1:
        reason = f"every problem has fewer than k={k} wrong samples: all estimates are 1, the noise cannot be seen"
        return Interval(low=None, high=1.0, method="none", reason=reason)
    low, high = _logit_delta(mean, error, normal_quantile(level))
    exact = 2 * k <= int(sample.n.min())
    kind = "unbiased variance" if exact else "variance at the solve rates that the counts leave likely, 2k > n"
    return Interval(low=low, high=high, method=f"logit-delta, {kind}")


def _problem_variance(sample: Sample, k: int) -> Floats:
    """Sampling variance of each problem's mean over replicates; identical lines are one measurement, not two."""
    lines = variance_values(sample.n, sample.c, k)
    late = np.isnan(lines)
    if late.any():
        lines[late] = likely_variance(sample, k)[late]
    return sample.mean_over_lines(lines) / _distinct(sample)


def fixed_error(sample: Sample, k: int) -> float:
    """Standard error of the mean pass@k on these very problems."""
    return math.sqrt(float(_problem_variance(sample, k).sum())) / sample.n_problems


def solve_rate_bound(n: int, level: float = LEVEL) -> float:
    """Upper bound of a problem's solve rate after n samples none of which was correct: 1 - (1-level)^(1/n)."""
    return -math.expm1(math.log(1 - level) / n)


def _distinct(sample: Sample) -> Floats:
    """Different (n, c) of each problem: a line that repeats another may be a copy, and a copy adds no information."""
    rows = np.unique(np.column_stack([sample.problem, sample.n, sample.c]), axis=0)
    return np.bincount(rows[:, 0], minlength=sample.n_problems).astype(np.float64)


def _least_samples(sample: Sample) -> NDArray[np.int64]:
    least = np.full(sample.n_problems, np.iinfo(np.int64).max)
    np.minimum.at(least, sample.problem, sample.n)
    return least


def _logit_delta(mean: float, error: float, quantile: float) -> tuple[float, float]:
    width = quantile * error / (mean * (1 - mean))
    centre = math.log(mean / (1 - mean))
    return _logistic(centre - width), _logistic(centre + width)


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x > -700 else 0.0


def normal_quantile(level: float) -> float:
    """Two-sided quantile of the normal distribution: 1.96 for a level of 0.95."""
    return float(ndtri(0.5 + level / 2))
