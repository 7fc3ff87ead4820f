"""Held-out rows: predicted by a law that never saw them, beside the last value that training had."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.laws.fitting import Fit
from analysis.laws.fitting import fit as fit_law
from analysis.laws.levels import LevelRule, rules_for
from analysis.laws.sample import Floats, LawError, Sample

LEAKY = (
    "uses held-out measurements: the level of this size is tuned on the rows it is then compared with, as published "
    "(arXiv 2509.25300); a description, not a prediction"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Error:
    """How far a prediction is from measurements."""

    mae: float  # mean absolute error, in the unit of y
    rmse: float  # root mean squared error
    bias: float  # mean of predicted minus measured
    r2: float | None  # 1 - MSE / variance of the measurements; None for fewer than two different measurements


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupError:
    """Held-out error of one group."""

    group: str
    n: int  # held-out rows
    trained: int  # training rows of the same group
    error: Error  # of the law
    last_value: float  # MAE of repeating the last training value of this group, or else of the one nearest in size
    by_rule: dict[LevelRule, float]  # of an unseen size, the MAE of each rule for its level alone; else empty
    level_tuned: Error | None  # the published protocol for an unseen size, no prediction; None elsewhere, or with zeros


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeStep:
    """Rehearsal within the training rows: a size predicted from all smaller ones."""

    group: str  # the predicted size
    n_smaller: int  # sizes fitted
    mae: float  # of the law
    last_value: float  # of the last value of the next smaller size


def split(sample: Sample, held_out: NDArray[np.bool_]) -> tuple[Sample, Sample]:
    """(training, held out): the first thing done, so that nothing later can see both.

    Raises:
        LawError: one side is empty.
    """
    n = int(held_out.sum())
    if n in (0, len(held_out)):
        raise LawError(f"--holdout holds out {n} of {len(held_out)} rows - some must be held out and some remain")
    return sample.take(~held_out), sample.take(held_out)


def evaluate(fit: Fit, held: Sample) -> tuple[GroupError, ...]:
    """Errors of a fitted law on held-out rows, a group at a time."""
    predicted, rules = fit.predict(held), rules_for(fit.sample.y)
    codes = held.group_codes
    found = []
    for i, group in enumerate(held.groups):
        rows = codes == i
        part = held.take(rows)
        known = np.array([label == group for label in fit.sample.group or ("",) * fit.sample.n_rows], dtype=np.bool_)
        unseen = fit.form.level_per_group and not known.any()
        found.append(
            GroupError(
                group=group,
                n=int(rows.sum()),
                trained=int(known.sum()),
                error=error_of(predicted[rows], part.y),
                last_value=_mae(_last_value(fit.sample, known, part), part.y),
                by_rule={rule: _mae(fit.predict(part, rules=(rule,)), part.y) for rule in rules} if unseen else {},
                level_tuned=_tuned(predicted[rows], part.y) if unseen else None,
            )
        )
    return tuple(found)


def rehearse(fit: Fit) -> tuple[SizeStep, ...]:
    """How well each training size follows from the smaller ones: what to expect of an unseen larger one.

    Empty for laws without a level a size, and with fewer than four sizes.
    """
    if not fit.form.level_per_group:
        return ()
    codes = fit.sample.group_codes
    size_of = [float(fit.sample.columns["n"][codes == i][0]) for i in range(len(fit.sample.groups))]
    order = np.argsort(size_of)
    steps = []
    for m in range(3, len(order)):
        smaller = fit.sample.take(np.isin(codes, order[:m]))
        part = fit.sample.take(codes == order[m])
        try:
            found = fit_law(fit.form, smaller, loss=fit.loss, weights=fit.weights)
        except LawError:  # too few rows of the small sizes
            continue
        error = evaluate(found, part)[0]
        steps.append(SizeStep(group=error.group, n_smaller=m, mae=error.error.mae, last_value=error.last_value))
    return tuple(steps)


def _mae(predicted: Floats | float, measured: Floats) -> float:
    return float(np.mean(np.abs(predicted - measured)))


def error_of(predicted: Floats, measured: Floats) -> Error:
    """Errors of predictions."""
    off = predicted - measured
    variance = float(np.var(measured))
    mse = float(np.mean(off**2))
    return Error(
        mae=_mae(predicted, measured),
        rmse=float(np.sqrt(mse)),
        bias=float(np.mean(off)),
        r2=1 - mse / variance if variance > 0 else None,
    )


def _last_value(training: Sample, known: NDArray[np.bool_], held: Sample) -> float:
    """Mean response at the last training x of the group, or of the group nearest in log size."""
    if not known.any() and "n" in training.columns and training.group is not None:
        distance = np.abs(np.log(training.columns["n"]) - np.log(held.columns["n"][0]))
        nearest = training.group[int(np.argmin(distance))]
        known = np.array([label == nearest for label in training.group], dtype=np.bool_)
    rows = training.take(known if known.any() else np.ones(training.n_rows, dtype=np.bool_))
    role = next(iter(role for role in ("x", "d", "tau", "n") if role in rows.columns))
    last = rows.columns[role] == rows.columns[role].max()
    return float(np.mean(rows.y[last]))


def _tuned(predicted: Floats, measured: Floats) -> Error | None:
    """The error after the one factor that makes the mean log error zero: a fitted level; None: zeros have no log."""
    if min(predicted.min(), measured.min()) <= 0:
        return None
    factor = float(np.exp(np.mean(np.log(measured) - np.log(predicted))))
    return error_of(predicted * factor, measured)
