"""pass@k against training steps, and the best checkpoint: a part of the section on pass@k."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from analysis.drawing.answer import Chart, Mark, Panels, Scale, Trace
from analysis.drawing.answer_figures import draw
from analysis.drawing.frame_table import frame_table
from analysis.drawing.page import Figure, Section, Table
from analysis.estimates.numerals import short
from analysis.estimates.points import pass_at
from analysis.passk.best_step import HOW, BestStep, best_step
from analysis.passk.estimate import NONE, Estimate
from analysis.report.evidence import Evidence
from analysis.runs.counts import Floats
from analysis.runs.selection import Point

LEAD = (
    "Along training, pass@k after the steps that eval.checkpoints asked for, on the same problems with the same number "
    "of samples as after the last; step 0 is the base model. The best checkpoint is "
    f"{HOW}: a step that was chosen by a number is never reported with it."
)
BEST = "The best checkpoint of each configuration"


def added(section: Section, evidence: Evidence) -> Section:
    """The section with curves and best checkpoints; as it is where no run's checkpoints were to be evaluated."""
    points = [point for point in evidence.points if any(run.row.along for run in point.runs)]
    if not points:
        return section
    frame = along_table(points, [1, *evidence.table_ks])
    best = best_table(points, evidence.varying)
    return replace(
        section,
        lead=(*section.lead, LEAD, *_missing(points)),
        figures=(*section.figures, *_figures(evidence, frame)),
        tables=(*section.tables, best),
        files={**section.files, "pass_at_k_along_training": frame},
    )


def along_table(points: Sequence[Point], ks: Sequence[int]) -> pd.DataFrame:
    """One line per point, k and step, base model and last step included: pass@k with its 95% interval."""
    return pd.DataFrame(
        [
            {
                "model": point.row.model,
                "n_params_non_embedding": point.size,
                "series": point.series,
                "group_id": point.row.group_id,
                "seeds": len(point.runs),
                "k": k,
                "step": step,
                **(found or NONE).columns("pass_at_k", "pass_at_k_"),
            }
            for point in points
            for k in ks
            for step, found in _values(point, k).items()
        ]
    )


def _values(point: Point, k: int) -> Mapping[int, Estimate | None]:
    """pass@k by step; None: a seed has none."""
    steps = sorted({one.step for run in point.runs for one in run.row.along})
    found = {0: pass_at(point, k, base=True)} | {step: pass_at(point, k, step=step) for step in steps}
    return found if point.row.steps is None else found | {point.row.steps: pass_at(point, k)}


def best_of(point: Point) -> BestStep | str:
    """The best step of a configuration, over its seeds; or why none can be told."""
    steps: dict[int, Floats] = {}
    for step in sorted({step for run in point.runs for step in run.along}):
        matrix = point.matrix(1, step=step)
        if matrix is not None and all(_same_problems(point, step)):
            steps[step] = matrix
    last = point.matrix(1)
    if last is None or point.row.steps is None:
        return "there are no counts of the last step"
    return best_step(point.problem_ids, steps | {point.row.steps: last})


def _same_problems(point: Point, step: int) -> list[bool]:
    return [step in run.along and run.along[step].problem_ids == point.problem_ids for run in point.runs]


def best_table(points: Sequence[Point], varying: str) -> Table:
    """One line per point."""
    records = []
    for point in points:
        found, named = best_of(point), {"model": point.row.model, "series": point.series, "seeds": len(point.runs)}
        if isinstance(found, str):
            records.append(named | dict.fromkeys(_NUMBERS) | {"remark": found})
            continue
        gain = found.gain_interval
        records.append(
            named
            | {"step": found.step, "of": found.of, "chosen_on": found.chosen_on, "reported_on": found.reported_on}
            | Estimate(found.value, found.interval.low, found.interval.high).columns("best", "best_")
            | {"last": found.last}
            | (Estimate(found.gain, gain.low, gain.high) if gain else Estimate(found.gain, None, None)).columns(
                "gain", "gain_"
            )
            | {"remark": None if gain else "the last step"}
        )
    titles = {"model": "Model", "series": varying, "seeds": "Seeds", "step": "Best step", "of": "Of"}
    titles |= {
        "chosen_on": "Chosen on",
        "reported_on": "Reported on",
        "best": "pass@1 there",
        "last": "Last step there",
    }
    return frame_table(
        pd.DataFrame(records),
        name="best_checkpoints",
        caption=f"{BEST}, {HOW}. Gain: best minus last step, paired over the problems that it is reported on, 95%.",
        titles=titles | {"gain": "Gain on the last", "remark": "Remark"},
        forms={"best": ".3f", "last": ".3f", "gain": "+.3f"},
    )


_NUMBERS = (
    *("step", "of", "chosen_on", "reported_on", "best", "best_low", "best_high", "last", "gain", "gain_low"),
    "gain_high",
)


def _missing(points: Sequence[Point]) -> tuple[str, ...]:
    """Steps that were not measured, with reasons."""
    reasons: dict[str, list[str]] = {}
    for run in (run for point in points for run in point.runs):
        for one in run.row.along:
            if one.missing is not None:
                reasons.setdefault(one.missing, []).append(f"step {one.step} of {run.row.run_id}")
            elif one.step not in run.along:
                reasons.setdefault("its file of counts is not there, so it has no interval", []).append(
                    f"step {one.step} of {run.row.run_id}"
                )
    return tuple(f"Not measured, or not whole: {', '.join(where)}: {why}." for why, where in reasons.items())


def _figures(evidence: Evidence, frame: pd.DataFrame) -> tuple[Figure, ...]:
    drawn = frame[frame["series"].isin(evidence.drawn_series) & frame["pass_at_k"].notna()]
    charts = []
    for (k, size, model), whole in drawn.groupby(["k", "n_params_non_embedding", "model"], sort=False):
        traces = []
        for (series, _), line in whole.groupby(["series", "group_id"], sort=False):
            values = [
                Estimate(*(None if pd.isna(end) else float(end) for end in ends))  # type: ignore[arg-type]
                for ends in line[["pass_at_k", "pass_at_k_low", "pass_at_k_high"]].to_numpy()
            ]
            steps = line["step"].astype(float)
            trace = Trace.of(str(series), str(series), steps, values, Mark.line)
            traces += [trace, replace(trace, mark=Mark.point, low=(), high=())]
        x, y = Scale(label="training steps", least=0.0), Scale.share(f"pass@{k}")
        charts.append(Chart(title=f"pass@{k}, {model} ({short(float(str(size)))})", x=x, y=y, traces=tuple(traces)))
    if not charts:
        return ()
    return (draw(Panels(title="pass@k along training", charts=tuple(charts)), name="pass_at_k_along_training_curves"),)
