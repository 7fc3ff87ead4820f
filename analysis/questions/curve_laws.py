"""Laws of validation curves, arm by arm, and the k(N) law over sizes, for several questions to print.

Each arm is one configuration; its seeds are runs of one curve. The form of an arm is the power law: with the few
validations of a run a third parameter is not identified. The fits are those of `analysis.row_laws.curve_law`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.drawing.answer import Chart, Mark, Scale, Trace, band_and_line
from analysis.estimates.panel import Arm
from analysis.laws.estimate import Estimate
from analysis.laws.inference import LOWER_BOUND, Inference
from analysis.row_laws.curve_law import own_law
from analysis.runs.checkpoints import FEWEST_STEPS, Axis, Checkpoint, checkpoints
from analysis.runs.selection import Run

FEW_ROWS = 6  # below it the correlation within a run cannot be estimated
HELD_OUT = f"Curves: of {FEWEST_STEPS} validations or more the last quarter is held out of the law"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmLaw:
    """The power law of an arm's validation curves.

    Attributes:
        label: Of the arm.
        model: Of its runs.
        size: Parameters without embedding and head.
        points: Validations of its runs, held-out ones included.
        law: None where there is none.
        reason: Why there is no law.
    """

    label: str
    model: str
    size: float
    points: tuple[Checkpoint, ...]
    law: Inference | None
    reason: str | None

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

    @property
    def run_ids(self) -> tuple[str, ...]:
        """Runs with a curve."""
        return tuple(dict.fromkeys(point.run_id for point in self.points))


def arm_laws(arms: Sequence[Arm], axis: Axis, notes: list[str]) -> list[ArmLaw]:
    """One law per arm with any curve; adds to the notes."""
    found = []
    for arm in arms:
        points = points_of_curves(arm.runs, arm.label, axis, notes)
        if not points:
            continue
        fitted = own_law(points, axis)
        law, reason = (None, fitted) if isinstance(fitted, str) else (fitted, None)
        model, size = points[0].model, float(points[0].size)
        item = ArmLaw(label=arm.label, model=model, size=size, points=tuple(points), law=law, reason=reason)
        found.append(item)
        if law and LOWER_BOUND in law.flags:
            notes.append(f"Curves: {LOWER_BOUND}")
        if min(sum(point.run_id == name for point in points) for name in item.run_ids) < FEW_ROWS:
            notes.append(
                f"curves have fewer than {FEW_ROWS} validations: correlation between them could not be estimated"
            )
        if any(point.held_out for point in points):
            notes.append(HELD_OUT)
    return found


def points_of_curves(runs: Sequence[Run], label: str, axis: Axis, notes: list[str]) -> list[Checkpoint]:
    """The validations of runs that have an x; why a run has none is added to the notes."""
    found = checkpoints(runs, {run.row.run_id: label for run in runs})
    for run in runs:
        own = [point for point in found if point.run_id == run.row.run_id]
        if not own:
            notes.append(f"{run.row.run_id} has no validation after step 0")
        elif own[0].x(axis) is None:
            notes.append(f"{run.row.run_id} does not say its {axis}")
    return [point for point in found if point.x(axis) is not None]


def law_row(item: ArmLaw) -> dict[str, object]:
    """One table row per arm; `validations` counts those that were fitted."""
    alpha = item.alpha
    return {
        "arm": item.label,
        "n_params_non_embedding": item.size,
        "seeds": len(item.run_ids),
        "validations": sum(not point.held_out for point in item.points),
        "alpha": alpha.value if alpha else None,
        **_ends(alpha),
        "note": item.reason or (alpha.reason if alpha else None),
    }


def law_rows(law: Inference | str, label: str) -> list[dict[str, object]]:
    """One table row per parameter; a single row with the reason where there is no law."""
    if isinstance(law, str):
        return [{"runs": label, "parameter": None, "value": None, **_ends(None), "status": law}]
    return [
        {"runs": label, "parameter": item.name, "value": item.value}
        | _ends(item)
        | {"status": item.reason or str(item.status)}
        for item in law.estimates
    ]


def _ends(item: Estimate | None) -> dict[str, object]:
    ends = item.interval if item else None
    return {
        "low": ends.low if ends else None,
        "high": ends.high if ends else None,
        "interval": ends.method if ends else None,
    }


def curve_chart(title: str, laws: Sequence[ArmLaw], axis: Axis) -> Chart:
    """Validation points of every run, held-out ones hollow, and the law of every arm over what was fitted."""
    traces: list[Trace] = []
    for item in laws:
        for name in item.run_ids:
            for held in (False, True):
                points = [point for point in item.points if point.run_id == name and point.held_out is held]
                if points:
                    label, mark = (f"{name}, held out", Mark.hollow) if held else (name, Mark.point)
                    x = tuple(value for point in points if (value := point.x(axis)) is not None)
                    y = tuple(1 - point.error for point in points)
                    traces.append(Trace(label=label, group=item.label, mark=mark, x=x, y=y))
        if item.law is None:
            continue
        data = item.law.fit.sample
        order = np.argsort(data.columns["x"], kind="stable")
        rows = data.take(order)
        low, high = item.law.band(rows)
        fitted, band = 1 - item.law.fit.predict(rows), f"{item.label}, 95% of the law"
        name = f"{item.label}, power law"
        traces += band_and_line(name, item.label, rows.columns["x"], fitted, (1 - high, 1 - low), band=band)
    return Chart(
        title=title, x=Scale(label=str(axis), log=True), y=Scale.share("validation accuracy"), traces=tuple(traces)
    )
