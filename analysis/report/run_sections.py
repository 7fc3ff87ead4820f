"""A part of the page for each run: its settings, how it went, what it cost, where its log is, what it wrote."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from analysis.drawing.answer import Chart, Mark, Scale, Trace
from analysis.drawing.answer_figures import draw
from analysis.drawing.frame_table import frame_table
from analysis.drawing.page import Figure, RunSection, Sample, Table
from analysis.estimates.numerals import count, plain, scientific, short, signed
from analysis.estimates.points import gain, pass_at
from analysis.report.evidence import Evidence
from analysis.report.headline import run_name
from analysis.report.transcripts import shown, transcribed, transcripts
from analysis.runs.hyperparameters import HYPERPARAMETERS
from analysis.runs.selection import Point, Run
from sweeper.host.amounts import duration
from sweeper.host.errors import SweeperError
from sweeper.rows.device_time import own_seconds
from sweeper.rows.differences import between_rows
from sweeper.rows.money import Money
from sweeper.rows.score import Score
from sweeper.runs.folder import RunDir
from sweeper.runs.gained_lost import Changed, Comparison, compared
from sweeper.spec.run_id import RunId

EACH = 3  # problems more often right, and less often, of a run whose samples are shown
MOST_CURVES = 40  # runs; with more only those whose samples are shown have a curve of their own
SEVERAL = 3  # runs from which only the best, the median and the worst show samples


def anchor(run: Run) -> str:
    """Where a run's part begins."""
    return f"run-{re.sub(r'[^A-Za-z0-9_.-]', '-', run.row.run_id)}"


def run_sections(evidence: Evidence) -> tuple[RunSection, ...]:
    """In the order of the table of runs."""
    runs = evidence.selection.runs
    told, spoken = featured(evidence.runs), transcribed(evidence.runs)
    own = between_rows([run.row for run in runs])
    found = []
    for number_, run in enumerate(runs):
        samples, remark = _samples(evidence.results_dir, run) if run.row.run_id in told else ((), _elsewhere(run, told))
        settings = dict(_result(run, evidence.costs.get(run.row.run_id)))
        settings |= {item.name: item.texts[number_] for item in own} | {"Samples": remark}
        if run.row.run_id in spoken:
            of_agent, settings["Transcripts"] = transcripts(evidence.results_dir, run)
            samples = (*samples, *of_agent)
        has_curve = len(runs) <= MOST_CURVES or run.row.run_id in told
        found.append(
            RunSection(
                anchor=anchor(run),
                title=_title(run, told.get(run.row.run_id)),
                settings=_table(settings),
                curve=_curve(run) if has_curve else None,
                log=_log(evidence.results_dir, run),
                samples=samples,
            )
        )
    return tuple(found)


