"""A parameter of a law as it may be printed: a number with its intervals, or why it is none."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from analysis.laws.fitting import Fit
from analysis.laws.sample import Floats

EDGE = 1e-6  # of a range, within which an estimate is at its end
CEILING_NEEDS = 1.5  # of C_mid, that data must reach for a ceiling to mean anything


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


def estimate_of(
    fit: Fit,
    place: int,
    natural: Floats,
    intervals: list[tuple[str, Floats, Floats]],
    singular: tuple[int, ...],
) -> Estimate:
    """A parameter with its intervals, or why it is no number.

    Args:
        fit: Whose parameter.
        place: Of the parameter among the natural coordinates.
        natural: Coordinates of the fit; logarithms of scales.
        intervals: Method, low and high ends of all coordinates; the first is the one that counts.
        singular: Places of coordinates that the rows leave open.
    """
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
