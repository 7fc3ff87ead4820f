"""The first page: what was found, what is best at which budget, and what to run next."""

import pandas as pd

from analysis.drawing.page import DASH, Line, Section, Table, columns
from analysis.estimates.numerals import plain, signed
from analysis.laws.inference import Inference
from analysis.report.budget import Best, best_within_budgets
from analysis.report.evidence import Evidence
from analysis.runs.selection import Point

TITLE = "What to decide"


def section(evidence: Evidence) -> Section:
    """Budgets and next steps; the verdicts stand above it."""
    tables = []
    missing = []
    best = best_within_budgets(evidence.points)
    if best:
        tables.append(_budget_table(best))
    else:
        missing.append("No configuration has both a pass@1 and a ledger of FLOPs, so no budget can be compared.")
    steps = _next(evidence, best)
    tables.append(
        Table(
            name="next",
            caption="What to run next, most telling first.",
            columns=columns("what", "why", wide=("what", "why")),
            lines=tuple(Line(cells=step) for step in steps),
            data=pd.DataFrame(steps, columns=["what", "why"]),
        )
    )
    return Section(anchor="decisions", title=TITLE, tables=tuple(tables), missing=tuple(missing))


def _budget_table(best: list[Best]) -> Table:
    lines, records = [], []
    for item in best:
        lead = "only one candidate" if item.lead is None else signed(item.lead)
        verdict = DASH if item.lead is None else "clear" if item.clear else "not clear: the interval contains 0"
        runner_up = _name(item.runner_up) if item.runner_up else DASH
        cells = (
            f"{item.budget:.1e}",
            _name(item.point),
            plain(item.score),
            str(item.candidates),
            runner_up,
            lead,
            verdict,
        )
        lines.append(Line(cells=cells))
        records.append(
            {
                "budget_flops": item.budget,
                "best_group_id": item.point.row.group_id,
                "best": _name(item.point),
                "pass@1": item.score.value,
                "pass@1_low": item.score.low,
                "pass@1_high": item.score.high,
                "candidates": item.candidates,
                "next_best": runner_up,
                "lead": item.lead.value if item.lead else None,
                "lead_low": item.lead.low if item.lead else None,
                "lead_high": item.lead.high if item.lead else None,
                "clear": item.clear,
            }
        )
    return Table(
        name="best_within_budget",
        caption="Best configuration within a compute budget (model FLOPs of one run). The lead is paired over "
        "problems; the best of many is picked by luck in part, so a lead that is not clear is no decision.",
        columns=columns(
            "FLOPs up to",
            "best configuration",
            "pass@1, 95%",
            "candidates",
            "next best",
            "lead, 95%",
            "verdict",
            numbers=("FLOPs up to", "candidates"),
        ),
        lines=tuple(lines),
        data=pd.DataFrame(records),
    )


def _next(evidence: Evidence, best: list[Best]) -> list[tuple[str, str]]:
    """Steps that follow from what is missing, failed or undecided."""
    selection, points = evidence.selection, evidence.points
    steps = []
    if selection.missing or selection.failed:
        steps.append(
            (
                f"Repeat the sweep's command: {len(selection.missing)} missing and {len(selection.failed)} failed runs",
                "Finished runs are kept, failed ones start again from their last checkpoint.",
            )
        )
    alone = [point for point in points if len(point.runs) == 1]
    if alone:
        steps.append(
            (
                f"More seeds: {len(alone)} of {len(points)} configurations have one (seed=0,1,2)",
                "With one seed the spread between training runs is unknown; every interval here leaves it out.",
            )
        )
    unclear = [item for item in best if item.lead is not None and not item.clear]
    if unclear:
        item = unclear[-1]
        steps.append(
            (
                f"{_name(item.point)} and {_name(item.runner_up) if item.runner_up else DASH} again, with further "
                "seeds or "
                "more problems (eval.problems_per_domain)",
                f"Their order at {item.budget:.1e} FLOPs is not decided.",
            )
        )
    reasons = {law.joint for law in evidence.curve_laws if isinstance(law.joint, str)}
    open_ended = [
        f"{item.name} is {item.status} ({law.series}, {law.axis.name}: {item.reason})"
        for law in evidence.curve_laws
        if isinstance(law.joint, Inference)
        for item in law.joint.estimates
        if item.value is None
    ]
    if selection.grid is not None and points:
        steps.append(
            (
                f"python -m sweeper suggest +grid={selection.grid} --budget-gpu-hours N",
                "Ranks points of a grid by what they would tell about a prediction for their cost.",
            )
        )
    if reasons:
        steps.append(("More model sizes, or more validations a run (eval.val_freq)", "; ".join(sorted(reasons)) + "."))
    if open_ended:
        steps.append(("A larger and a smaller model, or longer runs", "; ".join(open_ended[:3]) + "."))
    return steps or [("Nothing is missing that this page could name", "Widen the grid, or check on other problems.")]


def _name(point: Point) -> str:
    return f"{point.row.model}, {point.series}"
