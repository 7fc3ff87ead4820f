"""Performance after training against model size: non-embedding parameters, everything else the same."""

import pandas as pd

from analysis.drawing.answer import Answer, Scale
from analysis.questions import Question, Settings
from analysis.questions.levels import Levels, joined, level_chart, level_rows, levels, sentence, trend_row, with_law
from analysis.questions.reply import left_out, missing, reply
from analysis.questions.strata import arms, strata
from analysis.runs.selection import Selection


def answer(question: Question, selection: Selection, _: Settings) -> Answer:
    """See the module."""
    notes = left_out(selection)
    several: list[Levels] = []
    for stratum in strata(selection.completed, free=["model"]):
        members = arms(stratum, label=lambda row: row.model, x=lambda row: row.n_params_non_embedding)
        several += levels(stratum.label, members, notes)
    if not several:
        return missing(question, "no two model sizes were run with otherwise the same settings", notes)
    notes.append("x is parameters without embedding and head")
    tables = {
        "sizes": pd.DataFrame([row for found in several for row in level_rows(found, "n_params_non_embedding")]),
        "slopes": pd.DataFrame([trend_row(found) for found in several]),
    }
    figures = {
        "sizes": level_chart(
            "pass@1 after training by model size", several, Scale(label="non-embedding parameters", log=True)
        )
    }
    verdict = joined([with_law(sentence(found, "parameters"), found) for found in several])
    reason = None if any(found.decided for found in several) else "every slope has an interval that holds 0"
    return reply(question, verdict, reason, tables=tables, figures=figures, notes=notes)
