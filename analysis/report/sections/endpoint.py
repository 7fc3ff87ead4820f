"""The error at the end of training against size and compute, with the power law, its band and the held-out check."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.drawing.axes import log_x, log_y, size_ticks
from analysis.drawing.page import DASH, Figure, Key, Line, Section, Table, columns
from analysis.drawing.style import NEUTRAL, series_keys
from analysis.drawing.svg import inline_svg, new_panel, style
from analysis.report.evidence import Evidence
from analysis.row_laws.final import Axis, Law, interval_text
from analysis.row_laws.power_law import PowerLaw
from analysis.runs.selection import ALL_RUNS

TITLE = "Error at the end of training against size and compute"
BEYOND = 4.0  # the law is drawn to this multiple of the last x, dashed


def section(evidence: Evidence) -> Section:
    """Panels and table of the power laws of whole runs."""
    if not any(law.observations for law in evidence.laws):
        return Section(anchor="endpoint", title=TITLE, missing=("No run has a measured pass@1.",))
    lead = (
        "error = 1 - pass@1 = A x^-alpha, least squares in log-log, each run with equal weight. The interval resamples "
        "configurations. Hollow points, the largest size, were predicted by a law that never saw them: the only "
        "evidence here on prediction."
    )
    figure = _figure(evidence)
    return Section(
        anchor="endpoint",
        title=TITLE,
        lead=(lead,),
        figures=(figure,) if figure else (),
        tables=(_table(evidence.laws),),
    )


def _figure(evidence: Evidence) -> Figure | None:
    panels, held_out, records = [], False, []
    for law in evidence.laws:
        if law.subset != ALL_RUNS or not isinstance(law.result, PowerLaw):
            continue
        held = law.result.held_out
        name = f"law-{law.axis.name}"
        with style(name):
            figure, axes = new_panel(f"Error against {'model size' if law.axis is Axis.size else 'training FLOPs'}")
            _draw_law(axes, law.result)
            for item in law.observations:
                look = evidence.looks[evidence.labels[item.run_id]]
                is_held = held is not None and item.run_id in held.run_ids
                axes.plot(
                    [item.x],
                    [item.error],
                    marker=look.marker,
                    color=look.colour,
                    linestyle="none",
                    markersize=6,
                    markerfacecolor="white" if is_held else look.colour,
                )
                records.append(
                    {
                        "x": law.axis.name,
                        "run_id": item.run_id,
                        "value": item.x,
                        "error": item.error,
                        "law": law.result.predict(item.x),
                        "held_out": is_held,
                    }
                )
            if held is not None:
                held_out = True
                at = [item.x for item in law.observations if item.run_id in held.run_ids]
                axes.plot(
                    [float(np.exp(np.mean(np.log(at))))],
                    [held.predicted],
                    marker="*",
                    color="none",
                    linestyle="none",
                    markeredgecolor="#000000",
                    markersize=13,
                    zorder=5,
                )
            log_x(axes, "model size (parameters without embedding)" if law.axis is Axis.size else str(law.axis))
            log_y(axes)
            if law.axis is Axis.size:
                size_ticks(axes, [int(item.x) for item in law.observations])
            axes.set_ylabel("error (1 - pass@1)")
            panels.append(inline_svg(figure, name=name, description=f"error against {law.axis} with a power law"))
    if not panels:
        return None
    keys = [
        *series_keys(evidence.looks, marker=True),
        Key(label="power law of all runs, 95% band", colour=NEUTRAL, line=True),
        Key(label="outside the data", colour=NEUTRAL, line=True, dashed=True),
    ]
    if held_out:
        label = "largest size, predicted by the law fitted without it"
        keys.append(Key(label=label, colour="#000000", marker="*", hollow=True))
    return Figure(name="endpoint", keys=tuple(keys), panels=tuple(panels), data=pd.DataFrame(records))


def _draw_law(axes: Axes, fit: PowerLaw) -> None:
    for start, end, dashed in ((fit.x_min, fit.x_max, False), (fit.x_max, fit.x_max * BEYOND, True)):
        grid = np.geomspace(start, end, 40)
        axes.plot(grid, [fit.predict(x) for x in grid], color=NEUTRAL, linewidth=1.6, linestyle="--" if dashed else "-")
        known = [band for x in grid if (band := fit.band(x)) is not None]
        if len(known) == len(grid):
            low, high = zip(*known, strict=True)
            axes.fill_between(
                grid, low, np.minimum(high, 1), color=NEUTRAL, alpha=0.08 if dashed else 0.16, linewidth=0
            )


def laws_table(laws: Sequence[Law]) -> pd.DataFrame:
    """One line a law, fitted or not."""
    records = []
    for law in laws:
        fit = law.result if isinstance(law.result, PowerLaw) else None
        held = fit.held_out if fit else None
        records.append(
            {
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
                "not_fitted": None if fit else getattr(law.result, "reason", None),
                "warnings": "; ".join([*(fit.warnings if fit else ()), *law.notes]),
            }
        )
    return pd.DataFrame(records)


def _table(laws: Sequence[Law]) -> Table:
    return Table(
        name="laws",
        caption="Power laws of whole runs. Held out: the largest size predicted from the smaller ones, mean absolute "
        "deviation; beside it that of repeating the error of the next smaller size.",
        columns=columns(
            "error against",
            "runs of",
            "runs",
            "exponent alpha, 95%",
            "alpha, each size left out",
            "held out: law",
            "held out: last value",
            "verdict",
            "remarks",
            numbers=("runs", "held out: law", "held out: last value"),
            wide=("remarks",),
        ),
        lines=tuple(_line(law) for law in laws),
        data=laws_table(laws),
        folded=len(laws) > 12,
    )


def _line(law: Law) -> Line:
    axis = "size" if law.axis is Axis.size else "FLOPs"
    head = (axis, law.subset, str(len(law.observations)))
    notes = [f"{note}." for note in law.notes]
    if not isinstance(law.result, PowerLaw):
        return Line(cells=(*head, " ".join([f"not fitted: {law.result.reason}.", *notes])), span_last=6)
    fit, held = law.result, law.result.held_out
    exponent = (f"{fit.alpha:.3f} {interval_text(fit)}", f"{fit.jackknife_low:.3f} to {fit.jackknife_high:.3f}")
    if held is None:
        compared = (DASH, DASH, f"not held out: {fit.held_out_reason}")
    else:
        closer = held.law_mae < held.last_value_mae
        verdict = "closer than the last value" if closer else "no closer than the last value"
        compared = (f"{held.law_mae:.3f}", f"{held.last_value_mae:.3f}", verdict)
    remarks = " ".join([*(f"{warning}." for warning in fit.warnings), *notes])
    return Line(cells=(*head, *exponent, *compared, remarks))
