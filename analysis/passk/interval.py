"""Intervals of a mean pass@k for two questions that must not be mixed.

Over problems: how would the mean come out on other problems like these? The spread between problems is in it.
This fixed benchmark: how would it come out when these very problems are sampled again? Only sampling noise is in it,
and it is many times narrower.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, ndtri

from analysis.laws.student import LEVEL, Interval, quantile
from analysis.passk.crossed import crossed_mean
from analysis.passk.estimator import variance_values
from analysis.passk.prior import likely_variance
from analysis.passk.sample import Sample

Floats = NDArray[np.float64]
MOST_ODDS = math.exp(4)  # that a delta method on the logit scale may change them by, to either side


def over_problems(values: Floats, *, level: float = LEVEL) -> Interval:
    """Interval of a mean of shares for problems, and runs, drawn like these.

    Args:
        values: One value in [0, 1] a problem, or a matrix runs x problems.
        level: Coverage asked for.

    Returns:
        The delta method on the logit scale with Student's quantile, the error that of `crossed_mean`. When all values
        are 0 (or all 1) an exact one-sided bound: with k <= n, none of P problems being solved has probability at most
        (1 - mean)^P. Where the odds would change by more than `MOST_ODDS`, of which a straight line says nothing, the
        mean with its error on the plain scale, from 0 (or 1) at least to that bound.

    Raises:
        ValueError: there is no value.
    """
    if values.size and np.ptp(values) == 0 and values.flat[0] in (0.0, 1.0):
        n = values.shape[-1]
        text = f"exact one-sided {level:.0%} bound, 1 - {1 - level:.3g}^(1/{n} problems)"
        low, high = _none_solved(n, level) if values.flat[0] == 0 else _all_solved(n, level)
        return Interval(low=low, high=high, method=text)
    return _student(values, level, shares=True)


def _none_solved(problems: int, level: float) -> tuple[float, float]:
    return 0.0, 1 - (1 - level) ** (1 / problems)


def _all_solved(problems: int, level: float) -> tuple[float, float]:
    return (1 - level) ** (1 / problems), 1.0


def of_difference(values: Floats, *, level: float = LEVEL) -> Interval:
    """The same of a mean of differences in [-1, 1], paired over problems: Student's t, on their own scale."""
    return _student(values, level, shares=False)


def _student(values: Floats, level: float, *, shares: bool) -> Interval:
    if not values.size:
        raise ValueError(f"values of shape {values.shape}: there is no problem")
    if not np.isfinite(values).all():
        return _none("the value of some problem is not defined")
    matrix = np.atleast_2d(values)
    n, found = matrix.shape[1], crossed_mean(matrix)
    if n < 2:
        return _none("one problem says nothing about other problems")
    if found.error is None:
        return _none(f"all {n} problems have the same value: no spread to learn from")
    half, freedom = quantile(found.df, level) * found.error, f"t with {found.df:.0f} degrees of freedom"
    mean = float(matrix.mean())
    if shares and half > math.log(MOST_ODDS) * mean * (1 - mean):
        low, high = _none_solved(n, level) if mean < 1 / 2 else _all_solved(n, level)
        low, high = max(0.0, min(low, mean - half)), min(1.0, max(high, mean + half))
        return Interval(low=low, high=high, method=f"{freedom} on the plain scale, and exact one-sided bound")
    if shares:
        low, high = _logit_delta(mean, half)
        return Interval(low=low, high=high, method=f"logit-delta, {freedom}")
    low, high = max(-1.0, found.value - half), min(1.0, found.value + half)
    return Interval(low=low, high=high, method=f"paired {freedom}")


def _none(reason: str, *, high: float | None = None) -> Interval:
    return Interval(low=None, high=high, method="none", reason=reason)


def fixed_benchmark(sample: Sample, k: int, *, level: float = LEVEL) -> Interval:
    """Interval of the mean when the same problems are sampled again: sampling noise only.

    When no sample of any problem was correct, the exact bound: the chance of that is at most prod (1-p_i)^n, and among
    all p with that chance >= 1 - level the mean pass@k is largest when they are equal, 1 - (1-level)^(k / (P min n)).
    """
    if not sample.c.any():
        first = np.unique(sample.problem, return_index=True)[1]  # lines are sorted by problem
        fewest = int(np.minimum.reduceat(sample.n, first).min()) * sample.n_problems
        text = f"exact one-sided {level:.0%} bound, 1 - {1 - level:.3g}^(k/{fewest} samples)"
        return Interval(low=0.0, high=1 - (1 - level) ** (k / fewest), method=text)
    if (sample.c == sample.n).all():
        return _none("every sample was correct: no failure to learn from", high=1.0)
    mean, error = float(sample.per_problem(k).mean()), fixed_error(sample, k)
    if error == 0:
        return _none("the estimated sampling variance is 0: too few samples per problem")
    if mean == 1:
        reason = f"every problem has fewer than k={k} wrong samples: all estimates are 1, the noise cannot be seen"
        return _none(reason, high=1.0)
    low, high = _logit_delta(mean, normal_quantile(level) * error)
    exact = 2 * k <= int(sample.n.min())
    kind = "unbiased variance" if exact else "variance at the solve rates that the counts leave likely, 2k > n"
    return Interval(low=low, high=high, method=f"logit-delta, {kind}")


def fixed_error(sample: Sample, k: int) -> float:
    """Standard error of the mean pass@k on these very problems, each a mean over its lines."""
    lines = variance_values(sample.n, sample.c, k)
    late = np.isnan(lines)
    if late.any():
        lines[late] = likely_variance(sample, k)[late]
    # A line that repeats another may be a copy, and a copy adds no information: only different ones count.
    rows = np.unique(np.column_stack([sample.problem, sample.n, sample.c]), axis=0)
    different = np.bincount(rows[:, 0], minlength=sample.n_problems)
    return math.sqrt(float((sample.mean_over_lines(lines) / different).sum())) / sample.n_problems


def solve_rate_bound(n: int, level: float = LEVEL) -> float:
    """Upper bound of a problem's solve rate after n samples none of which was correct: 1 - (1-level)^(1/n)."""
    return -math.expm1(math.log(1 - level) / n)


def _logit_delta(mean: float, half: float) -> tuple[float, float]:
    """Ends of the interval mean -+ half, moved to where they are symmetric on the logit scale."""
    centre, width = logit(mean), half / (mean * (1 - mean))
    return float(expit(centre - width)), float(expit(centre + width))


def normal_quantile(level: float) -> float:
    """Two-sided quantile of the normal distribution: 1.96 for a level of 0.95."""
    return float(ndtri(0.5 + level / 2))
