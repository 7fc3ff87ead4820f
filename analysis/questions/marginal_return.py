"""What one more doubling adds: of problems seen (two designs, see `data`), and of the reuse of the same problems.

Slope: the line of pass@1 in log2 x through all arms. Last: the difference of the two largest arms, divided by the
doublings between them; a return that diminishes has a last step below its slope.
"""

import math

import pandas as pd

from analysis.drawing.answer import Answer, Bar, Forest
from analysis.estimates.numerals import change, signed
from analysis.estimates.panel import Panel
from analysis.passk.estimate import NONE, Estimate
from analysis.questions import Question, Settings
from analysis.questions.data import data_levels
from analysis.questions.levels import Levels, joined, levels, sentence
from analysis.questions.overall import overall, verdict
from analysis.questions.reply import left_out, missing, reply
from analysis.questions.strata import arms, strata
from analysis.runs.selection import ALL_RUNS, Selection


def answer(question: Question, selection: Selection, _: Settings) -> Answer:
    """See the module."""
    notes = left_out(selection)
    several = data_levels(selection, notes)
    several += [("reuse of the same problems", found) for found in _reuse_levels(selection, notes)]
    if not several:
        return missing(
            question, "neither problems seen nor their reuse takes two values at otherwise fixed settings", notes
        )
    rows, bars, texts = [], [], []
    for what, found in several:
        slope, last = found.trend.slope, _last(found.panel)
        rows.append(
            {
                "runs": found.label,
                "doubling_of": what,
                "from": float(found.panel.x.min()),
                "to": float(found.panel.x.max()),
                **slope.columns("per_doubling"),
                **(last or NONE).columns("last_doubling", "last_"),
            }
        )
        bars.append(Bar.of(f"{what}: {found.label}", slope))
        text = sentence(found, what)
        if last is not None and len(found.panel.arms) > 2:
            text += f"; the last doubling alone {signed(last)}"
        texts.append(text)
    tables = {"returns": pd.DataFrame(rows)}
    change = "change in pass@1 per doubling"
    figures = {"returns": Forest.of_differences("pass@1 per doubling", change, bars, zero="no return")}
    reason = None if any(found.decided for _, found in several) else "every return has an interval that holds 0"
    said = _verdict(several)
    text = joined(texts)
    return reply(question, selection.completed, said, text, reason, tables=tables, figures=figures, notes=notes)


def _verdict(several: list[tuple[str, Levels]]) -> str:
    """Of what was doubled in most settings."""
    kinds = [what for what, _ in several]
    what = max(dict.fromkeys(kinds), key=kinds.count)
    own = [item for kind, item in several if kind == what]
    found = overall(own)
    if found is None:
        return verdict(None, own, more="One more doubling", unit=what)
    where = f", averaged over {found.settings} settings" if found.settings > 1 else ""
    if found.slope.sign:
        does = "adds" if found.slope.sign > 0 else "costs"
        return f"One more doubling of {what} {does} {change(found.slope)} pass@1{where}."
    return f"Not decided: one more doubling of {what} changes pass@1 by {signed(found.slope)}{where}."


def _reuse_levels(selection: Selection, notes: list[str]) -> list[Levels]:
    """Of strata where the same number of problems is seen more often, in more steps."""
    several: list[Levels] = []
    for stratum in strata(selection.completed, free=("reuse", "steps")):
        members = arms(stratum, label=lambda row: f"reused {row.reuse:.3g} times", x=lambda row: row.reuse)
        several += levels("same problems" if stratum.label == ALL_RUNS else stratum.label, members, notes)
    return several


def _last(found: Panel) -> Estimate | None:
    """Change for a doubling between the two largest x."""
    i, j = len(found.arms) - 1, len(found.arms) - 2
    doublings = math.log2(found.x[i] / found.x[j])
    if doublings == 0:
        return None
    step = found.difference(i, j)
    low, high = (None if end is None else end / doublings for end in (step.low, step.high))
    return Estimate(step.value / doublings, low, high)
