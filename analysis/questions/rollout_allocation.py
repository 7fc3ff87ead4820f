"""Responses per prompt n at a fixed number of samples: the best n at each budget, and how it moves with compute.

At each budget R = a + b z + c z^2 with z = log2 n (`analysis.estimates.optimum`); the best n and its growth, the slope
of log2 n in log2 of the samples, come from joint draws of the arms of all budgets. A curve that is flat or highest at
an edge has no best n. The tilt needs none: how much more a doubling of n adds to pass@1 per doubling of samples, linear
in the arms, with a closed interval. IsoCompute (arXiv:2603.12151) finds that the best n grows with compute and
saturates.
"""

from collections.abc import Iterator, Sequence

import pandas as pd

from analysis.drawing.answer import Answer, Figure
from analysis.estimates.numerals import change, count, number, plain, signed
from analysis.passk.estimate import NONE, Estimate
from analysis.questions import Question, Settings
from analysis.questions.allocations import Allocation, Budget, allocation_chart, allocations, samples_of
from analysis.questions.levels import joined, within
from analysis.questions.reply import left_out, missing, reply
from analysis.runs.selection import ALL_RUNS, Run, Selection
from analysis.runs.spent import mean_flops

_BEST = "best number of responses per prompt"


def answer(question: Question, selection: Selection, _: Settings) -> Answer:
    """See the module."""
    notes = left_out(selection)
    known = [run for run in selection.completed if _is_known(run)]
    if len(known) < len(selection.completed):
        unknown = len(selection.completed) - len(known)
        notes.append(f"{unknown} of {len(selection.completed)} runs do not say how many responses or samples they had")
    several = allocations(known, notes)
    if not several:
        return missing(question, "no two numbers of responses per prompt were run with the same samples", notes)
    for found in several:
        notes += _notes(found)
    tables = {
        "responses": pd.DataFrame([row for found in several for row in _response_rows(found)]),
        "best": pd.DataFrame([row for found in several for row in _best_rows(found)]),
        "growth": pd.DataFrame([_growth_row(found) for found in several]),
    }
    figures: dict[str, Figure] = {found.label: allocation_chart(found) for found in several}
    given = [budget for found in several for budget in found.budgets if isinstance(budget.at, Estimate)]
    reasons = [f"{_where(found, budget)}, {why}" for found in several for budget, why in _refused(found)]
    return reply(
        question,
        [run for found in several for arm in found.panel.arms for run in arm.runs],
        _verdict(several),
        joined([text for found in several for text in _texts(found)]),
        None if given else "; ".join(reasons),
        tables=tables,
        figures=figures,
        notes=notes,
    )


def _is_known(run: Run) -> bool:
    return run.row.rollout_n is not None and run.row.steps is not None and samples_of(run.row) is not None


def _refused(found: Allocation) -> Iterator[tuple[Budget, str]]:
    for budget in found.budgets:
        if isinstance(budget.at, str):
            yield budget, budget.at


def _where(found: Allocation, budget: Budget) -> str:
    return f"at {budget.name}" + ("" if found.label == ALL_RUNS else f" with {found.label}")


def _flops(found: Allocation, budget: Budget) -> list[float | None]:
    """Of training, one an arm."""
    return [mean_flops(run.row for run in found.panel.arms[i].runs) for i in budget.places]


def _response_rows(found: Allocation) -> Iterator[dict[str, object]]:
    """One table row a budget and n."""
    for budget in found.budgets:
        top = max(budget.places, key=lambda i: float(found.panel.values[i]))
        for i, flops in zip(budget.places, _flops(found, budget), strict=True):
            arm = found.panel.arms[i]
            yield {
                "runs": found.label,
                "samples": budget.samples,
                "steps": budget.steps,
                "rollout_n": int(arm.x),
                "seeds": len(arm.runs),
                "flops": flops,
                **found.panel.value(i).columns("pass1"),
                **found.panel.difference(i, top).columns("difference_to_best", "difference_to_best_"),
            }


