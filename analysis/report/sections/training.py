"""What verl logged during training: validation accuracy, reward, entropy, KL, response length."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.drawing.axes import shared_limits, step_axis
from analysis.drawing.page import Figure, Section
from analysis.drawing.style import Look, series_keys
from analysis.drawing.svg import inline_svg, new_panel, style
from analysis.estimates.numerals import short
from analysis.report.evidence import MOST_LINES, Evidence
from analysis.runs.selection import Run

FIELDS = {
    "val_pass1": ("accuracy on validation problems", "validation_curves"),
    "reward": ("training reward (batch mean)", "reward_curves"),
    "entropy": ("entropy (nats a token)", "entropy_curves"),
    "kl": ("KL to the reference (nats a token)", "kl_curves"),
    "response_length": ("response length (tokens)", "length_curves"),
}
NAMES = {"val_pass1": "val_pass@1"}
MOST_STEPS = 60  # of a line; all steps are in the data


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One series of one model: mean over its runs at each step, and their range where there are several."""

    series: str
    steps: tuple[int, ...]
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    runs: int


def section(evidence: Evidence) -> Section:
    """A figure a quantity that was logged and moves."""
    title = "During training"
    figures = [found for field in FIELDS if (found := _figure(evidence, field)) is not None]
    lead = (
        "One panel a model, one line a series; several seeds are drawn as their mean with their range. The validation "
        "set is small with few samples a problem: its lines are noisier than the pass@1 at the end.",
        *evidence.not_drawn,
    )
    absent = [label for field, (label, _) in FIELDS.items() if not _logged(evidence.runs, field)]
    missing = (f"Not logged by these runs: {', '.join(absent)}.",) if absent else ()
    if not figures:
        return Section(anchor="training", title=title, missing=missing or ("No step was logged.",))
    files = {"curves": curves_table(evidence.selection.runs)}
    return Section(anchor="training", title=title, lead=lead, figures=tuple(figures), missing=missing, files=files)


def curves_table(runs: Sequence[Run]) -> pd.DataFrame:
    """One line a run and training step."""
    records = [
        {
            "run_id": run.row.run_id,
            "step": point.step,
            "reward": point.reward,
            "val_pass@1": point.val_pass1,
            "response_length": point.response_length,
            "entropy": point.entropy,
            "kl": point.kl,
            "tokens": point.tokens,
            "seconds": point.seconds,
        }
        for run in runs
        for point in run.row.curve
    ]
    return pd.DataFrame(records)


def _logged(runs: Sequence[Run], field: str) -> bool:
    return any(getattr(item, field) is not None for run in runs for item in run.row.curve)


def _figure(evidence: Evidence, field: str) -> Figure | None:
    drawn = set(evidence.drawn_series) or set(list(evidence.looks)[:MOST_LINES])
    traces: dict[tuple[int, str], list[Trace]] = {}
    for series in evidence.looks:
        if series not in drawn:
            continue
        runs = [run for run in evidence.runs if evidence.labels[run.row.run_id] == series]
        for key in dict.fromkeys((run.row.n_params_non_embedding, run.row.model) for run in runs):
            own = [run for run in runs if run.row.model == key[1]]
            trace = _trace(series, own, field)
            if trace is not None:
                traces.setdefault(key, []).append(trace)
    if not traces:
        return None
    everything = [trace for found in traces.values() for trace in found]
    ys = [value for trace in everything for value in (*trace.low, *trace.high)]
    if field in ("kl", "entropy") and max(ys) == min(ys):
        return None  # a constant is no figure
    xs = [step for trace in everything for step in trace.steps]
    label, name = FIELDS[field]
    panels = []
    for i, ((size, model), found) in enumerate(sorted(traces.items())):
        panel = f"{name.replace('_', '-')}-{i}"
        with style(panel):
            figure, axes = new_panel(f"{model} ({short(size)})")
            for trace in found:
                _draw(axes, trace, evidence.looks[trace.series])
            shared_limits(axes, xs, ys)
            step_axis(axes)
            axes.set_ylabel(label)
            panels.append(inline_svg(figure, name=panel, description=f"{label} of {model} against training steps"))
    looks = {series: look for series, look in evidence.looks.items() if series in drawn}
    records = [
        {
            "model": model,
            "series": trace.series,
            "runs": trace.runs,
            "step": step,
            "mean": mean,
            "low": low,
            "high": high,
        }
        for (_, model), found in sorted(traces.items())
        for trace in found
        for step, mean, low, high in zip(trace.steps, trace.mean, trace.low, trace.high, strict=True)
    ]
    return Figure(
        name=name,
        keys=series_keys(looks, marker=True, line=True),
        panels=tuple(panels),
        data=pd.DataFrame(records),
        caption=label[0].upper() + label[1:],
    )


def _trace(series: str, runs: Sequence[Run], field: str) -> Trace | None:
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
        series=series,
        steps=tuple(steps),
        mean=tuple(float(np.mean(by_step[step])) for step in steps),
        low=tuple(min(by_step[step]) for step in steps),
        high=tuple(max(by_step[step]) for step in steps),
        runs=len(runs),
    )


def _draw(axes: Axes, trace: Trace, look: Look) -> None:
    every = max(1, round(len(trace.steps) / MOST_STEPS))
    kept = slice((len(trace.steps) - 1) % every, None, every)
    steps, mean = trace.steps[kept], trace.mean[kept]
    if trace.runs > 1:
        axes.fill_between(steps, trace.low[kept], trace.high[kept], color=look.colour, alpha=0.13, linewidth=0)
    axes.plot(
        steps,
        mean,
        color=look.colour,
        marker=look.marker,
        markersize=4,
        markevery=max(1, len(steps) // 8),
        linewidth=1.4,
    )
