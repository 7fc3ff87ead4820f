"""Cluster bootstrap and jackknife: whole runs, or whole sizes, are drawn or left out; never single checkpoints."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from analysis.laws.fitting import Fit, Weights
from analysis.laws.sample import Floats, LawError
from analysis.laws.solver import solve

DRAWS = 1000
SEED = 60417
FEWEST_SIZES = 3  # different sizes a draw of sizes needs for two parameters of the slope


class Unit(StrEnum):
    """What is drawn."""

    row = "row"  # independent measurements
    run = "run"  # within each group
    group = "group"  # sizes or arms


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """Refitted coordinates of the natural parameters (logarithms of scales), draws x coordinates.

    Levels of a group that a draw left out are NaN; a draw without enough different groups is not among them.
    """

    unit: Unit
    coordinates: Floats
    solver_coordinates: Floats
    n_units: int


def unit_of(fit: Fit) -> Unit:
    """Runs where a group has several, else groups where there are several, else rows."""
    if not fit.sample.runs:
        return Unit.row
    return Unit.run if max(map(len, fit.sample.runs)) > 1 else Unit.group


def bootstrap(fit: Fit, *, unit: Unit | None = None, draws: int = DRAWS, seed: int = SEED) -> Draws:
    """Refit to `draws` resamples, all in one batch.

    Raises:
        LawError: there is only one unit.
    """
    unit = unit or unit_of(fit)
    rng = np.random.default_rng(seed)
    strata, membership = fit.sample.runs, fit.sample.clusters
    if unit is not Unit.run or membership is None:
        membership = np.arange(fit.sample.n_rows) if unit is Unit.row else fit.sample.group_codes
        strata = [np.unique(membership)]
    n_units = sum(len(item) for item in strata)
    if max(len(item) for item in strata) < 2:
        raise LawError(f"one {unit} cannot be resampled - give more, or name the column of runs with --run")
    counts = np.zeros((draws, n_units))
    for members in strata:
        counts[:, members] = rng.multinomial(len(members), np.full(len(members), 1 / len(members)), size=draws)
    sizes = unit is Unit.group and fit.form.level_per_group
    if sizes:
        counts = counts[(counts > 0).sum(axis=1) >= FEWEST_SIZES]
    found = _refit(fit, counts[:, membership], unit)
    natural = fit.problem.without_reference(found)
    if sizes:
        natural[:, -n_units:][counts == 0] = np.nan
    return Draws(unit=unit, coordinates=natural, solver_coordinates=found, n_units=n_units)


def jackknife(fit: Fit) -> tuple[Floats, float] | None:
    """(covariance of natural coordinates, degrees of freedom), leaving out each run within its group.

    None unless every group has two runs and together at least two degrees of freedom. For seeds of one balanced curve
    this is the mean and t interval of separate fits per seed.
    """
    runs, clusters = fit.sample.runs, fit.sample.clusters
    if clusters is None or min(map(len, runs)) < 2 or sum(map(len, runs)) - len(runs) < 2:
        return None
    n_runs = sum(map(len, runs))
    multiplicity = (clusters != np.arange(n_runs)[:, None]).astype(np.float64)
    natural = fit.problem.without_reference(_refit(fit, multiplicity, Unit.run))
    matrix = np.zeros((natural.shape[1], natural.shape[1]))
    for members in runs:
        around = natural[members] - natural[members].mean(axis=0)
        matrix += (len(members) - 1) / len(members) * around.T @ around
    return matrix, float(n_runs - len(runs))


def _refit(fit: Fit, multiplicity: Floats, unit: Unit) -> Floats:
    """Coordinates for each row of multiplicities, started from the fit."""
    w = multiplicity * fit.row_weights
    if fit.weights is Weights.per_group and unit is not Unit.group:
        # A group keeps its weight whichever of its runs were drawn; a size drawn twice counts twice.
        codes = fit.sample.group_codes
        member: NDArray[np.float64] = (codes[:, None] == np.arange(len(fit.sample.groups))).astype(np.float64)
        total = w @ member
        w = w * (1.0 / np.where(total > 0, total, 1.0))[:, codes] * (fit.sample.n_rows / len(fit.sample.groups))
    start = np.tile(fit.coordinates, (len(w), 1))
    return solve(fit.problem, start, fit.sample.y, w, fit.loss, ~np.isfinite(fit.fixed)).coordinates