def _best_rows(found: Allocation) -> Iterator[dict[str, object]]:
    """One table row a budget."""
    for budget in found.budgets:
        at = budget.at
        flat = (None, None) if isinstance(budget.best, str) or isinstance(at, str) else budget.best.flat
        yield {
            "runs": found.label,
            "samples": budget.samples,
            "steps": budget.steps,
            "arms": len(budget.places),
            **(NONE if isinstance(at, str) else at).columns("best_n"),
            "flat_first": flat[0],
            "flat_last": flat[1],
            "reason": at if isinstance(at, str) else None,
        }


def _growth_row(found: Allocation) -> dict[str, object]:
    growth = found.growth
    return {
        "runs": found.label,
        "budgets": len(found.budgets),
        **(NONE if isinstance(growth, str) else growth).columns("doublings_per_doubling"),
        "reason": growth if isinstance(growth, str) else None,
        **(found.tilt or NONE).columns("tilt", "tilt_"),
    }


def _notes(found: Allocation) -> Iterator[str]:
    """What the comparison of a setting rests on."""
    where = within(found.label)
    if found.misfit:
        yield (
            f"{where}: the numbers of responses lie further off a quadratic than seeds and problems explain, so the "
            "intervals are widened"
        )
    flops = [_flops(found, budget) for budget in found.budgets]
    ratios = [max(own) / min(own) for budget in flops if len(own := [item for item in budget if item]) == len(budget)]
    if len(ratios) < len(flops):
        yield f"{where}: FLOPs were not counted in every run; budgets are equal in samples"
    elif max(ratios) > 1:
        yield (
            f"{where}: budgets are equal in samples, not in FLOPs: the dearest number of responses took up to "
            f"{number(max(ratios))} times the FLOPs of the cheapest"
        )
    reuse = [run.row.reuse for arm in found.panel.arms for run in arm.runs if run.row.reuse is not None]
    if reuse and max(reuse) > min(reuse):
        yield (
            f"{where}: problems were seen {min(reuse):.3g} to {max(reuse):.3g} times, so that the number of responses "
            "cannot be told from reuse"
        )


def _texts(found: Allocation) -> Iterator[str]:
    """Sentences of one setting."""
    where = within(found.label)
    given = [
        f"{plain(budget.at)} at {budget.name}, {number(best.flat[0])} to {number(best.flat[1])} within one standard "
        "error of it"
        for budget in found.budgets
        if not isinstance(best := budget.best, str) and isinstance(budget.at, Estimate)
    ]
    if given:
        yield f"{where}: the {_BEST} is {'; '.join(given)}"
    refused = [f"at {budget.name}, {why}" for budget, why in _refused(found)]
    if refused:
        yield f"{where}: no {_BEST} is given {'; '.join(refused)}"
    if isinstance(found.growth, Estimate):
        yield f"The best number changes by {signed(found.growth)} doublings per doubling of samples"
    elif len(found.budgets) > 1:
        yield f"How it moves with compute is not identified: {found.growth}"
    if found.tilt is not None:
        yield f"What a doubling of responses adds to pass@1 changes by {signed(found.tilt)} per doubling of samples"


def _verdict(several: Sequence[Allocation]) -> str:
    budgets = [budget for found in several for budget in found.budgets]
    given = [(budget, at) for budget in budgets if isinstance(at := budget.at, Estimate)]
    if not given:
        return f"Not decided: no {_BEST} can be given at any of {len(budgets)} budgets."
    growths = [found.growth for found in several if isinstance(found.growth, Estimate)]
    if len(several) > 1:
        up, down = (sum(growth.sign == side for growth in growths) for side in (1, -1))
        return (
            f"A {_BEST} can be given at {len(given)} of {len(budgets)} budgets; over {len(several)} settings it grows "
            f"with compute in {up} and falls in {down} (95% each)."
        )
    last, at = given[-1]
    best = f"The {_BEST} is {plain(at)} at {count(last.samples)} samples"
    if not growths:
        return f"{best}, and can be given at {len(given)} of {len(budgets)} budgets."
    (growth,) = growths
    if not growth.sign:
        return f"{best}; whether it moves with compute is not decided."
    moves = "grows" if growth.sign > 0 else "falls"
    return f"{best}: it {moves} with compute, by {change(growth)} doublings per doubling of samples."
