"""What verl logged during training: accuracy, reward, entropy, KL, lengths, groups without signal, clipping."""

from collections.abc import Sequence
from dataclasses import asdict

import pandas as pd

from analysis.drawing.answer import Chart, Mark, Panels, Scale, Trace
from analysis.drawing.answer_figures import draw
from analysis.drawing.page import Section
from analysis.estimates.numerals import short
from analysis.passk.estimate import Estimate
from analysis.report.evidence import Evidence
from analysis.runs.selection import Run
from sweeper.rows.curve_point import NUMBERS, signals

TITLE = "During training"
# All but what tells of the machinery: it ends a run, and says nothing of learning.
# What trajectories did has a table and a figure with the question `tool_use`.
COLUMNS = [name for name in NUMBERS if name != "probs_diff"]
FIELDS = {
    "val_accuracy": ("accuracy on validation problems", "validation_curves"),
    "reward": ("training reward (batch mean)", "reward_curves"),
    "entropy": ("entropy (nats per token)", "entropy_curves"),
    "kl": ("KL to the reference (nats per token)", "kl_curves"),
    "response_length": ("response length (tokens)", "length_curves"),
    "groups_without_signal": ("groups without signal (share)", "signal_curves"),
    "truncated": ("responses at the longest length (share)", "truncation_curves"),
    "clip_share": ("tokens clipped (share)", "clip_curves"),
    "grad_norm": ("gradient norm", "gradient_curves"),
}

DERIVED = [name for name in signals({}) if name != "tokens_per_s"]  # both parts of which are columns
# Columns that rows of before do not have.
SINCE = ("truncated", "clip_share", "grad_norm", *DERIVED)
# No figure of these where they never move.
STILL = ("kl", "entropy", "groups_without_signal", "truncated", "clip_share", "grad_norm")


def section(evidence: Evidence) -> Section:
    """One figure per quantity that was logged and moves."""
    logged = curves_table(evidence.runs)
    absent = [label for field, (label, _) in FIELDS.items() if field not in logged or logged[field].isna().all()]
    missing: tuple[str, ...] = (f"Not logged by these runs: {', '.join(absent)}.",) if absent else ()
    figures, unseen = [], []
    for field, (label, name) in FIELDS.items():
        if label not in absent and (logged[field].nunique() > 1 or field not in STILL):
            charts = _charts(evidence, logged.dropna(subset=[field]), field)
            if charts:
                figures.append(draw(Panels(title=label, charts=charts), name=name))
            else:
                unseen.append(label)
    missing += (f"Logged only by runs that are not drawn: {', '.join(unseen)}.",) if unseen else ()
    if not figures:
        return Section(anchor="training", title=TITLE, missing=missing or ("No step was logged.",))
    lead = (
        "One panel per model, one line per series; several seeds are drawn as their mean with their range. The "
        "validation set is small with few samples per problem: its lines are noisier than the pass@1 at the end.",
        *evidence.not_drawn,
    )
    files = {"curves": curves_table(evidence.selection.runs)}
    return Section(anchor="training", title=TITLE, lead=lead, figures=tuple(figures), missing=missing, files=files)


def curves_table(runs: Sequence[Run]) -> pd.DataFrame:
    """One line per run and training step."""
    points = [asdict(point) for run in runs for point in run.row.curve]
    frame = pd.DataFrame([{name: point[name] for name in COLUMNS} | signals(point) for point in points])
    frame = frame.reindex(columns=[*COLUMNS, *DERIVED])
    frame = frame.drop(columns=[name for name in SINCE if frame[name].isna().all()])
    frame.insert(0, "run_id", [run.row.run_id for run in runs for _ in run.row.curve])
    return frame.rename(columns={"val_pass1": "val_accuracy"})


def _charts(evidence: Evidence, logged: pd.DataFrame, field: str) -> tuple[Chart, ...]:
    charts = []
    series = logged["run_id"].map(evidence.labels)
    for size, model in sorted({(run.row.n_params_non_embedding, run.row.model) for run in evidence.runs}):
        own = logged["run_id"].isin([run.row.run_id for run in evidence.runs if run.row.model == model])
        lines = [(name, logged[own & (series == name)]) for name in evidence.drawn_series]
        traces = tuple(_trace(name, line, field) for name, line in lines if len(line))
        if traces:
            x, y = Scale(label="training step"), Scale(label=FIELDS[field][0])
            charts.append(Chart(title=f"{model} ({short(size)})", x=x, y=y, traces=traces))
    return tuple(charts)


def _trace(series: str, logged: pd.DataFrame, field: str) -> Trace:
    """The mean over runs at each step with their range."""
    steps = logged.groupby("step")[field]
    found = zip(steps.mean().tolist(), steps.min().tolist(), steps.max().tolist(), strict=True)
    return Trace.of(series, series, steps.mean().index.tolist(), map(Estimate._make, found), Mark.line)
