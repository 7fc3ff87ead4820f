"""Mean pass@k beyond the samples that were drawn, by two models of how hard the problems are.

Beta-binomial: solve rates follow Beta(a, b), fitted by maximum likelihood to the counts; then
E pass@k = 1 - B(a, b + k) / B(a, b): the distributional view of arXiv:2502.17578 without its third parameter.
Power law: -log pass@k = A k^-b, fitted by least squares in logarithms to k <= n (arXiv:2407.21787,
arXiv:2502.17578). Neither is right: the answer is their envelope, each with its bootstrap over problems.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.laws.student import LEVEL
from analysis.passk.paired import log_grid
from analysis.passk.prior import kinds_of
from analysis.passk.sample import Sample

Floats = NDArray[np.float64]
DRAWS = 200  # each is a fit
FITTED_FROM = 4  # smaller k bend the power law: it is a law of the tail


@dataclass(frozen=True, slots=True, kw_only=True)
class Extrapolated:
    """Predicted mean pass@k; `low` and `high` span both models and their bootstraps."""

    k: int
    beta_binomial: float | None = None
    power_law: float | None = None
    low: float | None = None
    high: float | None = None
    reason: str | None = None


def extrapolate(
    sample: Sample, ks: Sequence[int], *, level: float = LEVEL, draws: int = DRAWS, seed: int = 7
) -> list[Extrapolated]:
    """Predictions for budgets beyond the fewest samples of any problem; null with a reason where nothing can be fitted.

    Problems with replicates take part with the replicates' mean counts weighing as one problem.
    """
    fewest = int(sample.n.min())
    reason = _refusal(sample, fewest)
    if reason is not None:
        return [Extrapolated(k=k, reason=reason) for k in ks]
    fitted = [k for k in log_grid(fewest, 2) if k >= FITTED_FROM]
    curves = sample.matrix(fitted)
    kinds, _, shares = kinds_of(sample)
    rng, wanted = np.random.default_rng(seed), np.asarray(ks, dtype=np.float64)
    flat = np.full(sample.n_problems, 1.0)
    betas, start = _beta_binomial(kinds, flat @ shares, wanted, None)
    powers = _power_law(fitted, curves.mean(axis=0), wanted)
    found = []
    for weights in rng.multinomial(sample.n_problems, flat / len(flat), size=draws).astype(np.float64):
        drawn, _ = _beta_binomial(kinds, weights @ shares, wanted, start)
        found.append((drawn, _power_law(fitted, weights @ curves / len(flat), wanted)))
    tail = 50 * (1 - level)
    spread = np.percentile(np.array(found), [tail, 100 - tail], axis=0)  # ends x models x ks
    low = np.minimum(spread[0].min(axis=0), np.minimum(betas, powers))
    high = np.maximum(spread[1].max(axis=0), np.maximum(betas, powers))
    ends = np.stack([betas, powers, low, high], axis=1).tolist()
    names = ("beta_binomial", "power_law", "low", "high")
    return [Extrapolated(k=k, **dict(zip(names, values, strict=True))) for k, values in zip(ks, ends, strict=True)]


def _refusal(sample: Sample, fewest: int) -> str | None:
    if fewest < 4 * FITTED_FROM:
        return f"only {fewest} samples of some problem: at least {4 * FITTED_FROM} are needed to fit a curve over k"
    rates = sample.c / sample.n
    if sample.n_problems < 5:
        return f"only {sample.n_problems} problems: at least 5 are needed to fit how their solve rates are distributed"
    if np.ptp(rates) == 0:
        return f"every problem has the solve rate {rates[0]:g}: their distribution cannot be fitted"
    if sample.per_problem(fewest // 2).mean() == 1:
        return f"every problem is solved within {fewest // 2} samples: nothing is left beyond"
    return None


def _beta_binomial(
    kinds: NDArray[np.int64], weights: Floats, ks: Floats, start: Floats | None
) -> tuple[Floats, Floats]:
    """Predictions at ks, and the logarithms of the fitted (a, b)."""
    from scipy.optimize import minimize
    from scipy.special import betaln

    n, c = kinds[:, 0], kinds[:, 1]
    if start is None:
        rate = float((weights * c / n).sum() / weights.sum())
        start = np.log([max(rate, 1e-3), max(1 - rate, 1e-3)])

    def loss(logs: Floats) -> float:
        a, b = np.exp(logs)
        return -float(weights @ (betaln(c + a, n - c + b) - betaln(a, b))) / float(weights.sum())

    fit = minimize(loss, start, method="L-BFGS-B", bounds=[(-12, 12)] * 2)
    a, b = np.exp(fit.x)
    return -np.expm1(betaln(a, b + ks) - betaln(a, b)), np.asarray(fit.x, dtype=np.float64)


def _power_law(fitted: Sequence[int], curve: Floats, ks: Floats) -> Floats:
    """Predictions at ks; a curve that reaches 1 within the data has no tail left and predicts 1."""
    usable = (curve > 0) & (curve < 1)
    if usable.sum() < 2:
        return np.full(len(ks), 1.0 if (curve == 1).any() else math.nan)
    x, y = np.log(np.asarray(fitted, dtype=np.float64)[usable]), np.log(-np.log(curve[usable]))
    slope, level = np.polyfit(x, y, 1)
    return np.asarray(np.exp(-np.exp(level + slope * np.log(ks))), dtype=np.float64)
