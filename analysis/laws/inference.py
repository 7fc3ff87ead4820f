"""From a fit to what may be printed: intervals by the rule that fits the data.

The rule: several runs in every group - jackknife over runs with Student's t; one run per group - profile likelihood
with AR(1) residuals, labelled a lower bound on the uncertainty; independent rows - profile likelihood; a loss other
than squares - percentile bootstrap over runs, groups or rows, whichever is the coarsest that can be drawn.
"""

from dataclasses import dataclass

import numpy as np

from analysis.laws.covariance import Covariance, covariance, undetermined
from analysis.laws.estimate import Ends, Estimate, estimate_of, without_exponents
from analysis.laws.fitting import Fit
from analysis.laws.losses import Kind
from analysis.laws.oddities import oddities
from analysis.laws.profile import profile
from analysis.laws.resampling import DRAWS, Unit, bootstrap, jackknife, unit_of
from analysis.laws.sample import Floats, LawError, Sample
from analysis.laws.student import LEVEL, quantile

MIN_UNITS = 5  # below it a percentile bootstrap over groups is not shown
AT_LEAST = "lower bound on uncertainty"  # said in the name of every interval that one run per group gives
LOWER_BOUND = f"{AT_LEAST}: one run per group, so differences between runs are not in the interval"
TAILS = (50 * (1 - LEVEL), 50 * (1 + LEVEL))  # percentiles


@dataclass(frozen=True, slots=True, kw_only=True)
class Inference:
    """Estimates of a fit and what its predictions need."""

    fit: Fit
    estimates: tuple[Estimate, ...]
    method: str
    flags: tuple[str, ...]
    spread: Floats | None  # covariance of natural coordinates behind prediction bands; None: the loss is not squares
    df: float

    @property
    def quantile(self) -> float:
        """Half-width of a 95% interval in standard errors of `spread`."""
        return quantile(self.df)

    def band(self, rows: Sample) -> tuple[Floats, Floats]:
        """95% interval of the mean response at rows (not of a single measurement).

        Raises:
            LawError: the loss is not squares.
        """
        if self.spread is None:
            raise LawError(f"--loss {self.fit.loss.name}: predictions have a band under squares only")
        middle, slope = _gradient(self.fit, rows)
        half = self.quantile * np.sqrt(np.einsum("np,pq,nq->n", slope, self.spread, slope))
        if self.fit.form.log10:
            return middle * np.exp(-half / middle), middle * np.exp(half / middle)
        return middle - half, middle + half


def infer(fit: Fit, *, draws: int | None = DRAWS) -> Inference:
    """Intervals and flags of a fit.

    Args:
        fit: Any.
        draws: Bootstrap draws; 0 for none; None: no intervals of parameters, only what predictions need, in a hundredth
            of the time.
    """
    squares = fit.loss.kind is Kind.squares
    natural = fit.problem.without_reference(fit.coordinates[None, :])[0]
    spread, df = None, float(fit.sample.n_rows - fit.n_free)
    intervals: list[Ends] = []
    flags: list[str] = []
    if squares:
        found, by_run = covariance(fit), jackknife(fit)
        spread, df = (found.matrix, found.df) if by_run is None else by_run
        if draws is not None:
            intervals, flags = _analytic(fit, natural, found, by_run)
    if draws is None:
        return Inference(fit=fit, estimates=(), method="", flags=(), spread=spread, df=df)
    for unit in _units(fit) if draws else ():
        item = bootstrap(fit, unit=unit, draws=draws)
        low, high = np.nanpercentile(item.coordinates, TAILS, axis=0)
        intervals.append((f"bootstrap over {item.n_units} {unit}s", low, high))
        if not squares and unit is Unit.group:
            flags.append(f"bootstrap over {item.n_units} groups: few units make such intervals too narrow")
    if fit.n_repeats:
        flags.append(f"{fit.n_repeats} rows repeat another row of their run and were left out")
    if fit.objective <= 1e-24 * fit.sample.n_rows * float(np.max(np.abs(fit.sample.y))) ** 2:
        flags.append("the rows lie on the law to rounding: intervals have no width")
    singular = undetermined(fit)
    estimates = without_exponents([estimate_of(fit, i, natural, intervals, singular) for i in range(len(natural))])
    flags += oddities(fit.sample)
    flags += [f"{item.name}: {item.status} ({item.reason})" for item in estimates if item.reason]
    if draws and not intervals:
        flags.append("no interval: one run cannot be resampled, and only squares have a likelihood - give more runs")
    return Inference(
        fit=fit,
        estimates=estimates,
        method=intervals[0][0] if intervals else "none",
        flags=tuple(flags),
        spread=spread,
        df=df,
    )


def _analytic(
    fit: Fit, natural: Floats, found: Covariance, by_run: tuple[Floats, float] | None
) -> tuple[list[Ends], list[str]]:
    """Intervals that need no draws: over runs where there are several in every group, and the profile; and flags."""
    low, high = profile(fit, natural, found)
    name = "profile likelihood" if found.rho is None else f"profile likelihood, AR(1) rho {found.rho:.2f}"
    if by_run is not None:
        half = quantile(by_run[1]) * np.sqrt(np.diag(by_run[0]))
        jackknifed = f"jackknife over runs, t with {by_run[1]:.0f} degrees of freedom"
        return [(jackknifed, natural - half, natural + half), (name, low, high)], []
    if found.rho is not None:
        return [(f"{name} ({AT_LEAST})", low, high)], [LOWER_BOUND]
    flags = ["rows taken as independent: name runs with --run or curves with --group if they are not"]
    if copies := fit.sample.n_rows - fit.sample.n_different:
        flags.append(
            f"{copies} rows repeat another row in every value and are counted as measurements of their own: if "
            "they are copies, these intervals are too narrow"
        )
    return [(name, low, high)], flags


def _units(fit: Fit) -> list[Unit]:
    """What to draw: runs where there are several, then whole sizes where there are enough of them; else rows."""
    unit, n_groups = unit_of(fit), len(fit.sample.groups)
    squares = fit.loss.kind is Kind.squares
    if unit is Unit.row:
        return [] if squares else [unit]
    found: list[Unit] = [Unit.run] if unit is Unit.run else []
    enough = n_groups >= MIN_UNITS if squares or found else n_groups > 1
    return [*found, Unit.group] if enough else found


def _gradient(fit: Fit, rows: Sample) -> tuple[Floats, Floats]:
    """Prediction and its derivative by natural coordinates (rows x coordinates), by central differences."""
    natural = fit.problem.without_reference(fit.coordinates[None, :])[0]
    step = 1e-6 * np.maximum(np.abs(natural), 1e-3)
    moved = np.concatenate([natural + np.diag(step), natural - np.diag(step)])
    values = fit.predict_with(fit.problem.with_reference(moved), rows)
    n = len(natural)
    return fit.predict(rows), ((values[:n] - values[n:]) / (2 * step[:, None])).T
