"""Differences of pass@k between two models on the same problems, and the budget k* from which the base model is ahead.

Pairing cancels what is hard for both: at k = 1 the interval is several times narrower than that of two separate suites.
At k* the mean difference turns from plus to minus; it is interpolated linearly in log k. Every bootstrap draw of
problems gives one k*, or none; a draw in which the base model is ahead from k = 1 counts as "before 1", one in which it
never is as "beyond the largest k". Hence the interval is open at an end that the data do not show, and the share of
draws without a turn is the probability that there is none.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.laws.student import LEVEL, Interval
from analysis.passk.interval import fixed_error, normal_quantile, of_difference
from analysis.passk.resampling import DRAWS, resampled_means
from analysis.passk.sample import Sample
from sweeper.host.errors import ResultsError

Floats = NDArray[np.float64]
# A difference of means that rounding makes: of 10,000 problems with 100,000 samples the least other is 1e-9.
TIE = 1e-12


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two models on their common problems, and bootstrap means that resample both with the same draws."""

    base: Sample
    trained: Sample
    ks: tuple[int, ...]  # those defined for both
    base_draws: Floats  # draws x ks
    trained_draws: Floats
    dropped: tuple[str, ...]  # problems that only one of them answered


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Trained minus base mean pass@k."""

    k: int
    value: float | None
    problems: Interval | None
    fixed: Interval | None
    reason: str | None = None


def pair(base: Sample, trained: Sample, ks: Sequence[int], *, draws: int = DRAWS) -> Pair:
    """Put two models side by side on the problems that both answered.

    Raises:
        ResultsError: they share no problem.
    """
    common = sorted(set(base.problem_ids) & set(trained.problem_ids))
    dropped = tuple(sorted(set(base.problem_ids) ^ set(trained.problem_ids)))
    if not common:
        raise ResultsError(
            f"no problem is in both: {base.problem_ids[0]!r} ... against {trained.problem_ids[0]!r} ...; a paired "
            "difference needs the same problem_id in both"
        )
    before, after = base.keep(common), trained.keep(common)
    defined = tuple(k for k in ks if before.undefined(k) is None and after.undefined(k) is None)
    means = np.empty((draws, 0))
    if defined:
        means = resampled_means(np.hstack([before.matrix(defined), after.matrix(defined)]), draws=draws)
    base_draws, trained_draws = np.hsplit(means, 2)
    return Pair(
        base=before,
        trained=after,
        ks=defined,
        base_draws=base_draws,
        trained_draws=trained_draws,
        dropped=dropped,
    )


def difference(both: Pair, k: int, *, level: float = LEVEL) -> Difference:
    """Trained minus base at one k, with both intervals."""
    if k not in both.ks:
        reason = both.base.undefined(k) or both.trained.undefined(k) or f"k={k} was not asked for"
        return Difference(k=k, value=None, problems=None, fixed=None, reason=reason)
    values = both.trained.per_problem(k) - both.base.per_problem(k)
    value = float(values.mean())
    error = math.hypot(fixed_error(both.base, k), fixed_error(both.trained, k))
    half = normal_quantile(level) * error
    fixed = Interval(low=max(-1.0, value - half), high=min(1.0, value + half), method="normal, sampling noise of both")
    if not error:
        fixed = Interval(low=None, high=None, method="none", reason="the estimated sampling variance is 0")
    return Difference(k=k, value=value, problems=of_difference(values, level=level), fixed=fixed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossover:
    """Where the base model overtakes the trained one, up to `largest_k`."""

    k: float | None  # of the means; None: no turn in the measured range
    low: float | None  # None: below 1; `largest_k` with high None: no turn within the interval
    high: float | None  # None: beyond `largest_k`
    largest_k: int
    probability_none: float  # share of draws without a turn in 1 ... largest_k
    verdict: str  # crossover | none | undecided
    reason: str | None = None


def log_grid(largest: int, per_octave: int = 4) -> tuple[int, ...]:
    """About `per_octave` budgets a doubling, 1 and `largest` included."""
    count = max(2, round(np.log2(max(largest, 1)) * per_octave) + 1)
    return tuple(sorted({round(float(k)) for k in np.geomspace(1, largest, count)} | {1, largest}))


def crossover(both: Pair, *, level: float = LEVEL) -> Crossover | None:
    """k* with its interval over problems; None if fewer than two ks are defined, or there is one problem only.

    The verdict is `crossover` when at least `level` of the draws turn, `none` when at most half of them do and the
    means do not, else `undecided`: a model that nearly reaches the other cannot be told from one that overtakes it.
    """
    if len(both.ks) < 2 or both.base.n_problems < 2:
        return None
    ks = np.array(both.ks, dtype=np.float64)
    mean = both.trained.matrix(both.ks).mean(axis=0) - both.base.matrix(both.ks).mean(axis=0)
    value = float(turning_points(ks, mean[None, :])[0])
    found = turning_points(ks, both.trained_draws - both.base_draws)
    turned = np.isfinite(found)
    none = float(1 - turned.mean())
    tail = (1 - level) / 2
    low, high = np.quantile(found, [tail, 1 - tail], method="inverted_cdf")
    verdict = "undecided"
    if none <= 1 - level and np.isfinite(value):
        verdict = "crossover"
    elif none >= 0.5 and not np.isfinite(value):
        verdict = "none"
    reason = None
    if not np.isfinite(value):
        leader = "the base model is ahead from k = 1" if value < 0 else "the trained model stays ahead"
        reason = f"{leader} up to k = {both.ks[-1]}" if (abs(mean) > TIE).any() else "the two are equal at every k"
    return Crossover(
        k=value if np.isfinite(value) else None,
        low=None if low == -np.inf else min(float(low), float(both.ks[-1])),
        high=None if high == np.inf else max(float(high), 1.0),
        largest_k=both.ks[-1],
        probability_none=none,
        verdict=verdict,
        reason=reason,
    )


def turning_points(ks: Floats, differences: Floats) -> Floats:
    """First turn from plus to minus of each row, in k; -inf: minus from the start; +inf: never.

    Args:
        ks: Ascending budgets.
        differences: Rows x ks, trained minus base. A difference of up to `TIE` is 0 and counts as plus: nobody has
            overtaken yet.
    """
    differences = np.where(abs(differences) > TIE, differences, 0.0)
    negative = differences < 0
    first = np.where(negative.any(axis=1), negative.argmax(axis=1), len(ks))
    points = np.full(len(differences), np.inf)
    points[first == 0] = -np.inf
    rows = np.flatnonzero((first > 0) & (first < len(ks)))
    after = first[rows]
    above, below = differences[rows, after - 1], differences[rows, after]
    share = above / (above - below)
    points[rows] = np.exp(np.log(ks[after - 1]) + share * (np.log(ks[after]) - np.log(ks[after - 1])))
    return points
