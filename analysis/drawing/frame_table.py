"""A frame as a table that people read: a value and the ends of its interval in one cell."""

from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from analysis.drawing.page import DASH, Column, Line, Table

FOLD = 14
LONG = 44  # characters from which a cell is broken into lines
LARGE = 1e7  # from which a whole number is rounded
Ends = tuple[str, str]
Form = str | Callable[[float], str]  # of a number: its format, or what writes it


def frame_table(
    frame: pd.DataFrame,
    *,
    name: str,
    caption: str,
    titles: Mapping[str, str] | None = None,
    forms: Mapping[str, Form] | None = None,
    strong: Sequence[bool] = (),
    alarm: Sequence[bool] = (),
    fold: int = FOLD,
) -> Table:
    """The frame is the data of the table as well.

    Args:
        frame: One record per line; `x_low` and `x_high`, or `low` and `high` after x, are the ends of x.
        name: Stem of its files.
        caption: Above it.
        titles: Head of each column that is shown; None: all columns by their names.
        forms: How the numbers of a column are written; to three significant digits without one.
        strong: Which lines stand out; empty: none.
        alarm: Which lines warn, likewise.
        fold: Lines from which it stands behind a click.
    """
    ends = _ends(frame)
    hidden = {end for pair in ends.values() for end in pair}
    heads = titles or {name: name.replace("_", " ") for name in map(str, frame.columns) if name not in hidden}
    columns = [_cells(frame, column, ends.get(column), (forms or {}).get(column)) for column in heads]
    lines = tuple(
        Line(cells=cells, strong=bool(strong) and strong[i], alarm=bool(alarm) and alarm[i])
        for i, cells in enumerate(zip(*columns, strict=True))
    )
    shown = tuple(
        Column(title=title, number=frame[column].dtype.kind in "if", wide=any(len(cell) > LONG for cell in cells))
        for (column, title), cells in zip(heads.items(), columns, strict=True)
    )
    return Table(name=name, caption=caption, columns=shown, lines=lines, data=frame, folded=len(lines) > fold)


def _ends(frame: pd.DataFrame) -> dict[str, Ends]:
    """The columns that hold the ends of a column's interval."""
    names = [str(column) for column in frame.columns]
    found = {name: (f"{name}_low", f"{name}_high") for name in names if {f"{name}_low", f"{name}_high"} <= set(names)}
    if {"low", "high"} <= set(names):
        before = names.index("low") - 1
        if before >= 0 and names[before] not in found:
            found[names[before]] = ("low", "high")
    return found


def _cells(frame: pd.DataFrame, column: str, ends: Ends | None, form: Form | None) -> list[str]:
    values = [_text(value, form) for value in frame[column]]
    if ends is None:
        return values
    lows, highs = ([_text(value, form) for value in frame[end]] for end in ends)
    return [
        text if low == high == DASH else f"{text} [{low}, {high}]"
        for text, low, high in zip(values, lows, highs, strict=True)
    ]


def _text(value: object, form: Form | None) -> str:
    if value is None or (isinstance(value, float) and value != value):
        return DASH
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float) and form:
        return format(value, form) if isinstance(form, str) else form(value)
    if isinstance(value, float):
        return f"{value:.0f}" if value == round(value) and abs(value) < 1e6 else f"{value:.3g}"
    if isinstance(value, int):
        return f"{value}" if abs(value) < LARGE else f"{value:.3g}"
    return str(value)
