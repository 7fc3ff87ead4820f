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
from analysis.laws.losses import L2, Kind, Loss
from analysis.laws.sample import Floats, LawError, Sample

ORIGINS = (0.25, 0.5, 0.75)
BASELINE = "last value"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A form's held-out error.

    Attributes:
        form: Name, or `last value`.
        mae: Mean absolute error after the cut: mean over cuts and curves with equal weight.
        bias: Mean of predicted minus measured, the same mean.
        by_origin: `mae` of each share fitted, in the order of the origins.
        wins: Share of (curve, cut) pairs with a smaller error than the last value; None for the last value.
        aicc: Corrected Akaike criterion on all rows, summed over curves; None for the last value or other losses.
        n_failed: (curve, cut) pairs without a fit.
    """

    form: str
    mae: float
    bias: float
    by_origin: tuple[float, ...]
    wins: float | None
    aicc: float | None
    n_failed: int


def rank(
    sample: Sample,
    *,
    loss: Loss = L2,
) -> list[Ranked]:
    """Forms of one curve in x, best first; a form that fails anywhere comes after those that do not.

    Args:
        sample: One or several curves (groups), each fitted by itself.
        loss: For every form.

    Raises:
        LawError: a curve is too short to be cut.
    """
    codes = sample.group_codes
    curves = [sample.take(codes == i) for i in range(len(sample.groups))]
    curves = [curve.take(np.argsort(curve.columns["x"], kind="stable")) for curve in curves]
    short = min(len(curve.y) for curve in curves)
    if int(short * ORIGINS[0]) < 5:
        raise LawError(f"the shortest curve has {short} rows: ranking needs 5 before the first cut at {ORIGINS[0]:g}")
    cuts = [_Cut.of(curve) for curve in curves]
    last = np.array([[np.mean(np.abs(gap)) for gap in cut.last_value()] for cut in cuts])
    drift = np.array([[np.mean(gap) for gap in cut.last_value()] for cut in cuts])
    found = [
        Ranked(
            form=BASELINE,
            mae=float(last.mean()),
            bias=float(drift.mean()),
            by_origin=tuple(last.mean(axis=0).tolist()),
            wins=None,
            aicc=None,
            n_failed=0,
        )
    ]
    found += [item for form in ZOO if (item := _ranked(form, cuts, last, loss)) is not None]
    return sorted(found, key=lambda item: (item.n_failed > 0, item.mae))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cut:
    """A curve in order of x, and how many of its rows lie before each cut."""

    curve: Sample
    places: tuple[int, ...]

    @classmethod
    def of(cls, curve: Sample) -> "_Cut":
        return cls(curve=curve, places=tuple(int(len(curve.y) * origin) for origin in ORIGINS))

    def last_value(self) -> list[Floats]:
        """Last value seen minus what followed, one array a cut."""
        return [self.curve.y[place - 1] - self.curve.y[place:] for place in self.places]

    def predicted(self, form: Form, loss: Loss) -> list[Floats | None]:
        """Predicted minus measured of what followed, one array a cut; None: no fit."""
        found: list[Floats | None] = []
        for place in self.places:
            before, after = _plain(self.curve, 0, place), _plain(self.curve, place, len(self.curve.y))
            try:
                found.append(fit(form, before, loss=loss).predict(after) - after.y)
            except LawError:
                found.append(None)
        return found


def _ranked(form: Form, cuts: Sequence[_Cut], last: Floats, loss: Loss) -> Ranked | None:
    """A form beside the errors of the last value (curves x cuts); None: it could not be fitted anywhere."""
    gaps = [cut.predicted(form, loss) for cut in cuts]
    off = np.array([[np.nan if gap is None else np.mean(np.abs(gap)) for gap in of_curve] for of_curve in gaps])
    lean = np.array([[np.nan if gap is None else np.mean(gap) for gap in of_curve] for of_curve in gaps])
    failed = int(np.isnan(off).sum())
    if failed == off.size:
        return None
    return Ranked(
        form=form.name,
        mae=float(np.nanmean(off)),
        bias=float(np.nanmean(lean)),
        by_origin=tuple(np.nanmean(off, axis=0).tolist()),
        wins=float(np.mean(off < last)),
        aicc=_aicc(form, [cut.curve for cut in cuts], loss),
        n_failed=failed,
    )


def _plain(curve: Sample, begin: int, end: int) -> Sample:
    """Rows of a curve without the label of its run, which would only add a group to the fit."""
    return Sample(columns={"x": curve.columns["x"][begin:end]}, y=curve.y[begin:end])


def _aicc(form: Form, curves: Sequence[Sample], loss: Loss) -> float | None:
    if loss.kind is not Kind.squares:
        return None
    total = 0.0
    for curve in curves:
        n, p = len(curve.y), len(form.parameters) + 1
        try:
            rss = fit(form, _plain(curve, 0, n), loss=loss).objective
        except LawError:
            return None
        total += n * float(np.log(max(rss, 1e-300) / n)) + 2 * p + 2 * p * (p + 1) / (n - p - 1)
    return total
