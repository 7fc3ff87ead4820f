"""A parameter of a law as it may be printed: a number with its intervals, or why it is none."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from analysis.laws.fitting import Fit
from analysis.laws.sample import Floats
from analysis.laws.student import Interval

EDGE = 1e-6  # of a range, within which an estimate is at its end
CEILING_NEEDS = 1.5  # of C_mid, that data must reach for a ceiling to mean anything
Ends = tuple[str, Floats, Floats]  # method, low and high ends of all natural coordinates (logarithms of scales)


class Status(StrEnum):
    """Whether a parameter is a number."""

    ok = "ok"
    fixed = "fixed"
    at_bound = "at bound"
    not_identified = "not identified"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A parameter as it may be printed."""

    name: str
    unit: str  # of the numbers
    value: float | None  # None unless the status is ok or fixed
    interval: Interval | None  # None where it is fixed or no method applies
    others: tuple[Interval, ...]  # intervals by other methods, for comparison
    status: Status  # what is known
    reason: str | None = None  # why there is no number


def estimate_of(
    fit: Fit, place: int, natural: Floats, intervals: Sequence[Ends], singular: tuple[int, ...]
) -> Estimate:
    """A parameter with its intervals, or why it is no number.

    Args:
        fit: Whose parameter.
        place: Of the parameter among the natural coordinates.
        natural: Coordinates of the fit; logarithms of scales.
        intervals: The first is the one that counts.
        singular: Places of coordinates that the rows leave open.
    """
    problem, parameters, here = fit.problem, fit.form.parameters, float(natural[place])

    def reported(coordinate: float) -> float:
        return float(np.exp(coordinate)) if problem.scales[place] else float(coordinate)

    def end(coordinate: float) -> float | None:
        return reported(coordinate) if np.isfinite(coordinate) else None

    unit = parameters[place].unit if place < len(parameters) else "log10 y"
    name, value = problem.names[place], reported(here)
    held = Estimate(name=name, unit=unit, value=value, interval=None, others=(), status=Status.fixed)
    if np.isfinite(fit.fixed[place]):
        return held
    ends = [(method, *_within(fit, place, low[place], high[place])) for method, low, high in intervals]
    shown = [Interval(low=end(low), high=end(high), method=method) for method, low, high in ends]
    found = replace(held, interval=shown[0] if shown else None, others=tuple(shown[1:]), status=Status.ok)
    lower, upper = problem.lower[place], problem.upper[place]
    # Bounds hold for the solver's coordinates; those of coefficients relative to a reference are 0 or infinite.
    width = upper - lower if np.isfinite(upper - lower) else max(1.0, abs(here))
    if min(here - lower, upper - here) <= EDGE * width:
        side, bound = ("lower", lower) if here - lower < upper - here else ("upper", upper)
        status, reason = Status.at_bound, f"the best fit is the {side} end of the range allowed, {reported(bound):.4g}"
    elif place in singular:
        status, reason = Status.not_identified, "these rows give the same fit for other values of it"
    elif open_ended := _open_ended(fit, place, ends):
        status, reason = Status.not_identified, open_ended
    else:
        return found
    return replace(found, value=None, status=status, reason=reason)


def without_exponents(found: Sequence[Estimate]) -> tuple[Estimate, ...]:
    """A coefficient is no number where the exponent in its unit is none: it would have no unit, and no meaning."""
    none = {item.name for item in found if item.value is None}

    def checked(item: Estimate) -> Estimate:
        lost = [name for name in none if item.unit.endswith(f"^{name}")]
        if item.status is not Status.ok or not lost:
            return item
        reason = f"its unit is {item.unit}, and {lost[0]} is no number"
        return replace(item, value=None, status=Status.not_identified, reason=reason)

    return tuple(checked(item) for item in found)


def _open_ended(fit: Fit, place: int, ends: Sequence[tuple[str, float, float]]) -> str | None:
    """Why a parameter is not identified although it has an optimum."""
    if place >= len(fit.form.parameters):
        return None
    if fit.form.parameters[place].limit and fit.form.name == "sigmoid":
        middle, reach = fit.natural["C_mid"], float(fit.sample.columns["x"].max())
        if reach < CEILING_NEEDS * middle:
            return f"the data end at {reach / middle:.2f} C_mid, a ceiling needs {CEILING_NEEDS:g}"
    profiles = [item for item in ends if "profile" in item[0]]
    for _, low, high in profiles or ends[:1]:
        open_ = [side for side, end in (("below", low), ("above", high)) if not np.isfinite(end)]
        if open_:
            return f"the data set no limit {' and '.join(open_)} it within the range allowed"
    return None


def _within(fit: Fit, place: int, low: float, high: float) -> tuple[float, float]:
    """Ends at the range of a quantity that has one by nature (a floor of a loss is not below 0).

    The ranges of scales and exponents only bound the search, and that of a limit is what one asks about: data that
    reach those have set no limit.
    """
    parameters = fit.form.parameters
    if place >= len(parameters):
        return low, high
    lower, upper = float(fit.problem.lower[place]), float(fit.problem.upper[place])
    if place < len(fit.form.theta) or parameters[place].limit:
        margin = EDGE * (upper - lower) if np.isfinite(upper - lower) else 0.0
        return (low if low > lower + margin else -np.inf), (high if high < upper - margin else np.inf)
    return max(low, lower), min(high, upper)
