"""Profile likelihood: how far a parameter can move before the best fit without it gets significantly worse.

For squares with n rows and p parameters the interval is where
RSS(value) <= RSS_min (1 + t^2 ratio / (n - p)), t the Student quantile. `ratio` is the variance of the estimate under
dependence or unequal variances over that under independent rows (Chandler and Bate 2007 scale the likelihood so): 1
for independent rows. The shape of the interval is the likelihood's, so a ceiling that data do not limit gets an
interval that ends at its bound, which no standard error shows.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.laws.losses import Loss
from analysis.laws.problem import Problem
from analysis.laws.sample import Floats
from analysis.laws.solver import solve

EXPANSIONS = 40
REFINEMENTS = 30


class Ends(NamedTuple):
    """Ends of the intervals in natural coordinates (logarithms of scales); -inf or inf where none was found."""

    low: Floats
    high: Floats


def profile(
    problem: Problem,
    coordinates: Floats,
    y: Floats,
    w: Floats,
    loss: Loss,
    fixed: Floats,
    *,
    rise: Floats,
    step: Floats,
) -> Ends:
    """Profile intervals of every free coordinate of one fit.

    Args:
        problem: With references of 1 (`unscaled`), so that coordinates are what is reported.
        coordinates: The optimum.
        y: One row of responses.
        w: One row of weights.
        loss: Squares.
        fixed: NaN where free.
        rise: Relative rise of the objective at the ends, one a coordinate.
        step: First distance tried, one a coordinate; about the half width expected.
    """
    free = np.flatnonzero(~np.isfinite(fixed))
    best = float((w * loss.rho(problem.linearise(coordinates[None, :], y)[0][0])).sum())
    low, high = coordinates.copy(), coordinates.copy()
    scale = float((w * y * y).sum()) if not problem.log else float(w.sum())
    if best <= 1e-24 * scale:  # noiseless
        return Ends(low, high)
    which = np.concatenate([free, free])
    side = np.concatenate([-np.ones(len(free)), np.ones(len(free))])
    search = _Search(problem, coordinates, y, w, loss, fixed, which, best)
    ends = search.run(side, np.sqrt(rise[which]), np.maximum(step[which], 1e-9 * np.abs(coordinates[which]) + 1e-12))
    low[free], high[free] = ends[: len(free)], ends[len(free) :]
    return Ends(low, high)


class _Search:
    """Bracketing and false position for all ends at once, each step one batch of constrained fits."""

    def __init__(
        self,
        problem: Problem,
        coordinates: Floats,
        y: Floats,
        w: Floats,
        loss: Loss,
        fixed: Floats,
        which: NDArray[np.intp],
        best: float,
    ) -> None:
        self.problem, self.y, self.w, self.loss, self.which, self.best = problem, y, w, loss, which, best
        self.origin = coordinates[which]
        self.mask = np.tile(~np.isfinite(fixed), (len(which), 1))
        self.mask[np.arange(len(which)), which] = False
        self.warm = np.tile(coordinates, (len(which), 1))

    def root_rise(self, at: Floats, rows: NDArray[np.intp]) -> tuple[Floats, Floats]:
        """(Square root of the relative rise with each coordinate held, the other coordinates).

        The root is near linear in distance. Each fit starts from the last one inside the interval: one far outside may
        sit in another basin.
        """
        start = self.warm[rows].copy()
        start[np.arange(len(rows)), self.which[rows]] = at
        found = solve(self.problem, start, self.y[None, :], self.w[None, :], self.loss, self.mask[rows])
        return np.sqrt(np.maximum(found.objective / self.best - 1.0, 0.0)), found.coordinates

    def run(self, side: Floats, wanted: Floats, step: Floats) -> Floats:
        bound = np.where(side < 0, self.problem.lower[self.which], self.problem.upper[self.which])
        # A standard error says little where the data say little: begin well inside the range.
        room = np.abs(bound - self.origin)
        step = np.minimum(step, np.where(np.isfinite(room) & (room > 0), room / 8, step))
        inner, inner_value = self.origin.copy(), np.zeros(len(side))
        outer, outer_value = self.origin.copy(), np.zeros(len(side))
        ends = np.full(len(side), np.nan)
        going = np.arange(len(side))
        for _ in range(EXPANSIONS):
            if not len(going):
                break
            at = outer[going] + side[going] * step[going]
            beyond = side[going] * (at - bound[going]) >= 0
            at = np.where(beyond, bound[going], at)
            value, fitted = self.root_rise(at, going)
            over = value >= wanted[going]
            self.warm[going[~over]] = fitted[~over]
            ends[going[beyond & ~over]] = side[going[beyond & ~over]] * np.inf
            inner[going[~over]], inner_value[going[~over]] = at[~over], value[~over]
            outer[going], outer_value[going] = at, value
            step[going] *= 2.0
            going = going[~over & ~beyond]
        ends[going] = side[going] * np.inf
        going = np.flatnonzero(np.isnan(ends))
        for i in range(REFINEMENTS):
            if not len(going):
                break
            fall = (wanted[going] - inner_value[going]) / (outer_value[going] - inner_value[going])
            fall = np.clip(fall, 0.02, 0.98) if i < 4 else np.full(len(going), 0.5) if i % 2 else np.clip(fall, 0, 1)
            at = inner[going] + fall * (outer[going] - inner[going])
            value, fitted = self.root_rise(at, going)
            over = value >= wanted[going]
            self.warm[going[~over]] = fitted[~over]
            outer[going[over]], outer_value[going[over]] = at[over], value[over]
            inner[going[~over]], inner_value[going[~over]] = at[~over], value[~over]
            near = np.abs(value - wanted[going]) < 1e-4 * wanted[going]
            ends[going[near]] = at[near]
            going = going[~near]
        ends[going] = 0.5 * (inner[going] + outer[going])
        return ends
