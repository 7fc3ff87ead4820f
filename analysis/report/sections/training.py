"""What verl logged during training: validation accuracy, reward, entropy, KL, response length."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.drawing.answer import Chart, Mark, Panels, Scale, Trace
from analysis.drawing.answer_figures import draw
from analysis.drawing.page import Section
from analysis.estimates.numerals import short
from analysis.report.evidence import Evidence
from analysis.runs.selection import Run

TITLE = "During training"
FIELDS = {
    "val_pass1": ("accuracy on validation problems", "validation_curves"),
    "reward": ("training reward (batch mean)", "reward_curves"),
    "entropy": ("entropy (nats per token)", "entropy_curves"),
    "kl": ("KL to the reference (nats per token)", "kl_curves"),
    "response_length": ("response length (tokens)", "length_curves"),
}


def section(evidence: Evidence) -> Section:
    """One figure per quantity that was logged and moves."""
    figures = []
    for field, (label, name) in FIELDS.items():
        charts = _charts(evidence, field)
        values = {end for chart in charts for trace in chart.traces for end in (*trace.low, *trace.high)}
        if charts and (len(values) > 1 or field not in ("kl", "entropy")):  # a constant is no figure
            figures.append(draw(Panels(title=label, charts=charts), name=name))
    lead = (
        "One panel per model, one line per series; several seeds are drawn as their mean with their range. The "
        "validation set is small with few samples per problem: its lines are noisier than the pass@1 at the end.",
        *evidence.not_drawn,
    )
    absent = [label for field, (label, _) in FIELDS.items() if not _logged(evidence.runs, field)]
    missing = (f"Not logged by these runs: {', '.join(absent)}.",) if absent else ()
    if not figures:
        return Section(anchor="training", title=TITLE, missing=missing or ("No step was logged.",))
    files = {"curves": curves_table(evidence.selection.runs)}
    return Section(anchor="training", title=TITLE, lead=lead, figures=tuple(figures), missing=missing, files=files)


def curves_table(runs: Sequence[Run]) -> pd.DataFrame:
    """One line per run and training step."""
    points = [point for run in runs for point in run.row.curve]
    frame = pd.DataFrame(points).rename(columns={"val_pass1": "val_pass@1"})
    frame.insert(0, "run_id", [run.row.run_id for run in runs for _ in run.row.curve])
    return frame


def _logged(runs: Sequence[Run], field: str) -> bool:
    return any(getattr(item, field) is not None for run in runs for item in run.row.curve)


def _charts(evidence: Evidence, field: str) -> tuple[Chart, ...]:
    charts = []
    for size, model in sorted({(run.row.n_params_non_embedding, run.row.model) for run in evidence.runs}):
        traces = []
        for series in evidence.drawn_series:
            runs = [run for run in evidence.runs if run.row.model == model]
            trace = _trace(series, [run for run in runs if evidence.labels[run.row.run_id] == series], field)
            traces += [trace] if trace else []
        if traces:
            x, y = Scale(label="training step"), Scale(label=FIELDS[field][0])
            charts.append(Chart(title=f"{model} ({short(size)})", x=x, y=y, traces=tuple(traces)))
    return tuple(charts)


def _trace(series: str, runs: Sequence[Run], field: str) -> Trace | None:
    """The mean over runs at each step with their range."""
    by_step: dict[int, list[float]] = {}
    for run in runs:
        for item in run.row.curve:
            value = getattr(item, field)
            if value is not None:
                by_step.setdefault(item.step, []).append(value)
    if not by_step:
        return None
    steps = sorted(by_step)
    return Trace(
        label=series,
        group=series,
        mark=Mark.line,
        x=tuple(map(float, steps)),
        y=tuple(float(np.mean(by_step[step])) for step in steps),
        low=tuple(min(by_step[step]) for step in steps),
        high=tuple(max(by_step[step]) for step in steps),
    )
