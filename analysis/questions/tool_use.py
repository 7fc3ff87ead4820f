"""Whether a model uses its tools, and where that goes wrong: before and after RL, along training, and against need.

Changes are trained minus base model, paired over problems (and seeds). Need is the number of calls that a problem of
the synthetic tasks of agents takes, its level; of other data it is not known. What happened along training is of the
rollouts of each step, on training problems: it is described, without an interval.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.drawing.answer import Answer, Figure
from analysis.estimates.numerals import number, plain, signed
from analysis.estimates.panel import LOWER_BOUND
from analysis.passk.crossed import crossed_mean
from analysis.passk.estimate import NONE, Estimate
from analysis.passk.interval import over_problems
from analysis.questions import Question, Settings
from analysis.questions.levels import joined
from analysis.questions.reply import ALPHA, left_out, missing, reply
from analysis.questions.strata import configurations
from analysis.questions.tool_measures import (
    ENDED,
    USED,
    WINDOW,
    Level,
    Measure,
    along_figure,
    along_rows,
    clear,
    ended_figure,
    levels_of_need,
    measures,
    need_figure,
)
from analysis.runs.acting import NO_AGENT, acts
from analysis.runs.selection import Selection
from sweeper.rows.clear_change import holm
from sweeper.rows.trajectories import LIMITS

FEW, MANY, OPEN = "too few calls", "more calls than needed", "not clear"
SEVERAL = "fewer calls, each of several steps"  # or, of a tool of the user's own, perhaps
CHANGED = {1: "rises", -1: "falls", 0: OPEN}


def answer(question: Question, selection: Selection, _: Settings) -> Answer:
    """See the module."""
    notes = left_out(selection)
    acting = [run for run in selection.completed if acts(run.row)]
    if not acting:
        return missing(question, NO_AGENT, notes)
    arms = [arm for arm in configurations(acting) if measures(arm)]
    left = len(configurations(acting)) - len(arms)
    if left:
        notes.append(f"{left} configurations have no counts of trajectories, or seeds with different problems")
    if not arms:
        return missing(question, "no run has per-problem counts of its trajectories", notes)
    every = [item for arm in arms for item in measures(arm)]
    found = [item for item in every if _happened(item.name, every)]
    never = dict.fromkeys(item.name for item in every if not _happened(item.name, every))
    notes += [f"Left out, being 0 everywhere: {', '.join(never)}"] if never else []
    levels = [level for arm in arms for level in levels_of_need(arm)]
    use, need = _use_rows(found), _need_rows(levels)
    tables = {
        "tool_use": pd.DataFrame(use),
        "need": pd.DataFrame(need),
        "along_training": pd.DataFrame([row for arm in arms for row in along_rows(arm)]),
    }
    curves = along_figure(arms)
    figures: dict[str, Figure] = {"ended": ended_figure(arms)}
    figures |= {"need": need_figure(levels)} if levels else {}
    figures |= {"along": curves} if curves else {}
    if not levels:
        notes.append("How many calls a problem needs is known of the synthetic tasks of tools alone (data.tasks=agent)")
    if not all(level.is_bound for level in levels):
        notes.append(
            "Calls needed are steps of a problem: a call of the calculator or of search is one step, one of Python may "
            "be several, and of your own tools it is not known"
        )
    notes.append(
        f"Clear: Holm-corrected p below {ALPHA:g}, over the changes of a table; intervals are 95% each. Along "
        f"training: means of the first and last {WINDOW} steps, of rollouts on training problems"
    )
    if all(len(arm.runs) == 1 for arm in arms):
        notes.append(LOWER_BOUND)
    texts = [*_need_texts(levels, need), _wrong(found, levels), *_use_texts(found)]
    open_one = None if any(item.base is not None for item in found) else "no base model was measured with the agent"
    said = f"{_verdict(found, use)}{_need_verdict(need)}."
    kept = {name: table for name, table in tables.items() if len(table)}
    return reply(question, acting, said, joined(texts), open_one, tables=kept, figures=figures, notes=notes)


def _happened(name: str, every: Sequence[Measure]) -> bool:
    sides = (side for item in every if item.name == name for side in (item.base, item.trained))
    return name == USED or any(side is not None and bool(side.any()) for side in sides)


def _use_rows(found: Sequence[Measure]) -> list[dict[str, object]]:
    changes = [item.change for item in found]
    adjusted = holm([None if change is None else change.p_value() for change in changes])
    return [
        {
            "arm": item.arm.label,
            "rate": item.name,
            "seeds": len(item.arm.runs),
            **item.value(base=True).columns("base", "base_"),
            **item.value().columns("trained", "trained_"),
            **(NONE if change is None else change.interval()).columns("difference", "difference_"),
            "verdict": None if change is None else CHANGED[clear(change, p)],
            "p_holm": p,
        }
        for item, change, p in zip(found, changes, adjusted, strict=True)
    ]


def _need_rows(levels: Sequence[Level]) -> list[dict[str, object]]:
    adjusted = holm([level.lack.p_value() for level in levels])
    return [
        {
            "arm": level.arm.label,
            "calls_needed": level.need,
            "problems": level.calls.shape[1],
            **crossed_mean(level.calls).interval().columns("calls", "calls_"),
            **level.lack.interval().columns("difference_to_need", "difference_to_need_"),
            "p_holm": p,
            "verdict": {-1: FEW if level.is_bound else SEVERAL, 0: OPEN, 1: MANY}[clear(level.lack, p)],
            "base_calls": None if level.base_calls is None else float(level.base_calls.mean()),
            "errors": float(level.errors.mean()),
            "unfinished": float(level.unfinished.mean()),
            **_share(level.right).columns("pass1", "pass1_"),
        }
        for level, p in zip(levels, adjusted, strict=True)
    ]


def _share(values: np.ndarray) -> Estimate:
    ends = over_problems(values)
    return Estimate(float(values.mean()), ends.low, ends.high)


def _use_texts(found: Sequence[Measure]) -> list[str]:
    texts = []
    for item in found:
        if item.name == USED:
            change = item.change
            said = f"{item.arm.label}: a tool is used in {plain(item.value())} of trajectories"
            if change is not None:
                said += f", before RL in {plain(item.value(base=True))} (change {signed(change.interval())})"
            texts.append(said)
    return texts


def _need_texts(levels: Sequence[Level], rows: Sequence[dict[str, object]]) -> list[str]:
    few = [level for level, row in zip(levels, rows, strict=True) if row["verdict"] == FEW]
    if not levels:
        return []
    asked = sum(row["verdict"] != SEVERAL for row in rows)
    if not few:
        return ["On no level are clearly fewer calls made than it needs"] if asked else []
    worst = min(few, key=lambda level: level.lack.value)
    return [
        f"Clearly fewer calls than needed are made on {len(few)} of {asked} levels; most on problems of "
        f"{worst.need}, by {worst.arm.label}: {plain(crossed_mean(worst.calls).interval())}"
    ]


def _wrong(found: Sequence[Measure], levels: Sequence[Level]) -> str:
    """Where calls go wrong: how most unfinished trajectories end, and on which level most calls fail."""
    names = [f"ended: {ENDED[how]}" for how in LIMITS]
    by = {
        name: float(np.mean(known))
        for name in names
        if (known := [item.trained.mean() for item in found if item.name == name])
    }
    worst = max(by, key=lambda name: by[name], default="")
    if not by.get(worst):
        said = "Every trajectory ends with an answer"
    else:
        where = worst.removeprefix("ended: ")
        said = f"A share of {number(sum(by.values()))} ends without an answer, most by {where} ({number(by[worst])})"
    failing = [level for level in levels if level.errors.mean() > 0]
    if failing:
        level = max(failing, key=lambda level: float(level.errors.mean() / max(level.calls.mean(), 1e-9)))
        said += (
            f"; calls fail most, for their number, on problems of {level.need} ({number(float(level.errors.mean()))} "
            f"failed to {number(float(level.calls.mean()))} made, {level.arm.label})"
        )
    return said


def _verdict(found: Sequence[Measure], rows: Sequence[dict[str, object]]) -> str:
    used = [(item, row["verdict"]) for item, row in zip(found, rows, strict=True) if item.name == USED]
    signs = [sign for item, sign in used if item.base is not None]
    if not signs:
        shares = [float(item.trained.mean()) for item, _ in used]
        ends = number(shares[0]) if len(used) == 1 else f"{number(min(shares))} to {number(max(shares))}"
        return f"A tool is used in {ends} of trajectories; before RL it was not measured"
    if len(used) == 1:
        item, sign = used[0]
        does = {CHANGED[1]: "raises", CHANGED[-1]: "lowers"}.get(str(sign), "does not clearly change")
        before, after = item.value(base=True), item.value()
        return f"Training {does} the share of trajectories with a tool: {plain(before)} before, {plain(after)} after"
    return (
        f"Training clearly raises the use of tools in {signs.count(CHANGED[1])} and lowers it in "
        f"{signs.count(CHANGED[-1])} of {len(signs)} configurations"
    )


def _need_verdict(rows: Sequence[dict[str, object]]) -> str:
    few = sum(row["verdict"] == FEW for row in rows)
    asked = sum(row["verdict"] != SEVERAL for row in rows)
    return f"; calls are clearly too few on {few} of {asked} levels" if asked else ""
