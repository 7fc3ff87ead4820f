"""The error at the end of training against size and compute, with the power law, its band and the held-out check."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.drawing.answer import Chart, Mark, Scale, Trace
from analysis.drawing.answer_figures import draw
from analysis.drawing.frame_table import frame_table
from analysis.drawing.page import Section, Table
from analysis.report.evidence import MOST_LINES, Evidence
from analysis.row_laws.final import Axis, Law
from analysis.row_laws.power_law import HeldOut, PowerLaw
from analysis.runs.selection import ALL_RUNS, Floats

TITLE = "Error at the end of training against size and compute"
BEYOND = 4.0  # the law is drawn to this multiple of the last x, dashed
LAW, PREDICTED = "power law of all runs, 95% band", "largest size, predicted by the law fitted without it"
LEAD = (
    "error = 1 - pass@1 = A x^-alpha, least squares in log-log, each run with equal weight. The interval resamples "
    "configurations. Hollow points, the largest size, were predicted by a law that never saw them: the only "
    "evidence here on prediction."
)
TITLES = {
    "x": "error against",
    "subset": "runs of",
    "n_runs": "runs",
    "alpha": "exponent alpha, 95%",
    "alpha_leave_one_size_out_low": "alpha, a size left out: least",
    "alpha_leave_one_size_out_high": "largest",
    "held_out_law_mae": "held out: law",
    "held_out_last_value_mae": "held out: last value",
    "verdict": "verdict",
    "warnings": "remarks",
}


def section(evidence: Evidence) -> Section:
    """Figures and table of the power laws of whole runs."""
    if not any(law.observations for law in evidence.laws):
        return Section(anchor="endpoint", title=TITLE, missing=("No run has a measured pass@1.",))
    figures = [
        draw(_chart(law, law.result, evidence.labels), name=f"endpoint_{law.axis.name}")
        for law in evidence.laws
        if law.subset == ALL_RUNS and isinstance(law.result, PowerLaw)
    ]
    return Section(
        anchor="endpoint", title=TITLE, lead=(LEAD,), figures=tuple(figures), tables=(_table(evidence.laws),)
    )


def _chart(law: Law, fit: PowerLaw, labels: dict[str, str]) -> Chart:
    held = set(fit.held_out.run_ids) if fit.held_out else set()
    names = list(dict.fromkeys(labels.values()))
    traces = []
    for series in names:
        group = series if len(names) <= MOST_LINES else f"runs of {len(names)} series"
        for mark in (Mark.point, Mark.hollow):
            own = [item for item in law.observations if labels[item.run_id] == series]
            own = [item for item in own if (item.run_id in held) is (mark is Mark.hollow)]
            if own:
                x, y = tuple(item.x for item in own), tuple(item.error for item in own)
                traces.append(Trace(label=series, group=group, mark=mark, x=x, y=y))
    inside = np.union1d(np.geomspace(fit.x_min, fit.x_max, 30), [item.x for item in law.observations])
    traces.append(_law(fit, inside, Mark.line))
    traces.append(_law(fit, np.geomspace(fit.x_max, fit.x_max * BEYOND, 10), Mark.dashed))
    if fit.held_out:
        traces.append(_predicted(law, fit.held_out))
    return Chart(
        title=f"Error against {'model size' if law.axis is Axis.size else 'training FLOPs'}",
        x=Scale(label=str(law.axis), log=True),
        y=Scale(label="error (1 - pass@1)", log=True),
        traces=tuple(traces),
    )


def _predicted(law: Law, held: HeldOut) -> Trace:
    at = [item.x for item in law.observations if item.run_id in held.run_ids]
    place = float(np.exp(np.mean(np.log(at))))
    return Trace(label=PREDICTED, group=PREDICTED, mark=Mark.hollow, x=(place,), y=(held.predicted,))


def _law(fit: PowerLaw, grid: Floats, mark: Mark) -> Trace:
    bands = [band for x in grid if (band := fit.band(x)) is not None]
    low, high = zip(*bands, strict=True) if bands else ((), ())
    return Trace(
        label=LAW,
        group=LAW,
        mark=mark,
        x=tuple(grid.tolist()),
        y=tuple(fit.predict(x) for x in grid),
        low=low,
        high=tuple(min(end, 1.0) for end in high),
    )


def laws_table(laws: Sequence[Law]) -> pd.DataFrame:
    """One line per law, fitted or not."""
    return pd.DataFrame([_record(law) for law in laws])


def _record(law: Law) -> dict[str, object]:
    fit = law.result if isinstance(law.result, PowerLaw) else None
    held = fit.held_out if fit else None
    return {
        "x": law.axis.name,
        "subset": law.subset,
        "n_runs": len(law.observations),
        "n_configurations": fit.n_clusters if fit else None,
        "n_levels": fit.n_levels if fit else None,
        "alpha": fit.alpha if fit else None,
        "alpha_low": fit.alpha_low if fit else None,
        "alpha_high": fit.alpha_high if fit else None,
        "alpha_leave_one_size_out_low": fit.jackknife_low if fit else None,
        "alpha_leave_one_size_out_high": fit.jackknife_high if fit else None,
        "a": math.exp(fit.log_a) if fit else None,
        "held_out_size": held.rung if held else None,
        "held_out_observed": held.observed if held else None,
        "held_out_predicted": held.predicted if held else None,
        "held_out_law_mae": held.law_mae if held else None,
        "held_out_last_value": held.last_value if held else None,
        "held_out_last_value_mae": held.last_value_mae if held else None,
        "verdict": _verdict(law),
        "warnings": " ".join(f"{note}." for note in (*(fit.warnings if fit else ()), *law.notes)),
    }


def _verdict(law: Law) -> str:
    if not isinstance(law.result, PowerLaw):
        return f"not fitted: {law.result.reason}"
    held = law.result.held_out
    if held is None:
        return f"not held out: {law.result.held_out_reason}"
    return "closer than the last value" if held.law_mae < held.last_value_mae else "no closer than the last value"


def _table(laws: Sequence[Law]) -> Table:
    return frame_table(
        laws_table(laws),
        name="laws",
        caption="Power laws of whole runs. Held out: the largest size predicted from the smaller ones, mean absolute "
        "deviation; beside it that of repeating the error of the next smaller size.",
        titles=TITLES,
        forms={name: ".3f" for name in TITLES if name.startswith(("alpha", "held"))},
    )
