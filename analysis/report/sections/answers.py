"""The questions of the field, each with its verdict, figures, tables and what the answer rests on."""

from analysis.drawing.answer import Answer, Status
from analysis.drawing.answer_figures import draw
from analysis.drawing.frame_table import frame_table
from analysis.drawing.heads import caption
from analysis.drawing.page import Section
from analysis.questions import QUESTIONS


def section(answer: Answer) -> Section:
    """A question that was asked, with its answer."""
    title, anchor = QUESTIONS[answer.name].title, f"question-{answer.name}"
    if answer.status is Status.missing:
        return Section(anchor=anchor, title=title, missing=(answer.text,))
    tables = [
        frame_table(frame, name=f"{_stem(answer, name)}-table", caption=f"{caption(name)}.")
        for name, frame in answer.tables.items()
        if len(frame)
    ]
    return Section(
        anchor=anchor,
        title=title,
        lead=(answer.question, answer.verdict, answer.text),
        figures=tuple(draw(item, name=_stem(answer, name)) for name, item in answer.figures.items()),
        tables=tuple(tables),
        missing=(f"Not identified: {answer.reason}.",) if answer.status is Status.not_identified else (),
        notes=answer.notes,
    )


def _stem(answer: Answer, name: str) -> str:
    return f"{answer.name}-{name}".replace("_", "-").replace(" ", "-")
