"""Exact least absolute deviations: a sequence of linear programs from the end of the Huber sequence.

Each program minimises the sum of w |r - J s| over a step s in a box, which shrinks whenever the true objective does
not fall. The minimum of absolute deviations lies where as many residuals as parameters are zero, which no smooth
method reaches to more than a few digits.
"""

import numpy as np
from scipy.optimize import linprog

from analysis.laws.losses import Kind, Loss
from analysis.laws.problem import Problem
from analysis.laws.sample import Floats
from analysis.laws.solver import Solution, objective

ROUNDS = 60


def polish(problem: Problem, solution: Solution, y: Floats, w: Floats, loss: Loss, fixed: Floats) -> Solution:
    """The solution improved until no box larger than 1e-9 of the coordinates helps; unchanged for smooth losses."""
    if loss.kind is not Kind.absolute:
        return solution
    here, value = solution.coordinates[0].copy(), float(solution.objective[0])
    free = ~np.isfinite(fixed)
    box = 0.05 * np.maximum(np.abs(here), 1e-3)
    for _ in range(ROUNDS):
        residual, jacobian = problem.linearise(here[None, :], y)
        step = _program(residual[0], jacobian[0][:, free], w[0], box[free], here[free], problem, free)
        there = here.copy()
        there[free] = np.clip(here[free] + step, problem.lower[free], problem.upper[free])
        found = float(objective(problem, there[None, :], y, w, loss)[0])
        if found < value:
            here, value = there, found
            box = box * 1.5
        else:
            box = box / 4
            if np.all(box < 1e-9 * np.maximum(np.abs(here), 1e-3)):
                break
    return Solution(here[None, :], np.array([value]))


def _program(
    residual: Floats, jacobian: Floats, w: Floats, box: Floats, here: Floats, problem: Problem, free: Floats
) -> Floats:
    p = jacobian.shape[1]
    used = np.flatnonzero(w > 0)
    m = len(used)
    mask = np.asarray(free, dtype=np.bool_)
    low = np.maximum(-box, problem.lower[mask] - here)
    high = np.minimum(box, problem.upper[mask] - here)
    # Steps in units of the box: coordinates differ by orders of magnitude.
    unit = np.where(box > 0, box, 1.0)
    equal = np.hstack([jacobian[used] * unit, np.eye(m), -np.eye(m)])
    limits = [*zip(low / unit, high / unit, strict=True), *([(0, None)] * (2 * m))]
    cost = np.concatenate([np.zeros(p), w[used], w[used]])
    done = linprog(cost, A_eq=equal, b_eq=residual[used], bounds=limits, method="highs")
    return np.asarray(done.x[:p] * unit) if done.status == 0 else np.zeros(p)
