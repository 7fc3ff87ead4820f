"""Performance after training against unique problems, in two designs that answer different questions.

At the same number of samples more problems mean less reuse; at the same reuse more problems mean more steps and more
compute. Runs of both kinds are never put on one line.
"""

import pandas as pd

from analysis.drawing.answer import Answer, Scale
from analysis.questions import Question, Settings
from analysis.questions.levels import Levels, joined, level_chart, level_rows, levels, sentence, trend_row, with_law
from analysis.questions.reply import left_out, missing, reply
from analysis.questions.strata import arms, strata
from analysis.runs.selection import ALL_RUNS, Selection

DESIGNS = {"same samples, less reuse": ("n_unique", "reuse"), "same reuse, more steps": ("n_unique", "steps")}


def answer(question: Question, selection: Selection, settings: Settings) -> Answer:
    """See the module."""
    del settings
    notes = left_out(selection)
    several = data_levels(selection, notes)
    if not several:
        return missing(
            question, "no two numbers of unique problems were run at the same samples or at the same reuse", notes
        )
    tables = {
        "scales": pd.DataFrame([row for found in several for row in level_rows(found, "n_unique")]),
        "slopes": pd.DataFrame([trend_row(found) for found in several]),
    }
    figures = {
        "scales": level_chart("pass@1 after training by data", several, Scale(label="unique problems", log=True))
    }
    verdict = joined([with_law(sentence(found, "unique problems"), found) for found in several])
    reason = None if any(found.decided for found in several) else "every slope has an interval that holds 0"
    return reply(question, verdict, reason, tables=tables, figures=figures, notes=notes)


def data_levels(selection: Selection, notes: list[str]) -> list[Levels]:
    """Levels of every design and stratum with two scales or more; adds to the notes."""
    several = []
    for design, free in DESIGNS.items():
        for stratum in strata(selection.completed, free=free):
            label = design if stratum.label == ALL_RUNS else f"{design}, {stratum.label}"
            found = levels(label, arms(stratum, label=lambda row: row.data_scale, x=lambda row: row.n_unique), notes)
            if found is not None:
                several.append(found)
    return several
