"""Covariance of the estimate from one fit: independent rows, or checkpoints of runs with AR(1) residuals.

Checkpoints of one run are not independent measurements: in simulations with AR(1) correlation .8 a pooled
least-squares interval of nominal 95% covers 51%. With several runs per group the jackknife over runs needs no model of
the dependence (`resampling`); with one run each, correlation within the run is estimated here, and what differs
between runs remains invisible: the interval is a lower bound on the uncertainty.
"""

from dataclasses import dataclass

import numpy as np

from analysis.laws.fitting import Fit
from analysis.laws.sample import Floats, Integers

MAX_RHO = 0.97
FEW_ROWS = 20  # below it the correlation of one run is not estimated from that run alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Covariance:
    """Of the natural coordinates (logarithms of scales)."""

    matrix: Floats  # coordinates x coordinates; rows of fixed or unidentified coordinates are 0
    ratio: Floats  # variance over that under independent rows, one a coordinate
    df: float  # degrees of freedom of Student's t
    rho: float | None  # lag-1 correlation of residuals, weighted mean over runs; None for independent rows


def covariance(fit: Fit) -> Covariance:
    """Sandwich covariance of a least-squares fit.

    Rows count as independent where the sample has neither groups nor runs.
    """
    problem = fit.problem
    use, residual, j, inverse, _ = _curvature(fit)
    n, p, w = fit.sample.n_rows, fit.n_free, fit.row_weights
    variance = float((w * residual**2).sum()) / (n - p)
    naive = inverse * variance
    clusters = fit.sample.clusters
    rho: float | None = None
    df = float(n - p)
    robust = naive
    if clusters is not None:
        meat, rhos, effective = _meat(fit, residual, j, clusters)
        robust = inverse @ meat @ inverse * (n / (n - p))
        rho, df = rhos, max(effective - p, 1.0)
    full = np.zeros((problem.n_parameters, problem.n_parameters))
    full[np.ix_(use, use)] = robust
    ratio = np.ones(problem.n_parameters)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.diag(robust) / np.diag(naive)
    ratio[use] = np.where(np.isfinite(found), found, 1.0)
    return Covariance(matrix=full, ratio=ratio, df=df, rho=rho)


def undetermined(fit: Fit) -> tuple[int, ...]:
    """Coordinates that can move without changing any fitted value: the exponent of a term with coefficient 0."""
    return _curvature(fit)[-1]


def _curvature(fit: Fit) -> tuple[Integers, Floats, Floats, Floats, tuple[int, ...]]:
    """(coordinates inside their bounds, residuals, Jacobian, inverse of J' W J, undetermined coordinates)."""
    problem = fit.problem.unscaled()
    here = fit.problem.without_reference(fit.coordinates[None, :])
    residual, jacobian = (item[0] for item in problem.linearise(here, fit.sample.y))
    at_bound = (here[0] <= problem.lower) | (here[0] >= problem.upper)
    use = np.flatnonzero(~np.isfinite(fit.fixed) & ~at_bound)
    j = jacobian[:, use]
    scale = np.sqrt((j * j * fit.row_weights[:, None]).sum(axis=0))
    scale = np.where(scale > 0, scale, 1.0)
    scaled = (j / scale) * np.sqrt(fit.row_weights)[:, None]
    values, vectors = np.linalg.eigh(scaled.T @ scaled)
    tiny = values < 1e-13 * values.max(initial=0.0)
    singular = tuple(int(use[i]) for i in np.flatnonzero((vectors[:, tiny] ** 2).sum(axis=1) > 0.01))
    inverse = (vectors[:, ~tiny] / values[~tiny]) @ vectors[:, ~tiny].T / np.outer(scale, scale)
    return use, residual, j, inverse, singular


def _meat(fit: Fit, residual: Floats, jacobian: Floats, clusters: Integers) -> tuple[Floats, float, float]:
    """(J' W Omega W J, mean rho, effective rows) with an AR(1) process of its own variance in every run."""
    runs = [np.flatnonzero(clusters == i) for i in range(int(clusters.max()) + 1)]
    pooled = correlation([residual[rows] for rows in runs])
    meat = np.zeros((jacobian.shape[1], jacobian.shape[1]))
    rhos, effective = [], 0.0
    for rows in runs:
        rho = correlation([residual[rows]]) if len(rows) >= FEW_ROWS else pooled
        pull = fit.row_weights[rows, None] * jacobian[rows]
        meat += float(np.mean(residual[rows] ** 2)) * _over_lags(pull, rho)
        rhos.append(rho)
        effective += len(rows) * (1 - rho) / (1 + rho)
    return meat, float(np.mean(rhos)), effective


def _over_lags(pull: Floats, rho: float) -> Floats:
    """sum_ij rho^|i - j| pull_i pull_j' (coordinates x coordinates), by recursion: linear in rows."""
    from scipy.signal import lfilter

    # before_i = sum_{j < i} rho^(i - j) pull_j
    before = lfilter([0.0, rho], [1.0, -rho], pull, axis=0)
    half = before.T @ pull
    return np.asarray(pull.T @ pull + half + half.T)


def correlation(series: list[Floats]) -> float:
    """Lag-1 correlation of residuals around lines, corrected for the bias of short series, in [0, .97].

    The uncorrected estimate is too small by about (2 + 4 rho) / n for residuals of a fitted level and slope.
    """
    top = sum(float(item[1:] @ item[:-1]) for item in series)
    bottom = sum(float(item @ item) for item in series)
    n = float(np.mean([len(item) for item in series]))
    if bottom <= 0 or n <= 5:
        return 0.0
    return float(np.clip((top / bottom + 2 / n) / (1 - 4 / n), 0.0, MAX_RHO))
