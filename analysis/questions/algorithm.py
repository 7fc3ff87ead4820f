"""Algorithms at the same compute: paired over problems, moved along each arm's own curve to a common C*.

Runs of the same number of steps cost different FLOPs. C* is the least final compute of a stratum's arms. The measured
pass@1 of an arm is moved from its own C to C* by the power law of its validation error, error* = error (C / C*)^alpha,
with the uncertainty of alpha drawn along; the arm that defines C* is not moved. Where a curve carries no law there is
no comparison at matched compute, and the one at the end of training is given instead and said to be that.
"""

from itertools import combinations
from typing import NamedTuple

import pandas as pd

from analysis.drawing.answer import Answer, Bar, Forest
from analysis.estimates.numerals import change, scientific, signed
from analysis.estimates.panel import panel
from analysis.passk.estimate import NONE, Estimate
from analysis.questions import Question, Settings
from analysis.questions.equal_compute import at_equal_compute
from analysis.questions.levels import joined, within
from analysis.questions.reply import ALPHA, left_out, missing, reply
from analysis.questions.strata import Stratum, arms, strata
from analysis.runs.selection import Selection
from sweeper.rows.clear_change import holm


class _Contrast(NamedTuple):
    stratum: str
    one: str
    other: str
    at_end: Estimate
    matched: Estimate | None
    compute: float | None
    p: float | None
    reason: str | None


def answer(question: Question, selection: Selection, _: Settings) -> Answer:
    """See the module."""
    notes = left_out(selection)
    contrasts: list[_Contrast] = []
    for stratum in strata(selection.completed, free=["algorithm"]):
        contrasts += _contrasts(stratum, notes)
    if not contrasts:
        return missing(question, "no two algorithms were run with otherwise the same settings", notes)
    adjusted = holm([item.p for item in contrasts])
    rows, bars, texts = [], [], []
    for item, p in zip(contrasts, adjusted, strict=True):
        shown = item.matched or item.at_end
        name = f"{item.one} minus {item.other}"
        where = "at the end of training" if item.matched is None else f"at {scientific(item.compute or 0.0)} FLOPs"
        decided = p is not None and p < ALPHA
        rows.append(
            {
                "runs": item.stratum,
                "one": item.one,
                "other": item.other,
                "matched_flops": item.compute,
                **(item.matched or NONE).columns("difference_matched", "matched_"),
                **item.at_end.columns("difference_at_end", "end_"),
                "p_holm": p,
                "why_not_matched": item.reason,
            }
        )
        bars.append(Bar.of(f"{name}, {item.stratum}", shown, where))
        texts.append(f"{within(item.stratum)}: {name} {where} {signed(shown)}{'' if decided else ', undecided'}")
    notes.append(f"Decided: Holm-corrected p below {ALPHA:g} over {len(contrasts)} pairs; intervals are 95% each")
    tables = {"differences": pd.DataFrame(rows)}
    title = "Algorithms at matched compute"
    figures = {"differences": Forest.of_differences(title, "difference in pass@1", bars, zero="no difference")}
    reason = None
    if all(item.matched is None for item in contrasts):
        reason = f"no pair could be brought to the same compute: {contrasts[0].reason}"
    elif not any(p is not None and p < ALPHA for p in adjusted):
        reason = "no pair differs beyond its uncertainty"
    said, text = _verdict(contrasts, adjusted), joined(texts)
    return reply(question, selection.completed, said, text, reason, tables=tables, figures=figures, notes=notes)


def _verdict(contrasts: list[_Contrast], adjusted: list[float | None]) -> str:
    """The clearest pair, or the largest difference of those that are open."""
    clear = [item for item, p in zip(contrasts, adjusted, strict=True) if p is not None and p < ALPHA]
    largest = max(clear or contrasts, key=lambda item: abs((item.matched or item.at_end).value))
    gap = largest.matched or largest.at_end
    where = "at the end of training" if largest.matched is None else "at the same compute"
    first, second = (largest.one, largest.other) if gap.value > 0 else (largest.other, largest.one)
    if clear:
        more = f"; {len(clear)} of {len(contrasts)} pairs are clear" if len(contrasts) > 1 else ""
        return f"{first} is better than {second} by {change(gap)} {where}{more}."
    if len(contrasts) == 1:
        return f"Not decided: {largest.one} and {largest.other} differ by {signed(gap)} {where}."
    return (
        f"Not decided: none of {len(contrasts)} pairs differs clearly; the largest lead is {first} over {second}, "
        f"{change(gap)} {where}."
    )


def _contrasts(stratum: Stratum, notes: list[str]) -> list[_Contrast]:
    members = tuple(sorted(arms(stratum, label=lambda row: row.algorithm, x=lambda _: 0.0), key=lambda arm: arm.label))
    if len({arm.label for arm in members}) < 2:
        return []
    found = panel(members)
    if isinstance(found, str):
        notes.append(f"{stratum.label}: {found}")
        return []
    notes += found.notes
    moved, reason = at_equal_compute(found, notes)
    compute = moved.compute if moved else None
    contrasts = []
    for i, j in combinations(range(len(members)), 2):
        one, other = members[i].label, members[j].label
        if one == other:
            continue  # two configurations of one algorithm: another question's
        at_end = found.gap(i, j)
        matched, p = (None, at_end.p_value()) if moved is None else moved.gap(i, j)
        contrasts.append(_Contrast(stratum.label, one, other, at_end.interval(), matched, compute, p, reason))
    return contrasts
