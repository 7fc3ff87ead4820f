"""What a report consists of: sections with figures and tables, each with the numbers it was drawn from."""

import hashlib
import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from analysis.drawing.answer import Status
from analysis.drawing.view import View

DASH = "–"  # noqa: RUF001 - the typographic sign for "not measured"
_LONGEST_STEM = 100  # characters; with an ending it fits every file system


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One entry of a legend; `group`: what it shows and hides, None: it only explains."""

    label: str
    colour: str
    group: str | None = None
    marker: str | None = None
    hollow: bool = False
    dashed: bool = False
    line: bool = False
    block: bool = False  # a filled area: bars, stacks


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """Views that belong together, with one legend, and the numbers that they show."""

    name: str  # stem of its data files
    keys: tuple[Key, ...]
    views: tuple[View, ...]
    data: pd.DataFrame
    caption: str = ""
    claim: str = ""  # what it shows, in one sentence: its title

    def packed(self) -> dict[str, Any]:
        """As JSON of a page."""
        return {"claim": self.claim, "caption": self.caption, "views": [view.packed() for view in self.views]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """Head of a column of a table as it is shown."""

    title: str
    number: bool = False  # aligned to the right
    wide: bool = False  # sentences: wrapped


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of a table: one text per column.

    Attributes:
        cells: The texts.
        orders: What a cell is sorted by where its text is no number, else nothing; empty: by the texts.
        link: Anchor to which the first cell leads.
        strong: Stands out.
        alarm: A failure or a warning.
    """

    cells: tuple[str, ...]
    orders: tuple[str, ...] = ()
    link: str = ""
    strong: bool = False
    alarm: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table as it is shown, and the numbers behind it."""

    name: str  # stem of its data files; empty: it has none
    caption: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    data: pd.DataFrame
    folded: bool = False  # behind a click on a screen, open on paper


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading with what the sweep has to say under it, or why it has nothing to say."""

    anchor: str
    title: str
    lead: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    missing: tuple[str, ...] = ()  # what is not there, and what would bring it
    failed: str | None = None  # the error that kept it from being made: a defect of ours
    notes: tuple[str, ...] = ()  # assumptions and numbers of runs, in small print
    files: dict[str, pd.DataFrame] = field(default_factory=dict)  # further data beside the page

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show but what is missing."""
        return not (self.lead or self.figures or self.tables)

    def data(self) -> dict[str, pd.DataFrame]:
        """Every frame behind the section by the stem of its files."""
        shown: Iterable[Figure | Table] = (*self.figures, *self.tables)
        return {item.name: item.data for item in shown} | self.files


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the rows say to one question, on the first screen."""

    question: str
    sentence: str
    status: Status
    link: str = ""  # anchor of the section that says more


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One number of the first screen, with what it is of."""

    title: str
    value: str
    detail: str = ""
    link: str = ""  # anchor


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstScreen:
    """What decides, before anything is scrolled."""

    headline: str  # the result in a sentence
    best: str = ""  # the best configuration in a line, for a terminal
    verdicts: tuple[Verdict, ...] = ()
    tiles: tuple[Tile, ...] = ()
    figure: Figure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A part of an agent's transcript, as plain text."""

    said: str  # whose it is, and whether training learns it
    text: str
    trained: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One response of a model, as plain text."""

    prompt: str
    response: str
    gold: str
    parsed: str  # the answer that was read in the response; empty: none
    verdict: str
    why: str = ""
    turns: tuple[Turn, ...] = ()  # in place of the response, of an agent


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSection:
    """One run: how it was made, how it went, what it wrote."""

    anchor: str
    title: str
    settings: Table
    curve: Figure | None = None
    log: str = ""  # path, relative to the results folder
    samples: tuple[Sample, ...] = ()

    def data(self) -> dict[str, pd.DataFrame]:
        """Every frame behind it by the stem of its files."""
        shown: Iterable[Figure | Table] = (self.settings, *((self.curve,) if self.curve else ()))
        return {item.name: item.data for item in shown if item.name}


def stem(text: str) -> str:
    """A text as the stem of a file's name, of 100 characters at most; a hash tells apart what was cut or replaced."""
    words = re.sub(r"[_ ]", "-", text)
    plain = re.sub(r"[^A-Za-z0-9.,=+-]", "-", words)
    if plain == words and len(plain) <= _LONGEST_STEM:
        return plain
    digest = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:8]
    return f"{plain[: _LONGEST_STEM - 9]}-{digest}"


def csv_text(frame: pd.DataFrame) -> str:
    """A frame as CSV; empty cells where nothing was measured."""
    return frame.to_csv(index=False, lineterminator="\n")


def json_text(frame: pd.DataFrame) -> str:
    """A frame as a JSON list of records, one per line; null where nothing was measured."""
    # Column by column: most cells are numbers, whose JSON is their repr, and an encoder called for each record is slow.
    texts = [[_json(value) for value in frame[name].tolist()] for name in frame.columns]
    keys = [f"{_encode(str(name))}: " for name in frame.columns]
    lines = (", ".join(map(str.__add__, keys, cells)) for cells in zip(*texts, strict=True))
    return "[\n" + ",\n".join(f"{{{line}}}" for line in lines) + "\n]\n"


_encode = json.JSONEncoder(ensure_ascii=False).encode


def _json(value: Any) -> str:
    if isinstance(value, float):
        return repr(float(value)) if math.isfinite(value) else "null"
    return _encode(value.item() if hasattr(value, "item") else value)
