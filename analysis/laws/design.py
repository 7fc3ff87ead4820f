"""Which measurements to make next: those that narrow a prediction most for their cost (V-optimality).

With M the information of the rows, x the slopes of the law at a candidate and g at a target, a measurement lowers the
variance of the prediction by (g M^-1 x)^2 / (1 + x M^-1 x), in units of the variance of one measurement. The slopes
depend on the parameters, so this is averaged over bootstrap draws of the law. Candidates are taken one by one, the best
for its cost first, and each is then treated as measured.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis.laws.fitting import Fit
from analysis.laws.sample import Floats, LawError, Sample

RIDGE = 1e-8  # of the information, so that a draw without a term still has an inverse


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """One chosen candidate."""

    candidate: int
    cost: float
    variance: Floats  # of the prediction at each target after it, in units of one measurement's variance


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """The variance at each target now, and what was chosen."""

    variance: Floats
    picks: tuple[Pick, ...]


def choose(
    fit: Fit, draws: Floats, candidates: Sample, targets: Sample, costs: Sequence[float], *, budget: float
) -> Design:
    """Spend a budget on candidates.

    Args:
        fit: The law of the rows measured so far.
        draws: Solver coordinates of resampled fits, draws x coordinates; without NaN.
        candidates: What could be measured, each once; their `y` is not read.
        targets: Where the prediction should be narrow; likewise.
        costs: Of each candidate, above 0.
        budget: The picks together cost at most this.

    Raises:
        LawError: a law with a level a group, whose candidates of new sizes would each bring a parameter of their own.
    """
    if fit.form.level_per_group:
        raise LawError(f"--law {fit.form.name}: no candidate narrows another size's level - take power or chinchilla")
    price = np.asarray(costs, dtype=np.float64)
    own, x, g = (_slopes(fit, draws, rows) for rows in (fit.sample, candidates, targets))
    scale = np.sqrt((fit.row_weights[:, None] * own**2).sum(axis=1, keepdims=True))
    scale = np.where(scale > 0, scale, 1.0)
    own, x, g = own / scale, x / scale, g / scale
    information = np.einsum("bnp,n,bnq->bpq", own, fit.row_weights, own)
    information += RIDGE * np.eye(own.shape[2])
    inverse = np.linalg.inv(information)
    start, left, open_, picks = _variance(inverse, g), budget, price <= budget, []
    while open_.any():
        toward = np.einsum("btp,bpq,bcq->btc", g, inverse, x)
        noise = 1 + np.einsum("bcp,bpq,bcq->bc", x, inverse, x)
        gains = (toward**2).mean(axis=1) / noise
        score = np.where(open_, gains.mean(axis=0) / price, -np.inf)
        best = int(np.argmax(score))
        step = np.einsum("bpq,bq->bp", inverse, x[:, best])
        inverse = inverse - step[:, :, None] * step[:, None, :] / noise[:, best, None, None]
        left -= float(price[best])
        open_[best] = False
        open_ &= price <= left
        picks.append(Pick(candidate=best, cost=float(price[best]), variance=_variance(inverse, g)))
    return Design(variance=start, picks=tuple(picks))


def _variance(inverse: Floats, g: Floats) -> Floats:
    """Of each target: the median over draws, since one draw without a term would rule a mean."""
    return np.asarray(np.median(np.einsum("btp,bpq,btq->bt", g, inverse, g), axis=0), dtype=np.float64)


def _slopes(fit: Fit, coordinates: Floats, rows: Sample) -> Floats:
    """Derivatives of the fitted value on the scale of the loss, by free coordinate: draws x rows x coordinates."""
    _, jacobian = replace(fit.problem, columns=fit.problem.columns_of(rows)).linearise(
        coordinates, np.ones(rows.n_rows)
    )
    return jacobian[:, :, ~np.isfinite(fit.fixed)]
