"""Levenberg-Marquardt for many fits at once: starts, bootstrap draws, profile points and simulations are one batch.

Each row of a batch has its own responses, weights, start and set of free coordinates. Bounds are handled by
projection: a coordinate at its bound is frozen while the gradient points outwards. A step is accepted only if the true
objective falls, so the result is never worse than its start.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.laws.form import LN10
from analysis.laws.losses import Kind, Loss
from analysis.laws.problem import Problem
from analysis.laws.sample import Floats

MAX_STEPS = 300
TOLERANCE = 1e-15  # relative fall of the objective below which an accepted step counts as no progress
GIVE_UP = 1e14  # damping
CHUNK = 400_000  # numbers in one Jacobian: 3 MB stay in cache, ten times as many take twice as long
LEVELS = {0: 1, 1: 32, 2: 14}  # values of each non-linear parameter among the starts
KEEP = 8  # starts refined
ROUNDS = 60  # of linear programs
LAD_CORNERS = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)  # of the Huber sequence that ends in absolute deviations


class Solution(NamedTuple):
    """Coordinates (draws x coordinates) and objective (draws)."""

    coordinates: Floats
    objective: Floats


def objective(problem: Problem, coordinates: Floats, y: Floats, w: Floats, loss: Loss) -> Floats:
    """Sum over rows of w rho(residual); infinite where a residual is."""
    fitted = problem.predict(coordinates)
    residual = np.log(y) - np.log(np.where(fitted > 0, fitted, np.nan)) if loss.log else y - fitted
    total = (w * loss.rho(residual)).sum(axis=1)
    return np.asarray(np.nan_to_num(total, nan=np.inf, posinf=np.inf), dtype=np.float64)


def solve(
    problem: Problem, start: Floats, y: Floats, w: Floats, loss: Loss, free: NDArray[np.bool_] | None = None
) -> Solution:
    """A local minimum for each row of a batch.

    Args:
        problem: What is fitted.
        start: draws x coordinates.
        y: Responses, draws x rows or one row of them.
        w: Weights, the same shapes.
        loss: Absolute deviations are solved as the end of a Huber sequence, to about 1e-6 of the residual scale.
        free: draws x coordinates or one row; False keeps the start's value.
    """
    n_draws, n_rows = len(start), problem.columns.group.shape[0]
    y, w = np.broadcast_to(y, (n_draws, n_rows)), np.broadcast_to(w, (n_draws, n_rows))
    mask = np.ones(start.shape, dtype=np.bool_) if free is None else np.broadcast_to(free, start.shape)
    steps = [loss]
    if loss.kind is Kind.absolute:
        steps = [Loss(name="", kind=Kind.huber, log=loss.log, delta=corner) for corner in LAD_CORNERS]
    size = max(1, CHUNK // (n_rows * problem.n_parameters))
    found = np.clip(start, problem.lower, problem.upper)
    found = np.where(mask, found, start)
    values = np.empty(n_draws)
    for begin in range(0, n_draws, size):
        part = slice(begin, begin + size)
        for step in steps:
            found[part] = _descend(problem, found[part], y[part], w[part], step, mask[part])
        values[part] = objective(problem, found[part], y[part], w[part], loss)
    return Solution(found, values)


def _descend(problem: Problem, start: Floats, y: Floats, w: Floats, loss: Loss, mask: NDArray[np.bool_]) -> Floats:
    found = start.copy()
    damping = np.full(len(start), 1e-3)
    residual, jacobian = problem.linearise(found, y)
    value = (w * loss.rho(residual)).sum(axis=1)
    active = np.flatnonzero(np.isfinite(value))
    residual, jacobian, value, damping = residual[active], jacobian[active], value[active], damping[active]
    stalled = np.zeros(len(active), dtype=np.intp)
    newton = loss.kind is Kind.squares
    for step in range(MAX_STEPS):
        if not len(active):
            break
        here = found[active]
        weighted = w[active] * loss.slope(residual)
        downhill = np.matmul(weighted[:, None, :], jacobian)[:, 0, :]
        stuck = ((here <= problem.lower) & (downhill < 0)) | ((here >= problem.upper) & (downhill > 0))
        move = mask[active] & ~stuck
        curvature = w[active] * loss.curvature(residual, newton=newton or (loss.kind is Kind.huber and step % 3 == 2))
        normal = np.matmul((jacobian * curvature[:, :, None]).transpose(0, 2, 1), jacobian)
        shift = _step(normal, downhill, damping, move)
        there = np.where(move, np.clip(here + shift, problem.lower, problem.upper), here)
        new_residual, new_jacobian = problem.linearise(there, y[active])
        with np.errstate(invalid="ignore", over="ignore"):  # outside the law's domain: infinite, not accepted
            new_value = np.nan_to_num((w[active] * loss.rho(new_residual)).sum(axis=1), nan=np.inf)
        promised = (downhill * (there - here)).sum(axis=1)
        # A step whose linear gain is lost in rounding cannot be judged by the objective: taken a few times, as the last
        # digits of the parameters are still to come, then done.
        lost = promised <= 4 * TOLERANCE * value
        better = (new_value < value) | (lost & (new_value <= value * (1 + 4 * TOLERANCE)))
        gain = np.where(better, value - new_value, 0.0)
        found[active[better]] = there[better]
        residual[better], jacobian[better] = new_residual[better], new_jacobian[better]
        small = gain <= TOLERANCE * np.maximum(value, 1e-300)
        stalled = np.where(better & ~small & ~lost, 0, stalled + np.where(lost, 3, 1))
        value = np.where(better, new_value, value)
        damping = np.where(better, np.maximum(damping / 8, 1e-12), damping * 6)
        going = (damping < GIVE_UP) & (stalled < 9) & (value > 0)
        if not going.all():
            active, residual, jacobian = active[going], residual[going], jacobian[going]
            value, damping, stalled = value[going], damping[going], stalled[going]
    return found


def _step(normal: Floats, downhill: Floats, damping: Floats, move: NDArray[np.bool_]) -> Floats:
    """Damped step in coordinates scaled to a unit diagonal; frozen and empty coordinates stay."""
    n = normal.shape[1]
    diagonal = np.einsum("bii->bi", normal)
    usable = move & (diagonal > 0)
    scale = np.where(usable, 1.0 / np.sqrt(np.where(usable, diagonal, 1.0)), 0.0)
    scaled = normal * scale[:, :, None] * scale[:, None, :]
    scaled[:, np.arange(n), np.arange(n)] = np.where(usable, 1.0 + damping[:, None], 1.0)
    return np.asarray(scale * np.linalg.solve(scaled, (scale * downhill)[:, :, None])[:, :, 0])


def best_fit(problem: Problem, y: Floats, w: Floats, loss: Loss, fixed: Floats) -> tuple[Floats, float]:
    """The best of several local minima: coordinates and objective.

    For each theta of a grid the linear parameters are least squares in eta (weighted for the loss's scale), clipped
    to their bounds, and the best `KEEP` by the true objective are refined.

    Args:
        problem: What is fitted.
        y: One response a row.
        w: Their weights.
        loss: What is minimised; absolute deviations to the last digits.
        fixed: Coordinates; NaN where free.
    """
    if problem.form.log10:
        target, weight = np.log(y) / LN10, w if problem.log else w * y * y
    else:
        target, weight = y, w / (y * y) if problem.log else w
    root, n_theta, free = np.sqrt(weight), problem.n_theta, ~np.isfinite(fixed)
    open_, held = free[n_theta:], np.where(free, 0.0, fixed)[n_theta:]
    candidates, values = [], []
    for theta in _grid(problem, fixed):
        design = problem.design(problem.theta_of(theta[None, :]))[0]
        beta = held.copy()
        rest = (target - design @ held) * root
        beta[open_] = np.linalg.lstsq(design[:, open_] * root[:, None], rest, rcond=None)[0]
        candidates.append(np.concatenate([theta, np.clip(beta, problem.lower[n_theta:], problem.upper[n_theta:])]))
        values.append(objective(problem, candidates[-1][None, :], y, w, loss)[0])
    order = np.argsort(values, kind="stable")[:KEEP]
    found = solve(problem, np.array(candidates)[order], y, w, loss, free)
    best = int(np.argmin(found.objective))
    here, value = found.coordinates[best], float(found.objective[best])
    return _polished(problem, here, value, y, w, loss, free) if loss.kind is Kind.absolute else (here, value)


def _grid(problem: Problem, fixed: Floats) -> Floats:
    axes = []
    for j in range(problem.n_theta):
        if np.isfinite(fixed[j]):
            axes.append(np.array([fixed[j]]))
            continue
        n, low, high = LEVELS[problem.n_theta], problem.lower[j], problem.upper[j]
        if problem.form.theta[j].log:
            axes.append(np.linspace(low, high, n + 2)[1:-1])
        else:  # exponents: dense near 0
            axes.append(np.geomspace(max(low, 0.02), high, n + 1)[:-1])
    return np.array(np.meshgrid(*axes, indexing="ij")).reshape(problem.n_theta, -1).T if axes else np.empty((1, 0))


def _polished(
    problem: Problem, here: Floats, value: float, y: Floats, w: Floats, loss: Loss, free: NDArray[np.bool_]
) -> tuple[Floats, float]:
    """Exact least absolute deviations: a sequence of linear programs from the end of the Huber sequence.

    Each minimises the sum of w |r - J s| over a step s in a box, which shrinks whenever the true objective does not
    fall, until none larger than 1e-9 of the coordinates helps. The minimum lies where as many residuals as parameters
    are zero, which no smooth method reaches to more than a few digits.
    """
    from scipy.optimize import linprog

    used = np.flatnonzero(w > 0)
    m, p = len(used), int(free.sum())
    box = 0.05 * np.maximum(np.abs(here[free]), 1e-3)
    cost = np.concatenate([np.zeros(p), w[used], w[used]])
    for _ in range(ROUNDS):
        residual, jacobian = (item[0, used] for item in problem.linearise(here[None, :], y))
        low = np.maximum(-box, problem.lower[free] - here[free])
        high = np.minimum(box, problem.upper[free] - here[free])
        # Steps in units of the box: coordinates differ by orders of magnitude.
        equal = np.hstack([jacobian[:, free] * box, np.eye(m), -np.eye(m)])
        limits = [*zip(low / box, high / box, strict=True), *([(0, None)] * (2 * m))]
        done = linprog(cost, A_eq=equal, b_eq=residual, bounds=limits, method="highs")
        there = here.copy()
        if done.status == 0:
            there[free] = np.clip(here[free] + done.x[:p] * box, problem.lower[free], problem.upper[free])
        found = float(objective(problem, there[None, :], y, w, loss)[0])
        if found < value:
            here, value, box = there, found, box * 1.5
        else:
            box = box / 4
            if np.all(box < 1e-9 * np.maximum(np.abs(here[free]), 1e-3)):
                break
    return here, value
