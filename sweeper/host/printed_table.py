"""Tables and paragraphs that fit a terminal: the one place where text is laid out by width.

A terminal gets what fits its width: columns are left out by rank and named in one line, text is cut with an ellipsis,
and no row wraps. Where not even the columns that stay fit, each row is a list of its fields. A pipe
or a file gets every column, whole cells and whole run ids, however wide.
"""

import argparse
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rewards.terminal import one_line

_GAP, _LEAST = 2, 8  # characters between columns; that a cut cell keeps
_WIDER, _FLAGGED = "a wider terminal shows them", "--wide, or a wider terminal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What a table may take.

    Attributes:
        width: In characters; None: no bound.
        ids: Whether run ids are written whole, where a handle of 8 characters would do.
        hint: What shows the columns that are left out.
    """

    width: int | None = None
    ids: bool = True
    hint: str = _WIDER

    @classmethod
    def of_screen(cls, options: argparse.Namespace | None = None) -> "Room":
        """That of stdout, with the flags of `add_flags` where a program has them."""
        width = screen_width()
        is_wide, with_ids = (bool(getattr(options, name, False)) for name in ("wide", "ids"))
        hint = _WIDER if options is None else _FLAGGED
        return cls(width=None if is_wide else width, ids=with_ids or width is None, hint=hint)


WIDE = Room()


def screen_width(*, otherwise: int | None = None) -> int | None:
    """Columns of the terminal that stdout is (COLUMNS, if it is set); `otherwise` where it is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else otherwise


def add_flags(parser: argparse.ArgumentParser, *, ids: bool = True) -> None:
    """`--wide`, and `--ids` of a verb that lists runs."""
    parser.add_argument("--wide", action="store_true", help="every column, wider than the terminal (as in a pipe)")
    if ids:
        parser.add_argument("--ids", action="store_true", help="whole run ids (as in a pipe)")


def paragraph(text: str, room: Room, *, indent: str = "") -> str:
    """Each line of a text, wrapped between words; what follows stands below its beginning, behind `indent`."""
    if room.width is None:
        return text
    wrap = textwrap.TextWrapper(room.width, break_long_words=False, break_on_hyphens=False, replace_whitespace=False)
    lines = []
    for line in text.split("\n"):
        wrap.subsequent_indent = line[: len(line) - len(line.lstrip())] + indent
        lines += wrap.wrap(line) if len(line) > room.width else [line]
    return "\n".join(lines)


def printed(
    rows: Sequence[Mapping[str, Any]],
    room: Room,
    *,
    drop: Sequence[str] = (),
    right: Sequence[str] = (),
    form: str = "g",
    cut_start: str = "",
) -> str:
    """Rows as a table; numbers stand right, None is a dash.

    Args:
        rows: Of one or more columns; those of the first row are shown.
        room: What it may take.
        drop: Columns that may be left out, first the first; of them, those that say the same in every row go before.
        right: Columns of numbers that are written already.
        form: Format of floats.
        cut_start: A column that keeps its end where it has to be cut.

    Returns:
        The table, with what is not shown named in a last line; rows as lists where no table fits.
    """
    cells = {name: [_cell(row.get(name), form) for row in rows] for name in rows[0]}
    numeric = {*right, *(name for name in cells if all(_is_number(row.get(name)) for row in rows))}
    widths = {name: max(len(name), *map(len, column)) for name, column in cells.items()}
    left_out = _left_out(cells, widths, drop, room.width)
    shown = [name for name in cells if name not in left_out]
    if room.width is not None and _total(min(widths[name], max(_LEAST, len(name))) for name in shown) > room.width:
        return "\n".join(_listed(cells, room))
    if room.width is not None:
        _cut({name: cells[name] for name in shown}, {name: widths[name] for name in shown}, room.width, cut_start)
    across = [max(len(name), *map(len, cells[name])) for name in shown]

    def line(texts: Sequence[str]) -> str:
        told = zip(shown, texts, across, strict=True)
        return (
            (" " * _GAP)
            .join(text.rjust(width) if name in numeric else text.ljust(width) for name, text, width in told)
            .rstrip()
        )

    lines = [line(shown), (" " * _GAP).join("-" * width for width in across)]
    lines += [line(texts) for texts in zip(*(cells[name] for name in shown), strict=True)]
    return "\n".join([*lines, *_named(left_out, cells, room)])


def _listed(cells: Mapping[str, Sequence[str]], room: Room) -> Iterator[str]:
    """A line or more for each field of each row, those of a row below its first."""
    for row in zip(*cells.values(), strict=True):
        for place, (name, text) in enumerate(zip(cells, row, strict=True)):
            yield paragraph(f"{'  ' if place else ''}{name} {text}", room, indent="  ")


def _left_out(
    cells: Mapping[str, Sequence[str]], widths: Mapping[str, int], drop: Sequence[str], width: int | None
) -> list[str]:
    """The columns that go, so that the others fit."""
    may_go = [name for name in dict.fromkeys(drop) if name in cells]
    may_go.sort(key=lambda name: len(set(cells[name])) > 1 or len(cells[name]) == 1)
    gone = list[str]()
    while width is not None and may_go and _total(widths[name] for name in widths if name not in gone) > width:
        gone.append(may_go.pop(0))
    return gone


def _cut(cells: dict[str, list[str]], widths: dict[str, int], width: int, cut_start: str) -> None:
    """Cut the widest columns in place, as far as needed."""
    while (over := _total(widths.values()) - width) > 0:
        name = max(widths, key=widths.__getitem__)
        others = sorted(widths.values())[-2:-1] or [0]
        to = max(_LEAST, len(name), widths[name] - over, min(others[0], widths[name] - 1))
        if to >= widths[name]:
            return
        column = cells[name]
        for i, text in enumerate(column):
            if len(text) > to:
                column[i] = f"…{text[len(text) - to + 1 :]}" if name == cut_start else f"{text[: to - 1]}…"
        widths[name] = to


def _total(widths: Iterable[int]) -> int:
    every = list(widths)
    return sum(every) + _GAP * (len(every) - 1)


def _named(left_out: Sequence[str], cells: Mapping[str, Sequence[str]], room: Room) -> list[str]:
    if not left_out:
        return []
    alike = [f"{name} {cells[name][0]}" for name in left_out if len(set(cells[name])) == 1 and cells[name][0] != "-"]
    others = [name for name in left_out if len(set(cells[name])) > 1 or cells[name][0] == "-"]
    parts = [f"the same in every row: {', '.join(alike)}"] if alike else []
    parts += [f"not shown: {', '.join(others)} ({room.hint})"] if others else []
    return [paragraph("; ".join(parts), room)]


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _cell(value: Any, form: str) -> str:
    if value is None:
        return "-"
    return format(value, form) if isinstance(value, float) else str(one_line(str(value)))
