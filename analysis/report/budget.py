"""The best configuration within each compute budget, with its lead over the next one."""

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.estimates.points import pass_at, step_up
from analysis.passk.estimate import Estimate
from analysis.runs.selection import Point
from analysis.runs.spent import mean_flops

MOST_BUDGETS = 5


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
        return self.lead is not None and self.lead.low is not None and self.lead.low > 0


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
