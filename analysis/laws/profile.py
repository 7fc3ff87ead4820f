"""Profile likelihood: how far a parameter can move before the best fit without it gets significantly worse.

For squares with n rows and p parameters the interval is where
RSS(value) <= RSS_min (1 + t^2 ratio / (n - p)), t the Student quantile. `ratio` is the variance of the estimate under
dependence or unequal variances over that under independent rows (Chandler and Bate 2007 scale the likelihood so): 1
for independent rows. The shape of the interval is the likelihood's, so a ceiling that data do not limit gets an
interval that ends at its bound, which no standard error shows.
"""

from collections.abc import Callable

import numpy as np

from analysis.laws.covariance import Covariance
from analysis.laws.fitting import Fit
from analysis.laws.sample import Floats, Integers
from analysis.laws.solver import solve
from analysis.laws.student import quantile

EXPANSIONS = 40
REFINEMENTS = 30
Rise = Callable[[Floats, Integers], Floats]


def profile(fit: Fit, natural: Floats, found: Covariance) -> tuple[Floats, Floats]:
    """Profile intervals of every free coordinate of a least-squares fit.

    Args:
        fit: Of squares.
        natural: Its coordinates without references (logarithms of scales).
        found: Its covariance: how much the objective may rise, and about how far away that is.

    Returns:
        Low and high ends in natural coordinates; -inf or inf where none was found.
    """
    problem, y, w, loss = fit.problem.unscaled(), fit.sample.y, fit.row_weights, fit.loss
    free = np.flatnonzero(~np.isfinite(fit.fixed))
    best = float((w * loss.rho(problem.linearise(natural[None, :], y)[0][0])).sum())
    low, high = natural.copy(), natural.copy()
    if best <= 1e-24 * float((w * (1.0 if problem.log else y * y)).sum()):  # noiseless
        return low, high
    which, side = np.tile(free, 2), np.repeat([-1.0, 1.0], len(free))
    mask = np.tile(~np.isfinite(fit.fixed), (len(which), 1))
    mask[np.arange(len(which)), which] = False
    warm, width = np.tile(natural, (len(which), 1)), quantile(found.df)
    wanted = width * np.sqrt(found.ratio[which] / (fit.sample.n_rows - fit.n_free))

    def root_rise(at: Floats, rows: Integers) -> Floats:
        """Square root of the relative rise with each coordinate held: near linear in distance.

        Each fit starts from the last one inside the interval: one far outside may sit in another basin.
        """
        start = warm[rows].copy()
        start[np.arange(len(rows)), which[rows]] = at
        there = solve(problem, start, y[None, :], w[None, :], loss, mask[rows])
        root = np.sqrt(np.maximum(there.objective / best - 1.0, 0.0))
        inside = root < wanted[rows]
        warm[rows[inside]] = there.coordinates[inside]
        return np.asarray(root)

    step = np.maximum(width * np.sqrt(np.diag(found.matrix)), np.maximum(1e-6, 1e-9 * np.abs(natural)))[which]
    bound = np.where(side < 0, problem.lower[which], problem.upper[which])
    # A standard error says little where the data say little: begin well inside the range.
    room = np.abs(bound - natural[which])
    step = np.minimum(step, np.where(np.isfinite(room) & (room > 0), room / 8, step))
    ends = _search(root_rise, natural[which], side * step, bound, wanted)
    low[free], high[free] = np.split(ends, 2)
    return low, high


def _search(rise: Rise, origin: Floats, step: Floats, bound: Floats, wanted: Floats) -> Floats:
    """Where `rise` comes to what is wanted: bracketing and false position for all ends at once.

    Args:
        rise: Of some ends (indices) at some places.
        origin: Where each search begins.
        step: First distance from there, negative for a lower end; doubled until the rise is enough.
        bound: Of the range; an end that is not found within it is infinite.
        wanted: At the ends.
    """
    inner, inner_value = origin.copy(), np.zeros(len(origin))
    outer, outer_value, ends = (np.full(len(origin), np.nan) for _ in range(3))
    tries, going = np.zeros(len(origin), dtype=np.intp), np.arange(len(origin))
    while len(going):
        i, near, far, goal = tries[going], inner[going], outer[going], wanted[going]
        between = np.isfinite(far)
        fall = (goal - inner_value[going]) / (outer_value[going] - inner_value[going])
        fall = np.where(i < 4, np.clip(fall, 0.02, 0.98), np.where(i % 2, 0.5, np.clip(fall, 0, 1)))
        at = np.where(between, near + fall * (far - near), near + step[going])
        beyond = ~between & (np.sign(step[going]) * (at - bound[going]) >= 0)
        at = np.where(beyond, bound[going], at)
        value = rise(at, going)
        over = value >= goal
        outer[going[over]], outer_value[going[over]] = at[over], value[over]
        inner[going[~over]], inner_value[going[~over]] = at[~over], value[~over]
        step[going] *= 2.0
        tries[going] = np.where(over & ~between, 0, i + 1)
        found = between & (np.abs(value - goal) < 1e-4 * goal)
        middle = 0.5 * (inner[going] + outer[going])
        end = np.where(found, at, np.where(between, middle, np.sign(step[going]) * np.inf))
        last = np.where(between, i + 1 >= REFINEMENTS, ~over & (beyond | (i + 1 >= EXPANSIONS)))
        ends[going[found | last]] = end[found | last]
        going = going[~(found | last)]
    return ends
