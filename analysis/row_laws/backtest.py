"""How far laws are from checkpoints that they never saw, beside repeating the last value.

Three protocols: the last quarter of every run; each size left out in turn; the largest size left out. The fitted rows
are all that a law is given.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis.laws.catalogue import KN_LOGLINEAR, ZOO
from analysis.laws.form import Form
from analysis.laws.heldout import GroupError, evaluate
from analysis.laws.inference import Inference
from analysis.row_laws.curve_law import FEWEST_SIZES, CurveLaw, fitted, prediction_band, sample_of
from analysis.runs.checkpoints import Axis, Checkpoint

LAST_QUARTER, EACH_SIZE, LARGEST = "last quarter of every run", "each size left out in turn", "largest size left out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """Held-out error of a form by one protocol."""

    axis: Axis
    series: str
    form: str
    protocol: str  # what was held out
    n: int  # checkpoints compared
    mae: float | None = None  # mean absolute error of the law, None where it could not be fitted
    relative: float | None = None  # `mae` over the mean measured error
    bias: float | None = None  # mean of predicted minus measured
    coverage: float | None = None  # share of checkpoints inside the 95% interval of a single measurement
    last_value: float | None = None  # mean absolute error of repeating the last training value
    reason: str | None = None  # why there is no number


def backtests(law: CurveLaw) -> list[Backtest]:
    """Every form and protocol that the sizes and checkpoints of a series allow."""
    points = law.points
    found = []
    if held := [point for point in points if point.held_out]:
        if len(law.sizes) >= FEWEST_SIZES:
            found.append(_compare(law, KN_LOGLINEAR, LAST_QUARTER, [([], held)], law.joint))
        by_size = [[point for point in points if point.size == size] for size in law.sizes]
        folds = [
            ([item for item in own if not item.held_out], [item for item in own if item.held_out]) for own in by_size
        ]
        found += [_compare(law, form, LAST_QUARTER, folds) for form in ZOO]
    if len(law.sizes) > FEWEST_SIZES:
        folds = [([p for p in points if p.size != size], [p for p in points if p.size == size]) for size in law.sizes]
        found.append(_compare(law, KN_LOGLINEAR, EACH_SIZE, folds))
        found.append(_compare(law, KN_LOGLINEAR, LARGEST, folds[-1:]))
    return found


def _compare(
    law: CurveLaw,
    form: Form,
    protocol: str,
    folds: Sequence[tuple[list[Checkpoint], list[Checkpoint]]],
    joint: Inference | str | None = None,
) -> Backtest:
    """One line of the table; every fold is (training, held out), and `joint`, if given, what was fitted already."""
    n = sum(len(item) for _, item in folds)
    empty = Backtest(axis=law.axis, series=law.series, form=form.name, protocol=protocol, n=n)
    errors: list[GroupError] = []
    inside, measured = [], []
    for training, held in folds:
        if not held:
            continue
        found = joint or fitted(form, training, law.axis, intervals=False)
        if isinstance(found, str):
            return replace(empty, reason=found)
        rows = sample_of(held, law.axis)
        errors += evaluate(found.fit, rows)
        low, high = prediction_band(found, rows)
        inside += ((low <= rows.y) & (rows.y <= high)).tolist()
        measured += rows.y.tolist()
    weights = [item.n for item in errors]
    mae = float(np.average([item.error.mae for item in errors], weights=weights))
    return replace(
        empty,
        mae=mae,
        relative=mae / float(np.mean(measured)),
        bias=float(np.average([item.error.bias for item in errors], weights=weights)),
        coverage=float(np.mean(inside)),
        last_value=float(np.average([item.last_value for item in errors], weights=weights)),
    )
