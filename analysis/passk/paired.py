"""Differences of pass@k between two models on the same problems.

Pairing cancels what is hard for both: at k = 1 the interval is several times narrower than that of two separate suites.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.laws.student import LEVEL
from analysis.passk.interval import Interval, fixed_error, normal_quantile, of_difference
from analysis.passk.resampling import DRAWS, resampled_means
from analysis.passk.sample import Sample
from sweeper.host.errors import ResultsError

Floats = NDArray[np.float64]


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
    if not defined:
        empty = np.empty((draws, 0))
        return Pair(base=before, trained=after, ks=(), base_draws=empty, trained_draws=empty, dropped=dropped)
    means = resampled_means(np.hstack([before.matrix(defined), after.matrix(defined)]), draws=draws)
    half = len(defined)
    return Pair(
        base=before,
        trained=after,
        ks=defined,
        base_draws=means[:, :half],
        trained_draws=means[:, half:],
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
    fixed = (
        Interval(low=max(-1.0, value - half), high=min(1.0, value + half), method="normal, sampling noise of both")
        if error > 0
        else Interval(low=None, high=None, method="none", reason="the estimated sampling variance is 0")
    )
    return Difference(k=k, value=value, problems=of_difference(values, level=level), fixed=fixed)
