"""How far laws are from checkpoints that they never saw, beside repeating the last value.

Three protocols: the last quarter of every run; each size left out in turn; the largest size left out. The fitted rows
are all that a law is given.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis.laws.catalogue import KN_LOGLINEAR, ZOO
from analysis.laws.form import Form
from analysis.laws.heldout import last_value
from analysis.laws.inference import Inference
from analysis.laws.sample import LawError
from analysis.row_laws.curve_law import FEWEST_SIZES, CurveLaw, fitted, prediction_band, sample_of
from analysis.runs.checkpoints import Axis, Checkpoint

LAST_QUARTER, EACH_SIZE, LARGEST = "last quarter of every run", "each size left out in turn", "largest size left out"
Trainable = Callable[[Sequence[Checkpoint]], Inference | str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """Held-out error of a form by one protocol.

    Attributes:
        axis: Of x.
        series: Label.
        form: Name.
        protocol: What was held out.
        n: Checkpoints compared.
        mae: Mean absolute error of the law, None where it could not be fitted.
        relative: `mae` over the mean measured error.
        bias: Mean of predicted minus measured.
        coverage: Share of checkpoints inside the 95% interval of a single measurement.
        last_value: Mean absolute error of repeating the last training value.
        reason: Why there is no number.
    """

    axis: Axis
    series: str
    form: str
    protocol: str
    n: int
    mae: float | None = None
    relative: float | None = None
    bias: float | None = None
    coverage: float | None = None
    last_value: float | None = None
    reason: str | None = None


def backtests(law: CurveLaw) -> list[Backtest]:
    """Every form and protocol that the sizes and checkpoints of a series allow."""
    held = [point for point in law.points if point.held_out]
    by_size = [(_of(law.points, size, held=False), _of(law.points, size, held=True)) for size in law.sizes]
    found = []
    if held:
        training = [point for point in law.points if not point.held_out]
        if len(law.sizes) >= FEWEST_SIZES:
            found.append(_compare(law, KN_LOGLINEAR, LAST_QUARTER, [(training, held)], _joint(law)))
        found += [_compare(law, form, LAST_QUARTER, by_size) for form in ZOO]
    if len(law.sizes) > FEWEST_SIZES:
        points = law.points
        folds = [([item for item in points if item.size != size], _of(points, size)) for size in law.sizes]
        found.append(_compare(law, KN_LOGLINEAR, EACH_SIZE, folds))
        found.append(_compare(law, KN_LOGLINEAR, LARGEST, folds[-1:]))
    return found


def _joint(law: CurveLaw) -> Trainable:
    return lambda _points: law.joint


def _of(points: Sequence[Checkpoint], size: int, *, held: bool | None = None) -> list[Checkpoint]:
    return [item for item in points if item.size == size and held in (None, item.held_out)]


def _compare(
    law: CurveLaw,
    form: Form,
    protocol: str,
    folds: Sequence[tuple[list[Checkpoint], list[Checkpoint]]],
    fit_to: Trainable | None = None,
) -> Backtest:
    """One line of the table; every fold is (training, held out)."""
    empty = Backtest(
        axis=law.axis,
        series=law.series,
        form=form.name,
        protocol=protocol,
        n=sum(len(item) for _, item in folds),
    )
    train: Trainable = fit_to or (lambda points: fitted(form, points, law.axis, draws=None))
    off, inside, measured, baseline = [], [], [], []
    for training, held in folds:
        if not held:
            continue
        found = train(training)
        if isinstance(found, str):
            return replace(empty, reason=found)
        rows = sample_of(held, law.axis)
        try:
            off.append(found.fit.predict(rows) - rows.y)
        except LawError as error:
            return replace(empty, reason=str(error))
        band = prediction_band(found, rows)
        if band is not None:
            inside.append((band[0] <= rows.y) & (rows.y <= band[1]))
        measured.append(rows.y)
        baseline.append(_last_values(training, held, law.axis))
    gaps, values = np.concatenate(off), np.concatenate(measured)
    return replace(
        empty,
        mae=float(np.mean(np.abs(gaps))),
        relative=float(np.mean(np.abs(gaps)) / np.mean(values)),
        bias=float(np.mean(gaps)),
        coverage=float(np.mean(np.concatenate(inside))) if len(inside) == len(off) else None,
        last_value=float(np.mean(np.abs(np.concatenate(baseline)))),
    )


def _last_values(training: list[Checkpoint], held: list[Checkpoint], axis: Axis) -> list[float]:
    """Last training value of the same size, or of the size nearest to it, minus what was measured."""
    known, off = sample_of(training, axis), []
    labels = known.group or ()
    for size in sorted({item.size for item in held}):
        part = sample_of([item for item in held if item.size == size], axis)
        mask = np.array([label == str(size) for label in labels], dtype=np.bool_)
        off += (last_value(known, mask, part) - part.y).tolist()
    return off
