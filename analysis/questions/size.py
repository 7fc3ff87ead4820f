"""Performance after training against model size: non-embedding parameters, everything else the same."""

import pandas as pd

from analysis.drawing.answer import Answer, Scale
from analysis.questions import Question, Settings
from analysis.questions.levels import Levels, joined, level_chart, level_rows, levels, sentence, trend_row, with_law
from analysis.questions.overall import overall, verdict
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
    notes.append("Sizes are parameters without embedding and output matrix")
    together = overall(several)
    tables = {
        "overall": together.table if together else pd.DataFrame(),
        "sizes": pd.DataFrame([row for found in several for row in level_rows(found, "n_params_non_embedding")]),
        "slopes": pd.DataFrame([trend_row(found, "size") for found in several]),
    }
    figures = {
        "sizes": level_chart(
            "pass@1 after training by model size", several, Scale(label="parameters without embedding", log=True)
        )
    }
    text = joined([with_law(sentence(found, "parameters"), found, "size") for found in several])
    said = verdict(together, several, more="Larger", unit="parameters")
    reason = None if any(found.decided for found in several) else "every slope has an interval that holds 0"
    return reply(question, selection.completed, said, text, reason, tables=tables, figures=figures, notes=notes)
