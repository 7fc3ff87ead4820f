"""From a fit to what may be printed: intervals by the rule that fits the data, and parameters that are no numbers.

The rule: several runs in every group - jackknife over runs with Student's t; one run a group - profile likelihood with
AR(1) residuals, labelled a lower bound on the uncertainty; independent rows - profile likelihood; a loss other than
squares - percentile bootstrap over runs, groups or rows, whichever is the coarsest that can be drawn.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy.stats import t as student

from analysis.laws.covariance import Covariance, covariance, undetermined
from analysis.laws.fitting import Fit
from analysis.laws.losses import Kind
from analysis.laws.profile import Ends, profile
from analysis.laws.resampling import DRAWS, Draws, Unit, bootstrap, jackknife, runs_in_groups, unit_of
from analysis.laws.sample import Floats, LawError, Sample

LEVEL = 0.95
EDGE = 1e-6  # of a range, within which an estimate is at its end
CEILING_NEEDS = 1.5  # of C_mid, that data must reach for a ceiling to mean anything
MIN_UNITS = 5  # below it a percentile bootstrap over groups is not shown
AT_LEAST = "lower bound on uncertainty"  # said in the name of every interval that one run a group gives
LOWER_BOUND = f"{AT_LEAST}: one run a group, so differences between runs are not in the interval"


class Status(StrEnum):
    """Whether a parameter is a number."""

    ok = "ok"
    fixed = "fixed"
    at_bound = "at bound"
    not_identified = "not identified"


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Ends of a nominal 95% interval; None where the data set no limit on that side."""

    low: float | None
    high: float | None
    method: str

    def text(self, digits: int) -> str:
        """`[low, high]` to so many significant digits; `no limit` where the data set none."""
        low, high = ("no limit" if end is None else f"{end:.{digits}g}" for end in (self.low, self.high))
        return f"[{low}, {high}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A parameter as it may be printed.

    Attributes:
        name: Symbol.
        unit: Of the numbers.
        value: None unless the status is ok or fixed.
        interval: None where it is fixed or no method applies.
        others: Intervals by other methods, for comparison.
        status: What is known.
        reason: Why there is no number.
    """

    name: str
    unit: str
    value: float | None
    interval: Interval | None
    others: tuple[Interval, ...]
    status: Status
    reason: str | None = None


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
        return _quantile(self.df)

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
        if self.fit.form.link == "y = 10^eta":
            return middle * np.exp(-half / middle), middle * np.exp(half / middle)
        return middle - half, middle + half


def infer(fit: Fit, *, draws: int = DRAWS, seed: int = 60417) -> Inference:
    """Intervals and flags of a fit.

    Args:
        fit: Any.
        draws: Bootstrap draws; 0 for none.
        seed: Of the draws.
    """
    natural = fit.problem.without_reference(fit.coordinates[None, :])[0]
    intervals: list[tuple[str, Floats, Floats]] = []
    flags: list[str] = []
    spread: Floats | None = None
    df = float(fit.sample.n_rows - fit.n_free)
    if fit.loss.kind is Kind.squares:
        found = covariance(fit)
        by_run = jackknife(fit)
        if by_run is not None:
            spread, df = by_run
            half = _quantile(df) * np.sqrt(np.diag(spread))
            intervals.append(
                (f"jackknife over runs, t with {df:.0f} degrees of freedom", natural - half, natural + half)
            )
        else:
            spread, df = found.matrix, found.df
        ends = _profile(fit, natural, found)
        name = "profile likelihood" if found.rho is None else f"profile likelihood, AR(1) rho {found.rho:.2f}"
        single = fit.sample.clusters is not None and by_run is None
        intervals.append((f"{name} ({AT_LEAST})" if single else name, ends.low, ends.high))
        if single:
            flags.append(LOWER_BOUND)
        elif found.rho is None and fit.sample.n_rows > 1:
            flags.append("rows taken as independent: name runs with --run or curves with --group if they are not")
            copies = fit.sample.n_rows - fit.sample.n_different
            if copies:
                flags.append(
                    f"{copies} rows repeat another row in every value and are counted as measurements of their own: if "
                    "they are copies, these intervals are too narrow"
                )
    found_draws = [bootstrap(fit, unit=unit, draws=draws, seed=seed) for unit in _units(fit)] if draws > 1 else []
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
    estimates = tuple(_estimate(fit, i, natural, intervals, singular) for i in range(len(natural)))
    flags += [f"{item.name}: {item.status} ({item.reason})" for item in estimates if item.reason]
    if not intervals and draws > 1:
        flags.append("no interval: one run cannot be resampled, and only squares have a likelihood - give more runs")
    method = intervals[0][0] if intervals else "none"
    first = found_draws[0] if found_draws else None
    return Inference(
        fit=fit,
        estimates=estimates,
        method=method,
        flags=tuple(flags),
        spread=spread,
        df=df,
        draws=first,
    )


def printed(estimates: tuple[Estimate, ...]) -> Mapping[str, float | None]:
    """Values by name; None where there is no number to print."""
    return {item.name: item.value for item in estimates}


def _quantile(df: float) -> float:
    return float(student.ppf(0.5 * (1 + LEVEL), df))


def _profile(fit: Fit, natural: Floats, found: Covariance) -> Ends:
    problem = fit.problem.unscaled()
    quantile = _quantile(found.df)
    rise = quantile**2 * found.ratio / (fit.sample.n_rows - fit.n_free)
    step = quantile * np.sqrt(np.diag(found.matrix))
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


def _estimate(
    fit: Fit,
    place: int,
    natural: Floats,
    intervals: list[tuple[str, Floats, Floats]],
    singular: tuple[int, ...],
) -> Estimate:
    problem = fit.problem
    name, unit = problem.names[place], _unit(fit, place)
    log = bool(problem.scales[place])
    value = float(np.exp(natural[place]) if log else natural[place])
    if np.isfinite(fit.fixed[place]):
        return Estimate(name=name, unit=unit, value=value, interval=None, others=(), status=Status.fixed)
    shown = [_interval(method, *_within(fit, place, low[place], high[place]), log) for method, low, high in intervals]
    main = shown[0] if shown else None
    status, reason = Status.ok, None
    lower, upper = problem.lower[place], problem.upper[place]
    # Bounds hold for the solver's coordinates; those of coefficients relative to a reference are 0 or infinite.
    width = upper - lower if np.isfinite(upper - lower) else max(1.0, abs(natural[place]))
    if min(natural[place] - lower, upper - natural[place]) <= EDGE * width:
        side = "lower" if natural[place] - lower < upper - natural[place] else "upper"
        end = float(np.exp(lower if side == "lower" else upper)) if log else (lower if side == "lower" else upper)
        status, reason = Status.at_bound, f"the best fit is the {side} end of the range allowed, {end:.4g}"
    elif place in singular:
        status, reason = Status.not_identified, "these rows give the same fit for other values of it"
    else:
        reason = _open_ended(fit, place, intervals)
        status = Status.not_identified if reason else Status.ok
    return Estimate(
        name=name,
        unit=unit,
        value=value if status is Status.ok else None,
        interval=main,
        others=tuple(shown[1:]),
        status=status,
        reason=reason,
    )


def _open_ended(fit: Fit, place: int, intervals: list[tuple[str, Floats, Floats]]) -> str | None:
    """Why a parameter is not identified although it has an optimum."""
    parameters = fit.form.parameters
    if place >= len(parameters):
        return None
    item = parameters[place]
    if item.limit and fit.form.name == "sigmoid":
        middle, reach = fit.natural["C_mid"], float(fit.sample.columns["x"].max())
        if reach < CEILING_NEEDS * middle:
            return f"the data end at {reach / middle:.2f} C_mid, a ceiling needs {CEILING_NEEDS:g}"
    profiles = [item for item in intervals if "profile" in item[0]]
    for _, lows, highs in profiles or intervals[:1]:
        low, high = _within(fit, place, lows[place], highs[place])
        ends = [side for side, end in (("below", low), ("above", high)) if not np.isfinite(end)]
        if ends:
            return f"the data set no limit {' and '.join(ends)} it within the range allowed"
    return None


def _within(fit: Fit, place: int, low: float, high: float) -> tuple[float, float]:
    """Ends at the range of a quantity that has one by nature (a floor of a loss is not below 0).

    The ranges of scales and exponents only bound the search, and that of a limit is what one asks about: data that
    reach those have set no limit.
    """
    parameters = fit.form.parameters
    if place >= len(parameters):
        return low, high
    if place < len(fit.form.theta) or parameters[place].limit:
        lower, upper = float(fit.problem.lower[place]), float(fit.problem.upper[place])
        margin = EDGE * (upper - lower) if np.isfinite(upper - lower) else 0.0
        return (low if low > lower + margin else -np.inf), (high if high < upper - margin else np.inf)
    return max(low, float(fit.problem.lower[place])), min(high, float(fit.problem.upper[place]))


def _interval(method: str, low: float, high: float, log: bool) -> Interval:
    ends = [float(np.exp(end)) if log else float(end) for end in (low, high)]
    finite = [end if np.isfinite(start) else None for end, start in zip(ends, (low, high), strict=True)]
    return Interval(low=finite[0], high=finite[1], method=method)


def _unit(fit: Fit, place: int) -> str:
    parameters = fit.form.parameters
    return parameters[place].unit if place < len(parameters) else "log10 y"


def _gradient(fit: Fit, rows: Sample) -> tuple[Floats, Floats]:
    """Prediction and its derivative by natural coordinates (rows x coordinates), by central differences."""
    natural = fit.problem.without_reference(fit.coordinates[None, :])[0]
    step = 1e-6 * np.maximum(np.abs(natural), 1e-3)
    moved = np.concatenate([natural + np.diag(step), natural - np.diag(step)])
    values = fit.predict_with(fit.problem.with_reference(moved), rows)
    n = len(natural)
    return fit.predict(rows), ((values[:n] - values[n:]) / (2 * step[:, None])).T
