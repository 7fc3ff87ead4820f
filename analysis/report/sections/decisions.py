"""What is best at which budget, and what to run next."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from analysis.drawing.frame_table import frame_table
from analysis.drawing.page import Section, Table
from analysis.estimates.numerals import scientific
from analysis.estimates.points import pass_at, step_up
from analysis.laws.inference import Inference
from analysis.passk.estimate import NONE, Estimate
from analysis.report.evidence import Evidence
from analysis.report.headline import extremes, name
from analysis.report.next_run import next_steps
from analysis.runs.selection import Point
from analysis.runs.spent import mean_flops

TITLE = "What to decide"
MOST_BUDGETS = 5
NEXT = {"what": "What", "why": "Why", "price": "Price", "command": "Command"}


@dataclass(frozen=True, kw_only=True)
class Best:
    """The highest pass@1 among configurations that cost no more than a budget.

    Attributes:
        budget: Model FLOPs of training, of one run.
        point: The best configuration.
        score: Its pass@1.
        candidates: Configurations within the budget.
        runner_up: The next best, None where there is one candidate.
        lead: Best minus runner-up, paired over problems.
    """

    budget: float
    point: Point
    score: Estimate
    candidates: int
    runner_up: Point | None
    lead: Estimate | None

    @property
    def clear(self) -> bool:
        """Whether the interval of the lead excludes 0."""
        return self.lead is not None and self.lead.sign > 0


def section(evidence: Evidence) -> Section:
    """Budgets and next steps."""
    tables = []
    missing = []
    best = best_within_budgets(evidence.points)
    if best:
        tables.append(_budget_table(best))
    else:
        missing.append("No configuration has both a pass@1 and a ledger of FLOPs, so no budget can be compared.")
    steps = list(_next(evidence, best))
    frame = pd.DataFrame(steps, columns=["what", "why", "price", "command"])
    if steps:
        tables.append(frame_table(frame, name="next", caption="What to run next, most telling first.", titles=NEXT))
    said = extremes(evidence.points)
    return Section(
        anchor="decisions", title=TITLE, lead=(said,) if said else (), tables=tuple(tables), missing=tuple(missing)
    )


def best_within_budgets(points: Sequence[Point]) -> list[Best]:
    """A few budgets, each the cost of a configuration, from where there is a choice to the dearest."""
    priced = [
        (cost, point, score)
        for point in points
        if (cost := mean_flops(run.row for run in point.runs)) and (score := pass_at(point, 1))
    ]
    priced.sort(key=lambda item: item[0])
    found = []
    for budget in _budgets([cost for cost, _, _ in priced]):
        within = [(point, score) for cost, point, score in priced if cost <= budget]
        (point, score), *others = sorted(within, key=lambda item: -item[1].value)
        runner_up = others[0][0] if others else None
        lead = step_up(runner_up, point) if runner_up else None
        found.append(
            Best(budget=budget, point=point, score=score, candidates=len(within), runner_up=runner_up, lead=lead)
        )
    return found


def _budgets(costs: Sequence[float]) -> list[float]:
    """Costs at which configurations of about equal price are all within."""
    steps = [costs[i] for i in range(len(costs)) if i + 1 == len(costs) or costs[i + 1] > 1.5 * costs[i]]
    if len(steps) <= MOST_BUDGETS:
        return steps
    return [steps[round(i * (len(steps) - 1) / (MOST_BUDGETS - 1))] for i in range(MOST_BUDGETS)]


def _budget_table(best: list[Best]) -> Table:
    records = [
        {
            "budget_flops": item.budget,
            "best_group_id": item.point.row.group_id,
            "best": name(item.point),
            **item.score.columns("pass@1", "pass@1_"),
            "candidates": item.candidates,
            "next_best": name(item.runner_up) if item.runner_up else None,
            **(item.lead or NONE).columns("lead", "lead_"),
            "clear": item.clear,
            "verdict": _verdict(item),
        }
        for item in best
    ]
    titles = {"budget_flops": "FLOPs up to", "best": "Best configuration", "pass@1": "pass@1, 95%"}
    titles |= {"candidates": "Candidates", "next_best": "Next best", "lead": "Lead, 95%", "verdict": "Verdict"}
    return frame_table(
        pd.DataFrame(records),
        name="best_within_budget",
        caption="Best configuration within a compute budget (model FLOPs of one run). The lead is paired over "
        "problems; the best of many is picked by luck in part, so a lead whose interval holds 0 is no decision.",
        titles=titles,
        forms={"budget_flops": scientific},
    )


def _verdict(item: Best) -> str:
    if item.lead is None:
        return "only one candidate"
    return "the interval lies above 0" if item.clear else "not decided: the interval contains 0"


def _next(evidence: Evidence, best: list[Best]) -> Iterator[tuple[str, str, str | None, str | None]]:
    """Steps that follow from what is missing, failed or undecided."""
    for step in next_steps(evidence):
        yield step.what, step.why, step.price or None, step.command or None
    unclear = [(item, item.runner_up) for item in best if item.runner_up is not None and not item.clear]
    for item, other in unclear[-1:]:
        yield (
            f"{name(item.point)} and {name(other)} again, with further seeds or more problems "
            "(eval.problems_per_domain)",
            f"Their order at {scientific(item.budget)} FLOPs is not decided.",
            None,
            None,
        )
    reasons = {law.joint for law in evidence.curve_laws if isinstance(law.joint, str)}
    if reasons:
        yield (
            "More model sizes, or more validations per run (eval.val_freq)",
            f"{'; '.join(sorted(reasons))}.",
            None,
            None,
        )
    open_ended = [
        f"{item.name} is {item.status} ({law.series}, {law.axis.name}: {item.reason})"
        for law in evidence.curve_laws
        if isinstance(law.joint, Inference)
        for item in law.joint.estimates
        if item.value is None
    ]
    if open_ended:
        yield "A larger and a smaller model, or longer runs", f"{'; '.join(open_ended[:3])}.", None, None
