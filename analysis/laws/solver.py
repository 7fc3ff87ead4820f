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
    size = max(1, CHUNK // (n_rows * problem.n_parameters))
    found = np.clip(start, problem.lower, problem.upper)
    found = np.where(mask, found, start)
    values = np.empty(n_draws)
    for begin in range(0, n_draws, size):
        part = slice(begin, begin + size)
        for step in _sequence(loss):
            found[part], _ = _descend(problem, found[part], y[part], w[part], step, mask[part])
        values[part] = objective(problem, found[part], y[part], w[part], loss)
    return Solution(found, values)


def _sequence(loss: Loss) -> list[Loss]:
    if loss.kind is not Kind.absolute:
        return [loss]
    return [Loss(name="", kind=Kind.huber, log=loss.log, delta=corner) for corner in LAD_CORNERS]


def _descend(
    problem: Problem, start: Floats, y: Floats, w: Floats, loss: Loss, mask: NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    found = start.copy()
    damping = np.full(len(start), 1e-3)
    residual, jacobian = problem.linearise(found, y)
    value = (w * loss.rho(residual)).sum(axis=1)
    final = value.copy()
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
        final[active] = value
        damping = np.where(better, np.maximum(damping / 8, 1e-12), damping * 6)
        going = (damping < GIVE_UP) & (stalled < 9) & (value > 0)
        if not going.all():
            active, residual, jacobian = active[going], residual[going], jacobian[going]
            value, damping, stalled = value[going], damping[going], stalled[going]
    return found, final


def _step(normal: Floats, downhill: Floats, damping: Floats, move: NDArray[np.bool_]) -> Floats:
    """Damped step in coordinates scaled to a unit diagonal; frozen and empty coordinates stay."""
    n = normal.shape[1]
    diagonal = np.einsum("bii->bi", normal)
    usable = move & (diagonal > 0)
    scale = np.where(usable, 1.0 / np.sqrt(np.where(usable, diagonal, 1.0)), 0.0)
    scaled = normal * scale[:, :, None] * scale[:, None, :]
    scaled[:, np.arange(n), np.arange(n)] = np.where(usable, 1.0 + damping[:, None], 1.0)
    return np.asarray(scale * np.linalg.solve(scaled, (scale * downhill)[:, :, None])[:, :, 0])


def starts(problem: Problem, y: Floats, w: Floats, loss: Loss, fixed: Floats, *, keep: int = KEEP) -> Floats:
    """The best projections of a grid over the non-linear parameters: draws x keep x coordinates.

    For each theta of the grid the linear parameters are least squares in eta (weighted for the loss's scale), clipped
    to their bounds, and ranked by the true objective.

    Args:
        problem: What is fitted.
        y: draws x rows.
        w: draws x rows.
        loss: Ranks the projections.
        fixed: One row of coordinates; NaN where free.
        keep: Starts a draw.
    """
    target, weight = _in_eta(problem, y, w)
    grid = _grid(problem, fixed)
    n_draws, n_theta = len(y), problem.n_theta
    candidates = np.empty((n_draws, len(grid), problem.n_parameters))
    values = np.empty((n_draws, len(grid)))
    known = np.isfinite(fixed[n_theta:])
    for i, theta in enumerate(grid):
        design = problem.design(problem.theta_of(theta[None, :]))[0]
        rest = target - design[:, known] @ fixed[n_theta:][known]
        beta = np.tile(np.where(known, fixed[n_theta:], 0.0), (n_draws, 1))
        beta[:, ~known] = _least_squares(design[:, ~known], rest, weight)
        candidates[:, i, :n_theta] = theta
        candidates[:, i, n_theta:] = np.clip(beta, problem.lower[n_theta:], problem.upper[n_theta:])
        values[:, i] = objective(problem, candidates[:, i], y, w, loss)
    order = np.argsort(values, axis=1, kind="stable")[:, :keep]
    return np.take_along_axis(candidates, order[:, :, None], axis=1)


def best_fit(
    problem: Problem, y: Floats, w: Floats, loss: Loss, fixed: Floats | None = None, *, keep: int = KEEP
) -> Solution:
    """The best of several local minima for each row of a batch (y and w: draws x rows)."""
    known = np.full(problem.n_parameters, np.nan) if fixed is None else fixed
    begin = starts(problem, y, w, loss, known, keep=keep)
    n_draws, n_starts, n = begin.shape
    found = solve(
        problem,
        begin.reshape(-1, n),
        np.repeat(y, n_starts, axis=0),
        np.repeat(w, n_starts, axis=0),
        loss,
        ~np.isfinite(known),
    )
    values = found.objective.reshape(n_draws, n_starts)
    best = np.argmin(values, axis=1)
    rows = np.arange(n_draws)
    return Solution(found.coordinates.reshape(n_draws, n_starts, n)[rows, best], values[rows, best])


def _in_eta(problem: Problem, y: Floats, w: Floats) -> tuple[Floats, Floats]:
    """Responses and weights for least squares in eta."""
    if problem.form.log10:
        return np.log(y) / LN10, w if problem.log else w * y * y
    return y, w / (y * y) if problem.log else w


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


def _least_squares(design: Floats, target: Floats, weight: Floats) -> Floats:
    """Weighted least squares for each row of target and weight; a column without weight gets 0."""
    if len(target) == 1:
        root = np.sqrt(weight[0])
        return np.asarray(np.linalg.lstsq(design * root[:, None], target[0] * root, rcond=None)[0])[None, :]
    normal = np.einsum("np,bn,nq->bpq", design, weight, design, optimize=True)
    right = (weight * target) @ design
    diagonal = np.einsum("bii->bi", normal)
    scale = np.where(diagonal > 0, 1.0 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0)), 0.0)
    scaled = normal * scale[:, :, None] * scale[:, None, :]
    n = design.shape[1]
    scaled[:, np.arange(n), np.arange(n)] = np.where(diagonal > 0, 1.0 + 1e-12, 1.0)
    return np.asarray(scale * np.linalg.solve(scaled, (scale * right)[:, :, None])[:, :, 0])
