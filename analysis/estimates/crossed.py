"""The mean of measurements crossed over seeds and problems, both drawn from a population.

Two-way random effects without interaction: the variance of the mean is that of seed means plus that of problem means,
less the residual that both contain, with Satterthwaite's degrees of freedom. With one seed only the problems speak.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from analysis.estimates.bootstrap import LEVEL, Estimate

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossedMean:
    """A mean over seeds and problems.

    Attributes:
        value: The mean.
        error: Its standard error; None where there is no spread to learn from.
        df: Degrees of freedom of Student's t.
        n_seeds: Of the matrix.
        n_problems: Of the matrix.
    """

    value: float
    error: float | None
    df: float
    n_seeds: int
    n_problems: int

    def interval(self, level: float = LEVEL) -> Estimate:
        """With a central interval."""
        if self.error is None:
            return Estimate(self.value, None, None)
        half = float(student.ppf(0.5 + level / 2, self.df)) * self.error
        return Estimate(self.value, self.value - half, self.value + half)

    def p_value(self) -> float | None:
        """Two-sided, of a mean of 0."""
        return None if self.error is None else float(2 * student.sf(abs(self.value) / self.error, self.df))

    def equivalence_p(self, margin: float) -> float | None:
        """Of a mean outside (-margin, margin): the larger of two one-sided tests (Schuirmann 1987)."""
        if self.error is None:
            return None
        return max(float(student.sf((margin + side * self.value) / self.error, self.df)) for side in (1, -1))


def crossed_mean(values: Floats) -> CrossedMean:
    """Mean of a seeds x problems matrix with its error.

    Raises:
        ValueError: the matrix is empty or holds values that are not finite.
    """
    if values.ndim != 2 or not values.size or not np.isfinite(values).all():
        raise ValueError(f"values of shape {values.shape} must be a finite matrix, seeds x problems")
    n_seeds, n_problems = values.shape
    mean = float(values.mean())
    by_seed, by_problem = values.mean(axis=1), values.mean(axis=0)
    terms: list[tuple[float, float]] = []
    if n_problems > 1:
        terms.append((float(by_problem.var(ddof=1)) / n_problems, n_problems - 1))
    if n_seeds > 1:
        terms.append((float(by_seed.var(ddof=1)) / n_seeds, n_seeds - 1))
    total = sum(value for value, _ in terms)
    if len(terms) == 2:
        rest = values - by_seed[:, None] - by_problem[None, :] + mean
        free = (n_seeds - 1) * (n_problems - 1)
        both = float((rest**2).sum()) / free / values.size
        # Never below the larger part: a difference of estimates can be negative, a variance cannot.
        total = max(total - both, *(value for value, _ in terms))
        terms.append((both, free))
    if total <= 0:
        return CrossedMean(value=mean, error=None, df=1.0, n_seeds=n_seeds, n_problems=n_problems)
    df = total**2 / sum(value**2 / free for value, free in terms)
    return CrossedMean(value=mean, error=math.sqrt(total), df=max(df, 1.0), n_seeds=n_seeds, n_problems=n_problems)


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Adjusted p-values for the chance of any false finding among all that are known (Holm 1979)."""
    known = sorted((p, i) for i, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for place, (p, i) in enumerate(known):
        largest = max(largest, min(1.0, p * (len(known) - place)))
        adjusted[i] = largest
    return adjusted
