"""Variance between the seeds of arms whose noise may differ, between one variance for all and one of each arm's own.

Seeds of arm i scatter with variance sigma_i^2, of which s_i^2 with d_i degrees of freedom was seen. A priori either all
arms have one variance, or each has its own, drawn from a scaled inverse chi-square distribution with d0 degrees of
freedom and scale s0^2 (Smyth 2004, doi:10.2202/1544-6115.1027, section 2). He estimates d0 and s0^2 from thousands of
genes; two to some dozens of arms do not tell them, so they are averaged over their posterior. Given all sigma_i a
weighted sum of arms is normal, hence its posterior is a mixture of normals: a Behrens-Fisher problem in which the arms
say how unlike they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv, gammaln, ndtr, stdtr, stdtrit

Floats = NDArray[np.float64]
OWN = ((3.0, 0.1), (0.25, 0.9))  # d0 and its share of the prior of variances of their own: somewhat, hardly alike
INNER, OUTER = 0.95, 0.99  # levels at which Student's t and the posterior have the same half-widths
_LOGS = np.linspace(-5.0, 2.0, 24)  # of s0^2 over the pooled variance
_NODES = 64  # draws of all sigma_i for each d0 and s0^2
_SEED = 51317
_NEGLIGIBLE = 1e-7  # posterior probability of a d0 and s0^2
_HALVINGS = 26


@dataclass(frozen=True)
class SeedNoise:
    """What the seeds of arms say about the variance between seeds of each.

    Attributes:
        variances: s_i^2, one an arm of two seeds or more.
        df: d_i = seeds - 1.
    """

    variances: tuple[float, ...]
    df: tuple[int, ...]

    @property
    def total_df(self) -> int:
        """Degrees of freedom of the pooled variance."""
        return sum(self.df)

    @property
    def pooled(self) -> float:
        """The variance if it is one for all arms."""
        return float(np.dot(self.variances, self.df)) / self.total_df

    def part(self, weights: Sequence[float]) -> tuple[float, float]:
        """Of a sum of independent errors with the variances weights_i sigma_i^2: (variance, degrees of freedom).

        Student's t with these has the half-widths of the posterior at 95% and 99%. One degree of freedom is the least.
        """
        scale = np.asarray(weights, dtype=np.float64)
        used = np.flatnonzero(scale)
        if len(used) < len(scale):
            kept = SeedNoise(tuple(self.variances[i] for i in used), tuple(self.df[i] for i in used))
            return kept.part(scale[used].tolist())
        if len(used) == 1 or not self.pooled:
            return float(scale @ self.variances), float(self.total_df)
        inner, outer = (self._half_width(scale, level) for level in (INNER, OUTER))
        df = _df_of(outer / inner)
        return (inner / float(stdtrit(df, 0.5 + INNER / 2))) ** 2, df

    def draws(self, rng: np.random.Generator, n: int) -> Floats:
        """sigma_i^2 from the posterior, n x arms."""
        if not self.pooled:
            return np.zeros((n, len(self.df)))
        alike = self.pooled * self.total_df / rng.chisquare(self.total_df, size=n)
        if len(self.df) == 1:
            return np.asarray(alike[:, None])
        common, cells, of_own = self._posterior
        chances = np.concatenate([[common], cells])
        which = rng.choice(len(chances), size=n, p=chances / chances.sum())
        found = np.tile(alike[:, None], (1, len(self.df)))
        own = which > 0
        found[own] = of_own[which[own] - 1, rng.integers(0, _NODES, size=int(own.sum()))]
        return found

    @cached_property
    def _posterior(self) -> tuple[float, Floats, Floats]:
        """(probability of one variance, that of each d0 and s0^2, sigma_i^2 there: cells x nodes x arms)."""
        d, s2 = np.array(self.df, dtype=np.float64), np.array(self.variances)
        total, s0 = self.total_df / 2, self.pooled * np.exp(_LOGS)[:, None]
        reach = len(_LOGS) * (_LOGS[1] - _LOGS[0])
        one = one_for_all(len(d))
        logs = [np.array([np.log(one / reach) + gammaln(total) - total * np.log(total * self.pooled)])]
        found = []
        for d0, prior in OWN:
            summed = d * s2 + d0 * s0  # s0^2 x arms
            each = gammaln((d + d0) / 2) - gammaln(d0 / 2) + d0 / 2 * np.log(d0 * s0 / 2)
            logs.append(np.log((1 - one) * prior / len(_LOGS)) + (each - (d + d0) / 2 * np.log(summed / 2)).sum(axis=1))
            found.append(summed[:, None, :] / _chi_squares(self.df, d0))
        likely = np.concatenate(logs)
        share = np.exp(likely - likely.max())
        share /= share.sum()
        kept = share[1:] > _NEGLIGIBLE
        return float(share[0]), share[1:][kept], np.concatenate(found)[kept]

    def _half_width(self, scale: Floats, level: float) -> float:
        common, cells, own = self._posterior
        alike = np.sqrt(self.pooled * scale.sum())
        spread = np.sqrt(own @ scale)

        def beyond(half: float) -> float:
            of_own = float(cells @ ndtr(-half / spread).mean(axis=1))
            return 2 * (common * float(stdtr(self.total_df, -half / alike)) + of_own)

        low, high = -8.0, 12.0  # ln of the half-width in units of the pooled error
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if beyond(float(alike * np.exp(middle))) > 1 - level else (low, middle)
        return float(alike * np.exp(low))


def one_for_all(arms: int) -> float:
    """Prior probability that so many arms have one variance: 1/2 for two, 1/3 for four."""
    return 1 / (1 + float(np.log2(arms)))


@lru_cache(maxsize=64)
def _chi_squares(df: tuple[int, ...], d0: float) -> Floats:
    """Chi-squares with d0 + d_i degrees of freedom, nodes x arms: a fixed Latin hypercube."""
    rng = np.random.default_rng(_SEED)
    places = (np.column_stack([rng.permutation(_NODES) for _ in df]) + 0.5) / _NODES
    found = 2 * gammaincinv((d0 + np.array(df)) / 2, places)
    found.flags.writeable = False
    return np.asarray(found, dtype=np.float64)


def _df_of(ratio: float) -> float:
    """Degrees of freedom at which Student's t has this ratio of its half-widths at the two levels; at least 1."""
    low, high = 0.0, 14.0  # ln
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        inner, outer = stdtrit(np.exp(middle), [0.5 + INNER / 2, 0.5 + OUTER / 2])
        low, high = (middle, high) if outer / inner > ratio else (low, middle)
    return float(np.exp(low))
