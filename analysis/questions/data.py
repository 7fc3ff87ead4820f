"""Performance after training against the problems that RL saw, in two designs that answer different questions.

At the same number of samples more problems mean less reuse; at the same reuse more problems mean more steps and more
compute. Runs of both kinds are never put on one line. A set that is larger than what the steps draw counts with what
they drew.
"""

from collections.abc import Callable

import pandas as pd

from analysis.drawing.answer import Answer, Scale
from analysis.questions import Question, Settings
from analysis.questions.levels import Levels, joined, level_chart, level_rows, levels, sentence, trend_row, with_law
from analysis.questions.overall import overall, verdict
from analysis.questions.reply import left_out, missing, reply
from analysis.questions.strata import Stratum, arms, strata
from analysis.runs.selection import ALL_RUNS, Selection
from sweeper.rows.row import ResultRow

SEEN = "problems seen"
DESIGNS = {"same samples, less reuse": ("n_unique", "reuse"), "same reuse, more steps": ("n_unique", "steps")}
LONGER = "same reuse, more steps"  # where the steps are the same, its runs are those of the other design


def answer(question: Question, selection: Selection, _: Settings) -> Answer:
    """See the module."""
    notes = left_out(selection)
    several = data_levels(selection, notes)
    if not several:
        return missing(question, "no two numbers of problems were seen at the same samples or at the same reuse", notes)
    whats = dict.fromkeys(what for what, _ in several)
    levels_ = [found for _, found in several]
    together = overall(levels_)
    tables = {
        "overall": together.table if together else pd.DataFrame(),
        "scales": pd.DataFrame([row for what, found in several for row in _scale_rows(what, found)]),
        "slopes": pd.DataFrame([{"x": what, **trend_row(found, "amount of data")} for what, found in several]),
    }
    scale = Scale(label=" or ".join(whats), log=True)
    figures = {"scales": level_chart("pass@1 after training by data", levels_, scale)}
    text = joined([with_law(data_sentence(what, found), found, "amount of data") for what, found in several])
    said = verdict(together, levels_, more="More data", unit="problems seen" if list(whats) == [SEEN] else "problems")
    reason = None if any(found.decided for found in levels_) else "every slope has an interval that holds 0"
    return reply(question, selection.completed, said, text, reason, tables=tables, figures=figures, notes=notes)


def amount_of_data(stratum: Stratum) -> tuple[str, Callable[[ResultRow], int | None]]:
    """What "how much data" means for the runs of a stratum, in words and for each row."""
    if all(run.row.problems_seen is not None for run in stratum.runs):
        return SEEN, lambda row: row.problems_seen
    return "problems in the set (how many were seen is not known)", lambda row: row.n_unique


def data_sentence(what: str, found: Levels) -> str:
    """The slope in words, with the sizes of the sets where they are not what was seen."""
    said = sentence(found, what)
    sets = [arm.runs[0].row.n_unique or 0 for arm in found.panel.arms]
    larger = what == SEEN and any(n > x for n, x in zip(sets, found.panel.x, strict=True))
    return f"{said}, of sets of {min(sets):,} to {max(sets):,}" if larger else said


def _scale_rows(what: str, found: Levels) -> list[dict[str, object]]:
    rows = level_rows(found, "problems_seen" if what == SEEN else "x")
    return [row | {"n_unique": arm.runs[0].row.n_unique} for row, arm in zip(rows, found.panel.arms, strict=True)]


def data_levels(selection: Selection, notes: list[str]) -> list[tuple[str, Levels]]:
    """Levels of every design and stratum with two scales or more, with what varies; adds to the notes."""
    several = []
    for design, free in DESIGNS.items():
        for stratum in strata(selection.completed, free=free):
            label = design if stratum.label == ALL_RUNS else f"{design}, {stratum.label}"
            if design == LONGER and len({run.row.steps for run in stratum.runs}) == 1:
                continue
            what, x = amount_of_data(stratum)
            found = levels(label, arms(stratum, label=lambda row: row.data_scale, x=x), notes)
            several += [(what, item) for item in found]
    return several
