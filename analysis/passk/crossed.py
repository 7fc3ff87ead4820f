"""The mean of measurements crossed over runs (seeds) and problems, both drawn from a population.

Two-way random effects without interaction: the variance of the mean is that of run means plus that of problem means,
less the residual that both contain, with Satterthwaite's degrees of freedom. With one run only the problems speak. The
noise between the runs of several arms may differ (`seed_noise`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from analysis.laws.student import LEVEL, quantile
from analysis.passk.estimate import Estimate
from analysis.passk.seed_noise import SeedNoise

Floats = NDArray[np.float64]
ROUNDING = 1e-12  # a standard error that equal values have by rounding alone
Part = tuple[float, float]  # of a variance: its value and degrees of freedom


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossedMean:
    """A mean over runs and problems, or a weighted sum of such means."""

    value: float  # the mean
    error: float | None  # its standard error; None where there is no spread to learn from
    df: float  # degrees of freedom of Student's t
    n_problems: int  # behind it

    def interval(self, level: float = LEVEL) -> Estimate:
        """With a central interval."""
        if self.error is None:
            return Estimate(self.value, None, None)
        half = quantile(self.df, level) * self.error
        return Estimate(self.value, self.value - half, self.value + half)

    def p_value(self) -> float | None:
        """Two-sided, of a mean of 0."""
        return None if self.error is None else float(2 * stdtr(self.df, -abs(self.value) / self.error))

    def equivalence_p(self, margin: float) -> float | None:
        """Of a mean outside (-margin, margin): the larger of two one-sided tests (Schuirmann 1987)."""
        if self.error is None:
            return None
        return max(float(stdtr(self.df, -(margin + side * self.value) / self.error)) for side in (1, -1))


def crossed_mean(values: Floats) -> CrossedMean:
    """Mean of a runs x problems matrix with its error; of one run: that of a mean over problems.

    Raises:
        ValueError: the matrix is empty or holds values that are not finite.
    """
    if values.ndim != 2 or not values.size or not np.isfinite(values).all():
        raise ValueError(f"values of shape {values.shape} must be a finite matrix, runs x problems")
    return contrast_mean([values], [1.0])


def contrast_mean(arms: Sequence[Floats], weights: Sequence[float], *, scatter: Part | None = None) -> CrossedMean:
    """Weighted sum of the means of arms: of one arm its mean, of two their difference, of several a slope.

    Arms answered the same problems, which are paired; their runs are not. Each arm has the variance between its own
    runs, as far as the arms differ in it (`seed_noise`). Arms of one run borrow the pooled variance of the others; if
    no arm has two runs, differences between runs are not in the error.

    Args:
        arms: Runs x problems each, finite, with the same problems.
        weights: One an arm. An arm of weight 0 plays no part.
        scatter: Variance from elsewhere to be added, with its degrees of freedom.
    """
    used = [(values, weight) for values, weight in zip(arms, weights, strict=True) if weight]
    n_problems = used[0][0].shape[1]
    by_problem = np.sum([weight * values.mean(axis=0) for values, weight in used], axis=0)
    parts: list[Part] = [scatter] if scatter else []
    both: Part | None = None
    if n_problems > 1:
        parts.append((float(by_problem.var(ddof=1)) / n_problems, n_problems - 1))
    between = between_runs([values for values, _ in used])
    if between is not None:
        scales = between.scales([len(values) for values, _ in used], [weight for _, weight in used])
        parts.append(between.noise.part(scales))
        answering = sum(scale * own for scale, own in zip(scales, between.answering, strict=True))
        both = (answering, between.noise.total_df * max(n_problems - 1, 1))
    total = sum(value for value, _ in parts)
    if both is not None:
        # Never below the larger part: a difference of estimates can be negative, a variance cannot.
        total = max(total - both[0], *(value for value, _ in parts))
        parts.append(both)
    value = sum(weight * float(values.mean()) for values, weight in used)
    if total <= ROUNDING**2:
        return CrossedMean(value=value, error=None, df=1.0, n_problems=n_problems)
    df = total**2 / sum(part**2 / free for part, free in parts)
    return CrossedMean(value=value, error=math.sqrt(total), df=max(df, 1.0), n_problems=n_problems)


class BetweenRuns(NamedTuple):
    """Variance between the runs of each arm of two runs or more."""

    noise: SeedNoise  # of a run's mean around its arm's
    answering: tuple[float, ...]  # the part of it that answering the problems again would make, one an arm

    @property
    def excess(self) -> float:
        """The share of the pooled variance that answering does not make, 0 to 1."""
        pooled, df = self.noise.pooled, self.noise.df
        return max(1 - float(np.dot(self.answering, df)) / self.noise.total_df / pooled, 0.0) if pooled else 0.0

    def scales(self, runs: Sequence[int], weights: Sequence[float]) -> list[float]:
        """Of each arm's variance in that of a weighted sum; the arms of one run count with the pooled variance.

        Args:
            runs: Of every arm, those of one run included.
            weights: Of the arms' means, likewise.
        """
        each = [weight**2 / n for n, weight in zip(runs, weights, strict=True)]
        alone = sum(scale for n, scale in zip(runs, each, strict=True) if n == 1)
        own = [scale for n, scale in zip(runs, each, strict=True) if n > 1]
        return [scale + alone * df / self.noise.total_df for scale, df in zip(own, self.noise.df, strict=True)]


def between_runs(arms: Sequence[Floats]) -> BetweenRuns | None:
    """From the arms of two runs or more; None where there is none."""
    several = [values for values in arms if len(values) > 1]
    if not several:
        return None
    variances, answering = [], []
    for values in several:
        by_run = values.mean(axis=1)
        rest = values - by_run[:, None] - values.mean(axis=0) + values.mean()
        cells = max(values.shape[1] - 1, 1) * values.shape[1] * (len(values) - 1)
        variances.append(float(by_run.var(ddof=1)))
        answering.append(float((rest**2).sum()) / cells)
    noise = SeedNoise(tuple(variances), tuple(len(values) - 1 for values in several))
    return BetweenRuns(noise=noise, answering=tuple(answering))
