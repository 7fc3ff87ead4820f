"""The first page: what was found, what is best at which budget, and what to run next."""

import pandas as pd

from analysis.drawing.frame_table import frame_table
from analysis.drawing.page import DASH, Section, Table
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
    frame = pd.DataFrame(steps, columns=["what", "why"])
    tables.append(frame_table(frame, name="next", caption="What to run next, most telling first."))
    return Section(anchor="decisions", title=TITLE, tables=tuple(tables), missing=tuple(missing))


def _budget_table(best: list[Best]) -> Table:
    records = [
        {
            "budget_flops": item.budget,
            "best_group_id": item.point.row.group_id,
            "best": _name(item.point),
            "pass@1": item.score.value,
            "pass@1_low": item.score.low,
            "pass@1_high": item.score.high,
            "candidates": item.candidates,
            "next_best": _name(item.runner_up) if item.runner_up else None,
            "lead": item.lead.value if item.lead else None,
            "lead_low": item.lead.low if item.lead else None,
            "lead_high": item.lead.high if item.lead else None,
            "clear": item.clear,
            "verdict": _verdict(item),
        }
        for item in best
    ]
    titles = {"budget_flops": "FLOPs up to", "best": "best configuration", "pass@1": "pass@1, 95%"}
    titles |= {"candidates": "candidates", "next_best": "next best", "lead": "lead, 95%", "verdict": "verdict"}
    return frame_table(
        pd.DataFrame(records),
        name="best_within_budget",
        caption="Best configuration within a compute budget (model FLOPs of one run). The lead is paired over "
        "problems; the best of many is picked by luck in part, so a lead that is not clear is no decision.",
        titles=titles,
        forms={"budget_flops": ".1e", "pass@1": ".3f", "lead": "+.3f"},
    )


def _verdict(item: Best) -> str:
    if item.lead is None:
        return "only one candidate"
    return "clear" if item.clear else "not clear: the interval contains 0"


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
    if selection.record is not None and selection.record.grid is not None and points:
        command = " ".join((f"+grid={selection.record.grid}", *(selection.record.settings or ())))
        steps.append(
            (
                f"python -m sweeper suggest {command} --budget-gpu-hours N",
                "Ranks points of a grid by what they would tell about a prediction for their cost.",
            )
        )
    if reasons:
        steps.append(
            ("More model sizes, or more validations per run (eval.val_freq)", "; ".join(sorted(reasons)) + ".")
        )
    if open_ended:
        steps.append(("A larger and a smaller model, or longer runs", "; ".join(open_ended[:3]) + "."))
    return steps or [("Nothing is missing that this page could name", "Widen the grid, or check on other problems.")]


def _name(point: Point) -> str:
    return f"{point.row.model}, {point.series}"
