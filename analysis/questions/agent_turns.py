"""Accuracy against the turns that an agent is allowed, and model size.

acc@t is the share of trajectories with a right answer within t turns, counted on the trajectories of one evaluation at
the most turns. Where the prompt tells the budget a model would act otherwise with fewer, and it is not measured. Runs
that were trained with different turns are another comparison, with a table of its own.
"""

from collections.abc import Sequence

import pandas as pd

from analysis.drawing.answer import Answer, Figure
from analysis.estimates.numerals import change, count, number, plain, signed
from analysis.estimates.panel import LOWER_BOUND
from analysis.passk.estimate import NONE
from analysis.questions import Question, Settings
from analysis.questions.levels import Levels, joined, level_rows, levels, within
from analysis.questions.reply import left_out, missing, reply
from analysis.questions.strata import arms, strata
from analysis.questions.turns_allowed import (
    Allowed,
    Together,
    allowed,
    law_points,
    need_rows,
    rise_rows,
    surface_map,
    surface_rows,
    together,
    turns_chart,
)
from analysis.row_laws.turns_law import TurnsLaw, turns_law
from analysis.runs.acting import NO_AGENT, acts, agent_settings, most_turns, tells_budget, turns_measured
from analysis.runs.selection import Run, Selection


def answer(question: Question, selection: Selection, _: Settings) -> Answer:
    """See the module."""
    notes = left_out(selection)
    acting = [run for run in selection.completed if acts(run.row)]
    if not acting:
        return missing(question, NO_AGENT, notes)
    measured, why_not = _measured(acting)
    notes += [f"Not measured within fewer turns: {text}" for text in why_not]
    several = [found for stratum in strata(measured, free=["model"]) for found in allowed(stratum, notes)]
    trained = _trained(acting, notes)
    if not several and not trained:
        return missing(question, "; ".join(why_not) or "every trajectory had one turn", notes)
    found, law = together(several), turns_law(law_points(several))
    tables = {
        "overall": pd.DataFrame(_overall_rows(found)),
        "surface": pd.DataFrame([row for item in several for row in surface_rows(item)]),
        "turns_by_need": pd.DataFrame([row for item in several for row in need_rows(item)]),
        "rises": pd.DataFrame(rise_rows(several)),
        "turns_law": pd.DataFrame(_law_rows(law)),
        "trained_turns": pd.DataFrame([row for item in trained for row in level_rows(item, "max_turns")]),
        "trained_turns_slopes": pd.DataFrame(
            [{"runs": item.label, **item.trend.slope.columns("per_doubling")} for item in trained]
        ),
    }
    figures: dict[str, Figure] = {}
    for label in dict.fromkeys(item.label for item in several):
        members = [item for item in several if item.label == label]
        figures[f"turns {label}"] = turns_chart(label, members)
        if len(members) > 1:
            figures[f"surface {label}"] = surface_map(label, members)
    texts = [*_texts(several, found), *([_law_text(law)] if several else []), *map(_trained_text, trained)]
    notes += _seeds(several)
    if several:
        notes.append(
            "acc@t of all t is counted on the same trajectories, at the most turns: the prompt does not tell how many "
            "there are. Intervals are 95%, over problems and, with several seeds, over seeds"
        )
    decided = bool(found and found.rise.sign) or any(item.decided for item in trained)
    reason = None if decided else "every slope over turns has an interval that holds 0"
    said = _verdict(found, law) if found else _trained_verdict(trained)
    kept = {name: table for name, table in tables.items() if len(table)}
    return reply(question, acting, said, joined(texts), reason, tables=kept, figures=figures, notes=notes)


def _measured(acting: Sequence[Run]) -> tuple[list[Run], list[str]]:
    """(runs with acc@t, why others have none)."""
    found, told, unknown = [], [], []
    for run in acting:
        if tells_budget(run.row):
            told.append(run.row.run_id)
        elif not turns_measured(run.trained):
            unknown.append(run.row.run_id)
        else:
            found.append(run)
    why = []
    if told:
        why.append(f"the prompt of {_named(told)} tells the budget (agent.tell_budget), so acc@t is not what it says")
    if unknown:
        why.append(f"{_named(unknown)} has no counts of right answers by turns")
    return found, why


def _named(run_ids: list[str]) -> str:
    return run_ids[0] if len(run_ids) == 1 else f"each of {len(run_ids)} runs ({run_ids[0]}, ...)"