def featured(runs: Sequence[Run]) -> dict[str, str]:
    """The runs whose samples are shown, by id, with what they are: best, median, worst by pass@1."""
    scored = sorted((run for run in runs if run.pass1() is not None), key=lambda run: -(run.pass1() or 0.0))
    if len(scored) <= SEVERAL:
        return {run.row.run_id: "" for run in scored}
    middle = scored[len(scored) // 2]
    return {
        scored[0].row.run_id: "highest pass@1",
        middle.row.run_id: "median pass@1",
        scored[-1].row.run_id: "lowest pass@1",
    }


def _title(run: Run, role: str | None) -> str:
    found = pass_at(Point(series="", runs=(run,)), 1)
    said = f"pass@1 {plain(found)}" if found else str(run.row.status)
    return f"{run_name(run)}: {said}{f' ({role})' if role else ''}"


def _result(run: Run, cost: Money | None) -> Iterator[tuple[str, str]]:
    """Settings, counts and cost of a run; what was not measured is left out."""
    row, alone = run.row, Point(series="", runs=(run,))
    if row.failure:
        yield "Failed", f"{row.failure.phase}: {row.failure.reason}"
    before, after, change = pass_at(alone, 1, base=True), pass_at(alone, 1), gain(alone)
    if before is not None and after is not None:
        yield "pass@1", f"{plain(before)} before, {plain(after)} after"
    if change is not None:
        yield "Gain", signed(change)
    if (score := row.score()) is not None:
        yield "Samples drawn", _drawn(score)
    yield "Model", f"{row.model}, {short(row.n_params_non_embedding)} parameters without embedding"
    yield "Algorithm", ", ".join([row.algorithm, *(text for said in HYPERPARAMETERS.values() if (text := said(row)))])
    seen = "" if row.problems_seen is None else f", {count(row.problems_seen)} problems seen"
    yield "Data", f"{row.data_scale}, {row.domain_mix}{seen}"
    if row.steps is not None:
        yield "Steps", count(row.steps)
    yield "Seed", str(row.seed)
    spent = []
    if row.timing is not None and row.timing.total_s is not None:
        own = own_seconds(row)
        apart = "" if own is None else f" ({duration(own)} of its own; the rest made the base model and data, once)"
        spent.append(f"{duration(row.timing.total_s)}{apart}")
    if row.provenance is not None:
        spent.append(f"{row.provenance.n_devices} x {row.provenance.device_name}")
    if cost is not None:
        spent.append(str(cost))
    if row.flops is not None and row.flops.total:
        spent.append(f"{scientific(row.flops.total)} training FLOPs")
    if spent:
        yield "Cost", ", ".join(spent)


def _drawn(score: Score) -> str:
    outcomes = ", ".join(f"{count(n)} {name.replace('_', ' ')}" for name, n in score.outcomes.items() if n)
    return f"{count(score.n_samples)} on each of {count(score.n_problems)} problems: {outcomes}"


def _table(settings: dict[str, str]) -> Table:
    """Without files of its own: the table of runs holds the same."""
    frame = pd.DataFrame(list(settings.items()), columns=["what", "value"])
    return frame_table(frame, name="", caption="Settings, result and cost.", fold=99)


def _curve(run: Run) -> Figure | None:
    series = {
        "training reward": [(item.step, item.reward) for item in run.row.curve],
        "validation accuracy": [(item.step, item.val_pass1) for item in run.row.curve],
    }
    known = {label: [(step, value) for step, value in points if value is not None] for label, points in series.items()}
    traces = [
        Trace(
            label=label,
            group=label,
            mark=Mark.line,
            x=tuple(float(x) for x, _ in points),
            y=tuple(y for _, y in points),
        )
        for label, points in known.items()
        if points
    ]
    if not traces:
        return None
    x, y = Scale(label="training step"), Scale(label="mean over the batch or the problems")
    return draw(Chart(title="learning curve", x=x, y=y, traces=tuple(traces)), name=f"curve-{anchor(run)}")


def _log(results_dir: Path | None, run: Run) -> str:
    """Relative to the results folder; empty where there is none."""
    if run.row.failure:
        return run.row.failure.log
    if results_dir is None:
        return ""
    logs = sorted((results_dir / "runs" / run.row.run_id / "attempts").glob("*/log.txt"))
    return str(logs[-1].relative_to(results_dir)) if logs else ""


def _elsewhere(run: Run, told: dict[str, str]) -> str:
    why = "Not in this page" if any(told.values()) else "Not kept"
    return f"{why}: sweeper samples {run.row.run_id}"


def _samples(results_dir: Path | None, run: Run) -> tuple[tuple[Sample, ...], str]:
    """Up to three problems that are more often right and three that are less often, and a sentence about them."""
    if results_dir is None:
        return (), "Not read."
    try:
        found = compared(RunDir(results_dir=results_dir, run_id=RunId(run.row.run_id)))
    except SweeperError as error:
        return (), f"None can be shown: {error}"
    sides = {side: [item for item in found.problems if _direction(item) == side] for side in (1, -1)}
    shown = [(side, item) for side, items in sides.items() for item in items[:EACH]]
    samples = [made for side, item in shown if (made := _sample(side, item)) is not None]
    up, down = (len(items) for items in sides.values())
    return tuple(samples), (
        f"{_clearly(found)}. With changes that may be luck (solved for the first time, or no more) {up} are more often "
        f"right and {down} less often; below up to {EACH} of each, the largest changes first"
        + ("" if len(samples) == len(shown) else f" ({len(shown) - len(samples)} without a kept response)")
        + "".join(f"; {error}" for error in found.damaged)
    )


def _clearly(found: Comparison) -> str:
    """How many problems changed by more than luck."""
    up, down = found.kinds()["clearly_up"], found.kinds()["clearly_down"]
    if not up and not down:
        return f"No problem of {count(len(found.problems))} changed clearly"
    return (
        f"{count(up)} of {count(len(found.problems))} problems are clearly more often right, {count(down)} less often"
    )


def _direction(item: Changed) -> int:
    """1: more often right, -1: less often, clearly or by a problem solved for the first time or no more; 0: neither."""
    return item.clear or {"gained": 1, "lost": -1}.get(item.kind, 0)


def _sample(side: int, item: Changed) -> Sample | None:
    """The trained model's response on a problem."""
    found = item.samples[1]
    if found is None:
        return None
    moved = f"correct {count(item.before.c)} of {count(item.before.n)} times before, {count(item.after.c)} of "
    moved += f"{count(item.after.n)} after"
    what = f"{'More' if side > 0 else 'Less'} often right{', clearly' if item.clear else ', maybe by luck'}"
    return shown(found, f"{what}: {moved}. This response is")
