"""Laws of validation curves, arm by arm, and the k(N) law over sizes: shared by several questions.

Each arm is one configuration; its seeds are runs of one curve. The form of an arm is the power law: with the few
validations of a run a third parameter is not identified.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from analysis.drawing.answer import Chart, Mark, Scale, Trace
from analysis.estimates.panel import Arm
from analysis.laws.curves import POWER
from analysis.laws.fitting import Weights, fit
from analysis.laws.inference import LOWER_BOUND, Estimate, Inference, infer
from analysis.laws.losses import L2, LOG_L2
from analysis.laws.sample import LawError, Sample
from analysis.laws.surfaces import KN_LOGLINEAR
from analysis.runs.trajectory import Curve, Progress, curves_of, rows_of

FEW_ROWS = 6  # below it the correlation within a run cannot be estimated


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmLaw:
    """The power law of an arm's validation curves."""

    label: str
    size: float
    curves: tuple[Curve, ...]
    law: Inference | None
    reason: str | None  # why there is no law

    @property
    def alpha(self) -> Estimate | None:
        """The exponent, positive where the error falls."""
        return next((item for item in self.law.estimates if item.name == "alpha"), None) if self.law else None

    @property
    def falls(self) -> bool | None:
        """True, False: the interval of alpha excludes 0; None: it does not."""
        ends = self.alpha.interval if self.alpha else None
        if ends is None or ends.low is None or ends.high is None or ends.low <= 0 <= ends.high:
            return None
        return ends.low > 0


def arm_laws(arms: Sequence[Arm], progress: Progress, notes: list[str]) -> list[ArmLaw]:
    """One law an arm with any curve; adds to the notes."""
    found = []
    for arm in arms:
        curves = curves_of(arm.runs, progress, notes)
        if not curves:
            continue
        size = float(curves[0].run.row.n_params_non_embedding)
        sample = rows_of(curves, [arm.label] * len(curves), [size] * len(curves))
        table = np.stack([sample.columns["x"], sample.columns["n"], sample.y])
        fitted = _power_law(sample.group, sample.run, table.tobytes())
        law, reason = (None, fitted) if isinstance(fitted, str) else (fitted, None)
        found.append(ArmLaw(label=arm.label, size=size, curves=tuple(curves), law=law, reason=reason))
        if law and LOWER_BOUND in law.flags and (note := f"curves: {LOWER_BOUND}") not in notes:
            notes.append(note)
        if min(len(curve.x) for curve in curves) < FEW_ROWS:
            note = f"curves have fewer than {FEW_ROWS} validations: correlation between them could not be estimated"
            notes += [] if note in notes else [note]
    return found


@lru_cache(maxsize=1024)
def _power_law(group: tuple[str, ...] | None, run: tuple[str, ...] | None, table: bytes) -> Inference | str:
    """The law of rows (float64 x, n and y in turn), or why there is none: several questions ask for the same."""
    x, n, y = np.frombuffer(table).reshape(3, -1)
    try:
        return infer(fit(POWER, Sample(columns={"x": x, "n": n}, y=y, group=group, run=run), loss=LOG_L2), draws=0)
    except LawError as error:
        return str(error)


def law_row(item: ArmLaw) -> dict[str, object]:
    """One table row an arm."""
    alpha = item.alpha
    ends = alpha.interval if alpha else None
    return {
        "arm": item.label,
        "n_params_non_embedding": item.size,
        "seeds": len(item.curves),
        "validations": sum(len(curve.x) for curve in item.curves),
        "alpha": alpha.value if alpha else None,
        "low": ends.low if ends else None,
        "high": ends.high if ends else None,
        "interval": ends.method if ends else None,
        "note": item.reason or (alpha.reason if alpha else None),
    }


def kn_law(curves: Sequence[Curve]) -> Inference | str:
    """log10 error = -k(N) log10 x + E(N), k(N) = K_max / (1 + N0 / N), over all sizes; or why it is not fitted."""
    sizes = [float(curve.run.row.n_params_non_embedding) for curve in curves]
    if len(set(sizes)) < 3:
        return f"{len(set(sizes))} model sizes, the k(N) law needs three"
    try:
        sample = rows_of(curves, [f"{size:.0f}" for size in sizes], sizes)
        return infer(fit(KN_LOGLINEAR, sample, loss=L2, weights=Weights.per_group), draws=0)
    except LawError as error:
        return str(error)


def law_rows(law: Inference | str, label: str) -> list[dict[str, object]]:
    """One table row a parameter; a single row with the reason where there is no law."""
    if isinstance(law, str):
        empty = dict.fromkeys(("parameter", "value", "low", "high", "interval"))
        return [{"runs": label, **empty, "status": law}]
    return [
        {
            "runs": label,
            "parameter": item.name,
            "value": item.value,
            "low": item.interval.low if item.interval else None,
            "high": item.interval.high if item.interval else None,
            "interval": item.interval.method if item.interval else None,
            "status": item.reason or str(item.status),
        }
        for item in law.estimates
    ]


def curve_chart(title: str, laws: Sequence[ArmLaw], progress: Progress) -> Chart:
    """Validation points of every run, and the law of every arm inside its data."""
    traces: list[Trace] = []
    for item in laws:
        for curve in item.curves:
            traces.append(
                Trace(
                    label=curve.run.row.run_id,
                    group=item.label,
                    mark=Mark.point,
                    x=tuple(curve.x.tolist()),
                    y=tuple((1 - curve.error).tolist()),
                )
            )
        if item.law is None:
            continue
        data = item.law.fit.sample
        order = np.argsort(data.columns["x"], kind="stable")
        rows = data.take(order)
        low, high = item.law.band(rows)
        x, fitted = tuple(rows.columns["x"].tolist()), tuple((1 - item.law.fit.predict(rows)).tolist())
        traces.append(
            Trace(
                label=f"{item.label}, 95% of the law",
                group=item.label,
                mark=Mark.band,
                x=x,
                y=fitted,
                low=tuple((1 - high).tolist()),
                high=tuple((1 - low).tolist()),
            )
        )
        traces.append(Trace(label=f"{item.label}, power law", group=item.label, mark=Mark.line, x=x, y=fitted))
    return Chart(
        title=title, x=Scale(label=str(progress), log=True), y=Scale(label="validation pass@1"), traces=tuple(traces)
    )
