"""An answer as text for a terminal or a file: paragraphs, and tables that keep what they are titled for."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

import pandas as pd

from analysis.drawing.answer import Answer
from analysis.drawing.frame_table import ends_of, frame_table
from analysis.drawing.heads import caption
from analysis.drawing.page import DASH
from sweeper.host.printed_table import WIDE, Room, paragraph, printed

VERDICTS = ("flagged", "verdict", "extrapolated", "measured", "mae")  # what a table is read for, beside its intervals
_INDENT = "  "  # of rows below what they share
Row = dict[str, str | None]  # cells by the heads of their columns


def answer_text(answer: Answer, room: Room = WIDE) -> str:
    """An answer as paragraphs and plain tables, its verdict first."""
    parts = [answer.verdict, f"{answer.question} {answer.text}" if answer.text != answer.verdict else answer.question]
    if answer.reason is not None and answer.reason not in answer.text:
        parts[-1] += f"\nNot decided: {answer.reason}."
    parts = [paragraph(part, room) for part in parts]
    parts += [f"{caption(name)}\n{table_text(table, room)}" for name, table in answer.tables.items()]
    if answer.notes:
        parts.append("\n".join(paragraph(f"- {note}", room, indent="  ") for note in answer.notes))
    return "\n\n".join(parts)


def table_text(frame: pd.DataFrame, room: Room = WIDE) -> str:
    """The columns of a frame that say something, written as the page writes them.

    Where they do not fit, what several rows share in the first column stands once above these rows; what may be left
    out then is explanations first, values with an interval and verdicts last, and never what tells the rows apart.
    """
    if frame.empty:
        return "no rows"
    frame = _known(frame)
    table = frame_table(frame, name="", caption="")
    titles = [column.title for column in table.columns]
    rows: list[Row] = [
        {title: None if cell == DASH else cell for title, cell in zip(titles, line.cells, strict=True)}
        for line in table.lines
    ]
    right = [column.title for column in table.columns if column.number]
    drop = list(_may_go(frame, rows, {column.title for column in table.columns if column.wide}))
    groups = [(name, len(list(group))) for name, group in groupby(rows, key=lambda row: row[titles[0]])]
    too_wide = room.width is not None and max(map(len, printed(rows, WIDE, right=right).split("\n"))) > room.width
    if not too_wide or room.width is None or len(groups) == len(rows) or len(titles) == 1:
        return printed(rows, room, drop=drop, right=right)
    below = [{title: cell for title, cell in row.items() if title != titles[0]} for row in rows]
    inner = replace(room, width=room.width - len(_INDENT))
    lines = printed(below, inner, drop=drop, right=right).split("\n")
    return "\n".join(_grouped(lines, groups, room))


def _known(frame: pd.DataFrame) -> pd.DataFrame:
    """Without the columns of which no value is known, nor the ends of their intervals."""
    ends, names = ends_of(frame), list(frame.columns)
    hidden = {end for pair in ends.values() for end in pair}
    if {"low", "high"} <= set(names) - hidden and names.index("low"):
        ends = {**ends, names[names.index("low") - 1]: ("low", "high")}  # of a column without a single number
    unknown = [name for name in names if name not in hidden and frame[name].isna().all()]
    return frame.drop(columns=list({*unknown, *(end for name in unknown for end in ends.get(name, ()))}))


def _may_go(frame: pd.DataFrame, rows: Sequence[Row], wide: set[str]) -> Iterator[str]:
    """Heads of the columns that may be left out, first the first."""
    ends = ends_of(frame)
    names = [name for name in frame.columns if name not in {end for pair in ends.values() for end in pair}]
    titles = dict(zip(names, rows[0], strict=True))
    asked = [name for name in names if name in ends or name in VERDICTS]
    long = [name for name in names[1:] if name not in asked and titles[name] in wide]
    asked = asked or long[:1]  # where nothing could be computed, the reason is what there is to say
    telling = _telling(rows, [titles[name] for name in names if name not in {*asked, *long}])
    free = [name for name in names[:0:-1] if titles[name] not in telling]
    yield from (titles[name] for name in free if name in long and name not in asked)
    yield from (titles[name] for name in free if name not in {*asked, *long})
    yield from (titles[name] for name in free if name in asked[1:])  # the first is what the table is about


def _telling(rows: Sequence[Row], titles: Sequence[str]) -> list[str]:
    """The columns that tell the rows apart, each of them more than those before it."""
    found, apart = list[str](), 1
    for title in titles:
        distinct = len({tuple(row[name] for name in (*found, title)) for row in rows})
        if distinct > apart:
            found, apart = [*found, title], distinct
    return found


def _grouped(lines: Sequence[str], groups: Sequence[tuple[str | None, int]], room: Room) -> Iterator[str]:
    """The lines of a table below what they share: two of heads, the rows, and what is not shown."""
    yield from (f"{_INDENT}{line}" for line in lines[:2])
    at = 2
    for name, count in groups:
        yield paragraph(name or "-", room, indent=_INDENT)
        yield from (f"{_INDENT}{line}" for line in lines[at : at + count])
        at += count
    yield from lines[at:]
