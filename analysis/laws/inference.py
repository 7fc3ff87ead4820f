"""From a fit to what may be printed: intervals by the rule that fits the data.

The rule: several runs in every group - jackknife over runs with Student's t; one run per group - profile likelihood
with AR(1) residuals, labelled a lower bound on the uncertainty; independent rows - profile likelihood; a loss other
than squares - percentile bootstrap over runs, groups or rows, whichever is the coarsest that can be drawn.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analysis.laws.covariance import Covariance, covariance, undetermined
from analysis.laws.estimate import Estimate, estimate_of
from analysis.laws.fitting import Fit
from analysis.laws.losses import Kind
from analysis.laws.profile import Ends, profile
from analysis.laws.resampling import DRAWS, Draws, Unit, bootstrap, jackknife, runs_in_groups, unit_of
from analysis.laws.sample import Floats, LawError, Sample
from analysis.laws.student import LEVEL, quantile

MIN_UNITS = 5  # below it a percentile bootstrap over groups is not shown
AT_LEAST = "lower bound on uncertainty"  # said in the name of every interval that one run per group gives
LOWER_BOUND = f"{AT_LEAST}: one run per group, so differences between runs are not in the interval"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inference:
    """Estimates of a fit and what its predictions need."""

    fit: Fit
    estimates: tuple[Estimate, ...]
    method: str
    flags: tuple[str, ...]
    spread: Floats | None  # covariance of natural coordinates behind prediction bands; None: use the draws
    df: float
    draws: Draws | None

    @property
    def quantile(self) -> float:
        """Half-width of a 95% interval in standard errors of `spread`."""
        return quantile(self.df)

    def band(self, rows: Sample) -> tuple[Floats, Floats]:
        """95% interval of the mean response at rows (not of a single measurement)."""
        if self.spread is None:
            if self.draws is None:
                raise LawError("no band: nothing could be resampled")
            values = self.fit.predict_with(np.nan_to_num(self.draws.solver_coordinates), rows)
            low, high = np.percentile(values, [50 * (1 - LEVEL), 50 * (1 + LEVEL)], axis=0)
            return low, high
        middle, slope = _gradient(self.fit, rows)
        half = self.quantile * np.sqrt(np.einsum("np,pq,nq->n", slope, self.spread, slope))
        if self.fit.form.log10:
            return middle * np.exp(-half / middle), middle * np.exp(half / middle)
        return middle - half, middle + half


def infer(fit: Fit, *, draws: int = DRAWS) -> Inference:
    """Intervals and flags of a fit.

    Args:
        fit: Any.
        draws: Bootstrap draws; 0 for none.
    """
    natural = fit.problem.without_reference(fit.coordinates[None, :])[0]
    analytic = _analytic(fit, natural) if fit.loss.kind is Kind.squares else _Analytic.none(fit)
    intervals, flags = list(analytic.intervals), list(analytic.flags)
    found_draws = [bootstrap(fit, unit=unit, draws=draws) for unit in _units(fit)] if draws > 1 else []
    for resampled in found_draws:
        low, high = np.nanpercentile(resampled.coordinates, [50 * (1 - LEVEL), 50 * (1 + LEVEL)], axis=0)
        intervals.append((f"bootstrap over {resampled.n_units} {resampled.unit}s", low, high))
        if fit.loss.kind is not Kind.squares and resampled.unit is Unit.group:
            flags.append(f"bootstrap over {resampled.n_units} groups: few units make such intervals too narrow")
    if fit.n_repeats:
        flags.append(f"{fit.n_repeats} rows repeat another row of their run and were left out")
    if fit.objective <= 1e-24 * fit.sample.n_rows * float(np.max(np.abs(fit.sample.y))) ** 2:
        flags.append("the rows lie on the law to rounding: intervals have no width")
    singular = undetermined(fit)
    estimates = tuple(estimate_of(fit, i, natural, intervals, singular) for i in range(len(natural)))
    flags += [f"{item.name}: {item.status} ({item.reason})" for item in estimates if item.reason]
    if not intervals and draws > 1:
        flags.append("no interval: one run cannot be resampled, and only squares have a likelihood - give more runs")
    return Inference(
        fit=fit,
        estimates=estimates,
        method=intervals[0][0] if intervals else "none",
        flags=tuple(flags),
        spread=analytic.spread,
        df=analytic.df,
        draws=found_draws[0] if found_draws else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Analytic:
    """What needs no resampling: method, low and high ends; flags; covariance of natural coordinates and its df."""

    intervals: tuple[tuple[str, Floats, Floats], ...]
    flags: tuple[str, ...]
    spread: Floats | None
    df: float

    @classmethod
    def none(cls, fit: Fit) -> "_Analytic":
        """Of a loss other than squares, which has no likelihood here."""
        return cls(intervals=(), flags=(), spread=None, df=float(fit.sample.n_rows - fit.n_free))


def _analytic(fit: Fit, natural: Floats) -> _Analytic:
    """Jackknife over runs where there are several in every group, and the profile likelihood."""
    intervals: list[tuple[str, Floats, Floats]] = []
    found, by_run = covariance(fit), jackknife(fit)
    spread, df = (found.matrix, found.df) if by_run is None else by_run
    if by_run is not None:
        half = quantile(df) * np.sqrt(np.diag(spread))
        intervals.append((f"jackknife over runs, t with {df:.0f} degrees of freedom", natural - half, natural + half))
    ends = _profile(fit, natural, found)
    name = "profile likelihood" if found.rho is None else f"profile likelihood, AR(1) rho {found.rho:.2f}"
    single = fit.sample.clusters is not None and by_run is None
    intervals.append((f"{name} ({AT_LEAST})" if single else name, ends.low, ends.high))
    flags = [LOWER_BOUND] if single else []
    if not single and found.rho is None and fit.sample.n_rows > 1:
        flags.append("rows taken as independent: name runs with --run or curves with --group if they are not")
        copies = fit.sample.n_rows - fit.sample.n_different
        if copies:
            flags.append(
                f"{copies} rows repeat another row in every value and are counted as measurements of their own: if "
                "they are copies, these intervals are too narrow"
            )
    return _Analytic(intervals=tuple(intervals), flags=tuple(flags), spread=spread, df=df)


def printed(estimates: tuple[Estimate, ...]) -> Mapping[str, float | None]:
    """Values by name; None where there is no number to print."""
    return {item.name: item.value for item in estimates}


def _profile(fit: Fit, natural: Floats, found: Covariance) -> Ends:
    problem = fit.problem.unscaled()
    width = quantile(found.df)
    rise = width**2 * found.ratio / (fit.sample.n_rows - fit.n_free)
    step = width * np.sqrt(np.diag(found.matrix))
    return profile(
        problem, natural, fit.sample.y, fit.row_weights, fit.loss, fit.fixed, rise=rise, step=np.maximum(step, 1e-6)
    )


def _units(fit: Fit) -> list[Unit]:
    """What to draw: runs where there are several, then whole sizes where there are enough of them; else rows."""
    unit, counts = unit_of(fit), runs_in_groups(fit)
    squares = fit.loss.kind is Kind.squares
    if unit is Unit.row:
        return [] if squares else [unit]
    found = [Unit.run] if max(counts) > 1 else []
    enough = len(counts) >= MIN_UNITS if squares or found else len(counts) > 1
    return [*found, Unit.group] if enough else found


def _gradient(fit: Fit, rows: Sample) -> tuple[Floats, Floats]:
    """Prediction and its derivative by natural coordinates (rows x coordinates), by central differences."""
    natural = fit.problem.without_reference(fit.coordinates[None, :])[0]
    step = 1e-6 * np.maximum(np.abs(natural), 1e-3)
    moved = np.concatenate([natural + np.diag(step), natural - np.diag(step)])
    values = fit.predict_with(fit.problem.with_reference(moved), rows)
    n = len(natural)
    return fit.predict(rows), ((values[:n] - values[n:]) / (2 * step[:, None])).T
