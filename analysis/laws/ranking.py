"""Forms ranked by how well they predict what comes next, not by how well they describe what was.

Rolling origin: each curve is cut at several shares of its rows in order of x; a form is fitted to the rows before the
cut and predicts those after it. In-sample measures are shown beside it because they are customary: R2 is near 1 for
every form on a falling curve, and AICc assumes independent rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.laws.catalogue import ZOO
from analysis.laws.fitting import fit
from analysis.laws.form import Form
from analysis.laws.heldout import error_of
from analysis.laws.losses import L2, Kind, Loss
from analysis.laws.sample import Floats, LawError, Sample

ORIGINS = (0.25, 0.5, 0.75)
BASELINE = "last value"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A form's held-out error."""

    form: str  # name, or `last value`
    mae: float  # mean absolute error after the cut: mean over cuts and curves with equal weight
    bias: float  # mean of predicted minus measured, the same mean
    by_origin: tuple[float, ...]  # `mae` of each share fitted, in the order of the origins
    wins: float | None = None  # share of (curve, cut) pairs with a smaller error than the last value; None for that
    aicc: float | None = None  # corrected Akaike, all rows, summed over curves; None: not squares, or the last value
    n_failed: int = 0  # (curve, cut) pairs without a fit


def rank(sample: Sample, *, loss: Loss = L2) -> list[Ranked]:
    """Forms of one curve in x, best first; a form that fails anywhere comes after those that do not.

    Args:
        sample: One or several curves (groups), each fitted by itself.
        loss: For every form.

    Raises:
        LawError: a curve is too short to be cut.
    """
    curves = []
    for i in range(len(sample.groups)):
        curve = sample.take(sample.group_codes == i)
        order = np.argsort(curve.columns["x"], kind="stable")
        # Without the label of its run, which would only add a group to the fit.
        curves.append(Sample(columns={"x": curve.columns["x"][order]}, y=curve.y[order]))
    short = min(curve.n_rows for curve in curves)
    if int(short * ORIGINS[0]) < 5:
        raise LawError(f"the shortest curve has {short} rows: ranking needs 5 before the first cut at {ORIGINS[0]:g}")
    last = _off(curves, None, loss)
    found = [_ranked(BASELINE, *last)]
    for form in ZOO:
        mae, bias = _off(curves, form, loss)
        if not np.isnan(mae).all():
            wins, aicc = float(np.mean(mae < last[0])), _aicc(form, curves, loss)
            found.append(_ranked(form.name, mae, bias, wins=wins, aicc=aicc))
    return sorted(found, key=lambda item: (item.n_failed > 0, item.mae))


def _ranked(name: str, mae: Floats, bias: Floats, *, wins: float | None = None, aicc: float | None = None) -> Ranked:
    return Ranked(
        form=name,
        mae=float(np.nanmean(mae)),
        bias=float(np.nanmean(bias)),
        by_origin=tuple(np.nanmean(mae, axis=0).tolist()),
        wins=wins,
        aicc=aicc,
        n_failed=int(np.isnan(mae).sum()),
    )


def _off(curves: Sequence[Sample], form: Form | None, loss: Loss) -> tuple[Floats, Floats]:
    """Mean absolute error and bias after each cut of a form, or of the last value: curves x cuts; NaN: no fit."""
    found = np.full((2, len(curves), len(ORIGINS)), np.nan)
    for i, curve in enumerate(curves):
        for j, origin in enumerate(ORIGINS):
            before, after = np.split(np.arange(curve.n_rows), [int(curve.n_rows * origin)])
            rows = curve.take(after)
            predicted = np.full(len(after), curve.y[before[-1]])
            try:
                if form is not None:
                    predicted = fit(form, curve.take(before), loss=loss).predict(rows)
            except LawError:
                continue
            error = error_of(predicted, rows.y)
            found[:, i, j] = error.mae, error.bias
    return found[0], found[1]


def _aicc(form: Form, curves: Sequence[Sample], loss: Loss) -> float | None:
    if loss.kind is not Kind.squares:
        return None
    total = 0.0
    for curve in curves:
        n, p = curve.n_rows, len(form.parameters) + 1
        try:
            rss = fit(form, curve, loss=loss).objective
        except LawError:
            return None
        total += n * float(np.log(max(rss, 1e-300) / n)) + 2 * p + 2 * p * (p + 1) / (n - p - 1)
    return total
