"""A frame as a table that people read: a value and the ends of its interval in one cell."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from analysis.drawing.heads import head, parameter
from analysis.drawing.page import DASH, Column, Line, Table
from analysis.estimates.numerals import about, count, number, plain, scientific, short, signed
from analysis.passk.estimate import Estimate

FOLD = 14
MOST_LINES = 600  # of a table in a page
LONG = 44  # characters from which a cell is broken into lines
PLAIN = re.compile(r"[+-]?\d+(\.\d+)?(e-?\d+)?( |$)")  # a number, alone or before its interval
Ends = tuple[str, str]
Form = str | Callable[[float], str]  # of a number: its format, or what writes it; with an interval only its sign counts
SIGNED = ("gain", "difference", "per_doubling", "last_doubling", "lead", "minus_last_value")  # a column begins so


FORMS: dict[str, Form] = {  # of columns that have one name everywhere
    "n_params_non_embedding": short,
    "flops": scientific,
    "flops_to_target": scientific,
    "matched_flops": scientific,
    "x": about,
}


def frame_table(
    frame: pd.DataFrame,
    *,
    name: str,
    caption: str,
    titles: Mapping[str, str] | None = None,
    forms: Mapping[str, Form] | None = None,
    strong: Sequence[bool] = (),
    alarm: Sequence[bool] = (),
    links: Sequence[str] = (),
    fold: int = FOLD,
) -> Table:
    """The frame is the data of the table as well.

    Args:
        frame: One record per line; `x_low` and `x_high`, or `low` and `high` after x, are the ends of x.
        name: Stem of its files.
        caption: Above it.
        titles: Head of each column that is shown; None: all columns by their names.
        forms: How the numbers of a column are written; to three significant digits without one, and a value with an
            interval as `numerals` writes it.
        strong: Which lines stand out; empty: none.
        alarm: Which lines warn, likewise.
        links: Anchor to which the first cell of each line leads; empty: none.
        fold: Lines from which it stands behind a click.
    """
    ends = ends_of(frame)
    hidden = {end for pair in ends.values() for end in pair}
    heads = titles or {name: head(name) for name in map(str, frame.columns) if name not in hidden}
    known = FORMS | dict(forms or {})
    columns = [_cells(frame, column, ends.get(column), known.get(column)) for column in heads]
    orders = [_orders(frame[column], texts) for column, texts in zip(heads, columns, strict=True)]
    lines = tuple(
        Line(
            cells=cells,
            orders=order if any(order) else (),
            link=links[i] if links else "",
            strong=bool(strong) and strong[i],
            alarm=bool(alarm) and alarm[i],
        )
        for i, (cells, order) in enumerate(zip(zip(*columns, strict=True), zip(*orders, strict=True), strict=True))
    )
    shown = tuple(
        Column(title=title, number=frame[column].dtype.kind in "if", wide=any(len(cell) > LONG for cell in cells))
        for (column, title), cells in zip(heads.items(), columns, strict=True)
    )
    if len(lines) > MOST_LINES:
        caption = f"{caption} Shown: the first {MOST_LINES} of {len(lines):,} lines; the files hold all."
    return Table(
        name=name, caption=caption, columns=shown, lines=lines[:MOST_LINES], data=frame, folded=len(lines) > fold
    )


def ends_of(frame: pd.DataFrame) -> dict[str, Ends]:
    """The columns that hold the ends of a column's interval."""
    names = [str(column) for column in frame.columns]
    found = {name: (f"{name}_low", f"{name}_high") for name in names if {f"{name}_low", f"{name}_high"} <= set(names)}
    if {"low", "high"} <= set(names):
        before = names.index("low") - 1
        own = [name for name in (names[before], "x") if name in names and frame[name].dtype.kind in "if"]
        if before >= 0 and own and own[0] not in found:
            found[own[0]] = ("low", "high")
    return found


def _cells(frame: pd.DataFrame, column: str, ends: Ends | None, form: Form | None) -> list[str]:
    if column == "parameter":
        return [DASH if _unknown(value) else parameter(str(value)) for value in frame[column]]
    if ends is None:
        return [_text(value, form) for value in frame[column]]
    if form is not None and not isinstance(form, str):
        return [_counted(cell, form) for cell in zip(*(frame[name] for name in (column, *ends)), strict=True)]
    write = signed if (form or "").startswith("+") or (form is None and column.startswith(SIGNED)) else plain
    cells = (
        Estimate(float(value), *(None if _unknown(end) else float(end) for end in pair))
        for value, *pair in zip(*(frame[name].astype(float) for name in (column, *ends)), strict=True)
    )
    return [DASH if _unknown(cell.value) else write(cell).removesuffix(" (no interval)") for cell in cells]


def _counted(cell: Iterable[object], form: Form) -> str:
    said = [_text(item, form) for item in cell]
    return said[0] if said[1] == said[2] == DASH else f"{said[0]} [{said[1]}, {said[2]}]"


def _unknown(value: object) -> bool:
    return value is None or (isinstance(value, float) and value != value)


def _orders(values: "pd.Series[Any]", texts: Sequence[str]) -> list[str]:
    """The numbers behind texts that cannot be sorted as numbers (12K, 3 h); empty where the texts can."""
    if values.dtype.kind not in "if" or all(text == DASH or PLAIN.match(text) for text in texts):
        return [""] * len(texts)
    return ["" if text == DASH else f"{value:.6g}" for value, text in zip(values, texts, strict=True)]


def _text(value: object, form: Form | None) -> str:
    if _unknown(value):
        return DASH
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float) and form:
        return format(value, form) if isinstance(form, str) else form(value)
    if isinstance(value, int | float):
        whole = value == round(value) if abs(value) < float("inf") else False
        return count(value) if whole and value >= 0 else number(value)
    return str(value)
