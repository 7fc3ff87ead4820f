"""The questions of the field, each with its verdict, figures, tables and what the answer rests on."""

from collections.abc import Hashable, Mapping

import pandas as pd

from analysis.drawing.answer import Answer, Status
from analysis.drawing.answer_figures import draw
from analysis.drawing.page import DASH, Column, Line, Section, Table
from analysis.questions import QUESTIONS

FOLD = 14  # lines from which a table stands behind a click
LONG = 44  # characters from which a cell is broken into lines


def section(answer: Answer) -> Section:
    """A question that was asked, with its answer."""
    title, anchor = QUESTIONS[answer.name].title, f"question-{answer.name}"
    if answer.status is Status.missing:
        return Section(anchor=anchor, title=title, missing=(answer.verdict,))
    return Section(
        anchor=anchor,
        title=title,
        lead=(answer.question, answer.verdict),
        figures=tuple(draw(item, name=_stem(answer, name)) for name, item in answer.figures.items()),
        tables=tuple(_table(name, frame, _stem(answer, name)) for name, frame in answer.tables.items() if len(frame)),
        missing=(f"Not identified: {answer.reason}.",) if answer.status is Status.not_identified else (),
        notes=answer.notes,
    )


def _stem(answer: Answer, name: str) -> str:
    return f"{answer.name}-{name}".replace("_", "-").replace(" ", "-")


def _table(name: str, frame: pd.DataFrame, stem: str) -> Table:
    """A frame as it is shown: a value and its ends in one cell."""
    ends = _ends(frame)
    hidden = {end for pair in ends.values() for end in pair}
    shown = [column for column in map(str, frame.columns) if column not in hidden]
    records = frame.to_dict("records")
    lines = [Line(cells=tuple(_cell(column, ends.get(column), record) for column in shown)) for record in records]
    heads = tuple(
        Column(
            title=column.replace("_", " "),
            number=frame[column].dtype.kind in "if",
            wide=any(len(line.cells[i]) > LONG for line in lines),
        )
        for i, column in enumerate(shown)
    )
    return Table(
        name=f"{stem}-table",
        caption=f"{name.replace('_', ' ').capitalize()}.",
        columns=heads,
        lines=tuple(lines),
        data=frame,
        folded=len(lines) > FOLD,
    )


def _ends(frame: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """The columns that hold the ends of a column's interval: x_low and x_high, or low and high right after it."""
    names = [str(column) for column in frame.columns]
    found = {name: (f"{name}_low", f"{name}_high") for name in names if {f"{name}_low", f"{name}_high"} <= set(names)}
    if {"low", "high"} <= set(names):
        before = names.index("low") - 1
        if before >= 0 and names[before] not in found:
            found[names[before]] = ("low", "high")
    return found


def _cell(column: str, ends: tuple[str, str] | None, record: Mapping[Hashable, object]) -> str:
    text = _text(record[column])
    if ends is None:
        return text
    low, high = (_text(record[end]) for end in ends)
    return text if low == high == DASH else f"{text} [{low}, {high}]"


def _text(value: object) -> str:
    if value is None or (isinstance(value, float) and value != value):
        return DASH
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.0f}" if value == round(value) and abs(value) < 1e6 else f"{value:.3g}"
    if isinstance(value, int):
        return f"{value}" if abs(value) < 1e7 else f"{value:.3g}"
    return str(value)
