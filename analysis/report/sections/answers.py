"""The questions of the field, each with its verdict, figures, tables and what the answer rests on."""

import re
from dataclasses import replace

import pandas as pd

from analysis.drawing.answer import Answer, Status
from analysis.drawing.answer_figures import draw
from analysis.drawing.frame_table import frame_table
from analysis.drawing.heads import caption
from analysis.drawing.page import DASH, Section, Table, stem
from analysis.questions import QUESTIONS


def section(answer: Answer) -> Section:
    """A question that was asked, with its answer."""
    title, anchor = QUESTIONS[answer.name].title, f"question-{answer.name}"
    if answer.status is Status.missing:
        return Section(anchor=anchor, title=title, missing=(answer.text,))
    tables = [
        _table(frame, name=f"{_stem(answer, name)}-table", what=caption(name))
        for name, frame in answer.tables.items()
        if len(frame)
    ]
    return Section(
        anchor=anchor,
        title=title,
        lead=(answer.question,) if answer.figures else (answer.question, answer.verdict),
        figures=tuple(
            draw(item, name=_stem(answer, name), claim="" if place else answer.verdict)
            for place, (name, item) in enumerate(answer.figures.items())
        ),
        tables=tuple(tables),
        missing=(f"Not decided: {answer.reason}.",) if answer.status is Status.not_identified else (),
        notes=(answer.text, *answer.notes),
    )


def _table(frame: pd.DataFrame, *, name: str, what: str) -> Table:
    """Folded; words that stand in every line are said once above it."""
    made = frame_table(frame, name=name, caption=f"{what}.", fold=0)
    same = [i for i, column in enumerate(made.columns) if len(made.lines) > 1 and not column.number and _same(made, i)]
    if not same or len(same) == len(made.columns):
        return made
    said = [f"{made.columns[i].title}: {made.lines[0].cells[i]}" for i in same if made.lines[0].cells[i] != DASH]
    kept = [i for i in range(len(made.columns)) if i not in same]
    return replace(
        made,
        caption=" ".join((made.caption, *((f"In all lines: {'; '.join(said)}.",) if said else ()))),
        columns=tuple(made.columns[i] for i in kept),
        lines=tuple(replace(line, cells=tuple(line.cells[i] for i in kept)) for line in made.lines),
    )


def _same(table: Table, column: int) -> bool:
    return len({line.cells[column] for line in table.lines}) == 1


def _stem(answer: Answer, name: str) -> str:
    return stem(re.sub(r"[^\w.]+|_", "-", f"{answer.name}-{name}").strip("-"))