def _trained(acting: Sequence[Run], notes: list[str]) -> list[Levels]:
    """Runs that were trained with different most turns, each measured with its own; adds to the notes."""
    free = agent_settings([run.row for run in acting], "agent.max_turns")
    several: list[Levels] = []
    for stratum in strata(acting, free=free) if free else ():
        members = arms(stratum, label=lambda row: f"{most_turns(row)} turns", x=lambda row: most_turns(row))
        several += levels(stratum.label, members, notes)
    return several


def _overall_rows(found: Together | None) -> list[dict[str, object]]:
    if found is None:
        return []
    by_size = (found.by_size or NONE).columns("per_doubling_of_size", "per_doubling_of_size_")
    return [{"configurations": found.n, **found.rise.columns("per_doubling"), **by_size}]


def _law_rows(law: TurnsLaw | str) -> list[dict[str, object]]:
    if isinstance(law, str):
        return []
    shown = law.exponents if law.predicts else {}
    return [
        {
            "held_out": item.what,
            "at": item.at,
            "points_fitted": item.n_fitted,
            "law_off": item.law_mae,
            "last_value_off": item.last_value_mae,
        }
        for item in law.held_out
    ] + [{"exponent_of": name, **found.columns("alpha", "alpha_")} for name, found in shown.items()]


def _texts(several: Sequence[Allowed], found: Together | None) -> list[str]:
    if found is None:
        return []
    most = max(len(item.within) for item in several)
    said = f"From 1 to {most} turns allowed pass@1 changes by {signed(found.rise)} per doubling of turns"
    if found.n > 1:
        said += f", averaged over {found.n} configurations"
    texts = [said]
    if found.by_size is not None:
        texts.append(f"That rise changes by {signed(found.by_size)} per doubling of parameters")
    best = max(several, key=lambda item: item.size)
    last = len(best.within)
    first, end = (best.at(t) or NONE for t in (1, last))
    texts.append(f"{best.name}: {plain(first)} within 1 turn, {plain(end)} within {last}")
    return texts


def _law_text(law: TurnsLaw | str) -> str:
    """What a law of size, turns and compute is worth; a number of it only where it predicts."""
    if isinstance(law, str):
        return f"No law of size and turns: {law}"
    of = "size, turns and compute" if law.with_compute else "size and turns"
    checks = " and ".join(
        f"without {item.what} it misses it by {number(item.law_mae)}, the last value by {number(item.last_value_mae)}"
        for item in law.held_out
    )
    apart = "" if law.with_compute else "; compute moves with size or was not counted, and is no factor of its own"
    if not law.predicts:
        return f"No law of {of}: {checks}, so it predicts no better than the last value{apart}"
    exponents = ", ".join(f"{plain(found)} of {name}" for name, found in law.exponents.items())
    said = f"A product of powers of {of} predicts the error better than the last value: {checks}"
    return f"{said}; exponents {exponents}{apart}"


def _trained_text(found: Levels) -> str:
    x = found.panel.x
    return (
        f"{within(found.label)}, trained with {count(x.min())} to {count(x.max())} turns and measured with as many: "
        f"{signed(found.trend.slope)} pass@1 per doubling of turns"
    )


def _verdict(found: Together, law: TurnsLaw | str) -> str:
    where = f", averaged over {found.n} configurations" if found.n > 1 else ""
    worth = "" if isinstance(law, str) or law.predicts else "; no law of it beats the last value"
    if not found.rise.sign:
        return f"Not decided: pass@1 changes by {signed(found.rise)} per doubling of the turns allowed{where}{worth}."
    better, moves = ("better", "rises") if found.rise.sign > 0 else ("worse", "falls")
    said = f"More turns are {better}: pass@1 {moves} by {change(found.rise)} per doubling of the turns allowed"
    return f"{said}{where}{worth}."


def _trained_verdict(trained: Sequence[Levels]) -> str:
    up, down = (sum(item.trend.slope.sign == side for item in trained) for side in (1, -1))
    return (
        f"Training with more turns gives more in {up} of {len(trained)} settings and less in {down} (95% each); "
        "acc@t was not measured."
    )


def _seeds(several: Sequence[Allowed]) -> list[str]:
    return [LOWER_BOUND] if several and all(len(item.arm.runs) == 1 for item in several) else []
