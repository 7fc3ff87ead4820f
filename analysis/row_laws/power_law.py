"""The plain power law, error = A x^-alpha, with its uncertainty and a held-out check.

Least squares of log error on log x (`analysis.laws`, form `power`), every run with equal weight. Uncertainty is a
jackknife over clusters of runs with Student's t (replicates of one configuration stay together, and series of one
base model, see `cluster_of`); in simulations with 4
to 32 configurations the interval held the truth in 93 to 96%. There is no floor and no saturation in this form: it is a
first description, and extrapolation beyond the data is not supported by it. Pure functions of their arguments.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.laws.catalogue import POWER
from analysis.laws.fitting import Fit, fit
from analysis.laws.losses import LOG_L2
from analysis.laws.resampling import jackknife
from analysis.laws.sample import Floats, Sample
from analysis.laws.student import quantile

MIN_LEVELS = 4  # two parameters, one size held out, and one left to contradict the line
SAME_LEVEL = 1.10  # values of x within 10% count as one


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One run.

    `rung` orders the runs for the held-out check: the runs of the largest rung are held out. It is usually the model
    size, also when `x` is not.
    """

    run_id: str
    cluster: str  # runs that are no independent points of the law share it
    x: float  # parameters or FLOPs
    rung: float
    error: float  # 1 - pass@1, in (0, 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """The largest rung predicted by a law fitted without it, beside the trivial prediction."""

    rung: float
    run_ids: tuple[str, ...]
    n_fitted: int
    alpha: float  # of the fit without the held-out runs
    observed: float  # mean error of the held-out runs
    predicted: float  # their mean predicted error
    last_value: float  # mean error of the next smaller rung
    law_mae: float  # mean absolute deviation of the law from the held-out errors
    last_value_mae: float  # the same of the baseline


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerLaw:
    """A fitted law: error = A x^-alpha."""

    alpha: float
    log_a: float  # natural logarithm of A
    alpha_low: float | None  # ends of the 95% interval; None: fewer than three clusters
    alpha_high: float | None
    jackknife_low: float  # smallest and largest alpha when each rung in turn is left out
    jackknife_high: float
    n_runs: int
    n_clusters: int
    n_levels: int
    x_min: float
    x_max: float
    held_out: HeldOut | None
    held_out_reason: str | None  # why there is no held-out check
    warnings: tuple[str, ...]
    covariance: tuple[tuple[float, ...], ...] | None  # of (log_a, alpha)

    def predict(self, x: float) -> float:
        """Error at x."""
        return math.exp(self.log_a - self.alpha * math.log(x))

    def band(self, x: float) -> tuple[float, float] | None:
        """95% interval of the law's error at x (of the line, not of a single run)."""
        if self.covariance is None:
            return None
        direction = np.array([1.0, -math.log(x)])
        half = quantile(self.n_clusters - 1) * math.sqrt(
            max(float(direction @ np.array(self.covariance) @ direction), 0.0)
        )
        return self.predict(x) * math.exp(-half), self.predict(x) * math.exp(half)


def fit_power_law(observations: Sequence[Observation]) -> PowerLaw | str:
    """Fit error = A x^-alpha, or say why the data do not determine it.

    The result does not depend on the order of the observations. The held-out law is fitted from the other runs alone.
    """
    runs = sorted(observations, key=lambda item: (item.x, item.cluster, item.run_id))
    if refusal := _refusal(runs):
        return refusal
    law = _law(runs)
    log_a, alpha = law.natural["ln_A"], law.natural["alpha"]
    n_clusters = len({run.cluster for run in runs})
    found = jackknife(law)
    low, high, covariance = None, None, None
    if found is not None:
        half = quantile(n_clusters - 1) * math.sqrt(found[0][1, 1])
        low, high = alpha - half, alpha + half
        covariance = tuple(tuple(row) for row in found[0].tolist())
    by_rung = [_without(runs, rung) for rung in sorted({run.rung for run in runs})]
    left_out = [_line(rest)[1] for rest in by_rung if len(rest) > 2 and count_levels([run.x for run in rest]) >= 2]
    held_out = _held_out(runs)
    return PowerLaw(
        alpha=alpha,
        log_a=log_a,
        alpha_low=low,
        alpha_high=high,
        jackknife_low=min(left_out, default=alpha),
        jackknife_high=max(left_out, default=alpha),
        n_runs=len(runs),
        n_clusters=n_clusters,
        n_levels=count_levels([run.x for run in runs]),
        x_min=runs[0].x,
        x_max=runs[-1].x,
        held_out=None if isinstance(held_out, str) else held_out,
        held_out_reason=held_out if isinstance(held_out, str) else None,
        warnings=_warnings(low, high),
        covariance=covariance,
    )


