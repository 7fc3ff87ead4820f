"""The x at which a fitted law reaches a level of error: the inverse of the law, with its interval.

The interval is that of draws of the law's parameters (Student's t around the estimate, with the covariance of
`analysis.laws`), each draw inverted. A draw that never reaches the level within ten times the data counts as beyond.
"""

import math
from dataclasses import dataclass

import numpy as np

from analysis.laws.inference import Inference
from analysis.laws.sample import Floats, LawError, Sample
from analysis.passk.paired import turning_points

FURTHER = 10.0  # how far beyond the data, on either side, a law is followed
GRID = 241
DRAWS = 1000
SEED = 51907


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Where a level is reached."""

    x: float | None  # None: not within the range the law is followed, `reason` says why
    low: float | None  # lower end of the 95% interval; None: below the range
    high: float | None  # upper end; None: beyond the range, or never
    draws: Floats  # one x a draw; 0: below the range, inf: beyond it or never
    outside: bool  # whether x lies outside the data
    reason: str | None = None  # why there is no number


def reach(law: Inference, error: float, *, seed: int = SEED) -> Reach:
    """Where the law falls to an error."""
    data = law.fit.sample.columns["x"]
    grid = np.geomspace(float(data.min()) / FURTHER, float(data.max()) * FURTHER, GRID)
    rows = _rows(law, grid)
    best = law.fit.predict(rows)
    with np.errstate(over="ignore", invalid="ignore"):
        draws = turning_points(grid, law.fit.predict_with(_coordinates(law, seed), rows) - error)
    x = float(turning_points(grid, best[None, :] - error)[0])
    low, high = (float(end) for end in np.quantile(draws, [0.025, 0.975], method="inverted_cdf"))
    reason = None
    if x == math.inf:
        reason = (
            f"an accuracy of {1 - error:.3f} is not reached within {FURTHER:g} times the data: the law comes to "
            f"{1 - float(best.min()):.3f}"
        )
    elif x == -math.inf:
        reason = f"an accuracy of {1 - error:.3f} is reached before the first measurement"
    return Reach(
        x=None if reason else x,
        low=low if math.isfinite(low) else None,
        high=high if math.isfinite(high) else None,
        draws=np.maximum(draws, 0.0),
        outside=not reason and not data.min() <= x <= data.max(),
        reason=reason,
    )


def _coordinates(law: Inference, seed: int) -> Floats:
    """Draws of the solver's coordinates."""
    fit = law.fit
    if law.spread is None:
        raise LawError(f"--loss {fit.loss.name}: laws are inverted under squares only")
    rng = np.random.default_rng(seed)
    natural = fit.problem.without_reference(fit.coordinates[None, :])[0]
    values, vectors = np.linalg.eigh(law.spread)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    stretch = np.sqrt(law.df / rng.chisquare(law.df, size=DRAWS))
    moved = natural + (rng.normal(size=(DRAWS, len(natural))) @ root.T) * stretch[:, None]
    return fit.problem.with_reference(moved)


def _rows(law: Inference, x: Floats) -> Sample:
    sample = law.fit.sample
    columns = {role: np.full(len(x), values[0]) for role, values in sample.columns.items()} | {"x": x}
    group = None if sample.group is None else (sample.group[0],) * len(x)
    return Sample(columns=columns, y=np.zeros(len(x)), group=group)