def count_levels(values: Sequence[float]) -> int:
    """Distinct values, where a run of values within 10% of its smallest counts once."""
    count, start = 0, -math.inf
    for value in sorted(values):
        if value > start * SAME_LEVEL or count == 0:
            count, start = count + 1, value
    return count


def _refusal(runs: Sequence[Observation]) -> str | None:
    for run in runs:
        if not (math.isfinite(run.x) and run.x > 0):
            return f"{run.run_id} has x = {run.x}: a logarithm needs positive numbers"
        if not math.isfinite(run.error) or run.error < 0:
            return f"{run.run_id} has error {run.error}: an error is a number in [0, 1]"
        if run.error == 0:
            return (
                f"{run.run_id} has error 0 (pass@1 = 1): its logarithm does not exist, and leaving the run out would "
                "bias the law; measure on harder problems"
            )
    levels = count_levels([run.x for run in runs])
    if levels < MIN_LEVELS:
        return (
            f"{levels} distinct value{'' if levels == 1 else 's'} of x, at least {MIN_LEVELS} are needed "
            "(values within 10% count once)"
        )
    if len({run.error for run in runs}) == 1:
        return f"all errors are equal ({runs[0].error:g}): nothing changes with x"
    return None


def _warnings(low: float | None, high: float | None) -> tuple[str, ...]:
    if low is None or high is None:
        return ("no interval: fewer than three configurations or base models; add sizes",)
    if low <= 0 <= high:
        return ("the interval contains 0: these runs do not show that the error depends on x",)
    return ()


def _law(runs: Sequence[Observation]) -> Fit:
    x: Floats = np.array([run.x for run in runs])
    sample = Sample(columns={"x": x}, y=np.array([run.error for run in runs]), run=tuple(run.cluster for run in runs))
    return fit(POWER, sample, loss=LOG_L2, keep_repeats=True)


def _line(runs: Sequence[Observation]) -> tuple[float, float]:
    """(log A, alpha) of part of the runs; a level line if their errors are all the same."""
    if len({run.error for run in runs}) == 1:
        return math.log(runs[0].error), 0.0
    found = _law(runs).natural
    return found["ln_A"], found["alpha"]


def _without(runs: Sequence[Observation], rung: float) -> list[Observation]:
    return [run for run in runs if run.rung != rung]


def _held_out(runs: Sequence[Observation]) -> HeldOut | str:
    """Everything the law sees here is `rest`; the held-out runs enter only the comparison."""
    rungs = sorted({run.rung for run in runs})
    if len(rungs) < 3:
        return f"{len(rungs)} model size{'' if len(rungs) == 1 else 's'}: nothing to predict from smaller ones"
    last, before = rungs[-1], rungs[-2]
    rest, held = _without(runs, last), [run for run in runs if run.rung == last]
    if count_levels([run.x for run in rest]) < 3:
        return "fewer than 3 distinct values of x remain without the largest size"
    log_a, alpha = _line(rest)
    baseline = float(np.mean([run.error for run in rest if run.rung == before]))
    predicted = [math.exp(log_a - alpha * math.log(run.x)) for run in held]
    observed = [run.error for run in held]
    return HeldOut(
        rung=last,
        run_ids=tuple(run.run_id for run in held),
        n_fitted=len(rest),
        alpha=alpha,
        observed=float(np.mean(observed)),
        predicted=float(np.mean(predicted)),
        last_value=baseline,
        law_mae=float(np.mean(np.abs(np.subtract(predicted, observed)))),
        last_value_mae=float(np.mean(np.abs(np.subtract(baseline, observed)))),
    )
