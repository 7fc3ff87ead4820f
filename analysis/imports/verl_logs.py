"""verl's own logs: the file logger's JSON lines, and the lines of its console logger."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from analysis.imports.history import MOST_BYTES, History, counted
from rewards.bounded_file import lines
from sweeper.host.json_lines import json_lines

# "step:12 - actor/entropy:0.37 - val-core/x/acc/mean@1:np.float64(0.25)", after whatever Ray puts before it.
_LINE = re.compile(r"(?:^|\s)step:(\d+)((?: - \S+:\S+)+)\s*$")
_PAIR = re.compile(r" - (\S+):(\S+)")
_NUMPY = re.compile(r"(?:np|numpy)\.\w+\((.*)\)")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def read_metrics(path: Path) -> History | None:
    """Verl's file logger (`trainer.logger=[file]`): one `{"step": …, "data": {…}}` a line; None: it is none.

    A torn last line is left out, as is any other that is not such an object.
    """
    told = json_lines(path, skip_damaged=True)
    records = list(counted(record for _, line in told if (record := _record(line)) is not None))
    return History.of(records, name=path.stem, kind="verl metrics") if records else None


def read_console(path: Path) -> History | None:
    """Verl's console logger, anywhere in a log; None: there is no such line."""
    records = list(counted(_console(path)))
    return History.of(records, name=path.stem, kind="verl console") if records else None


def _record(line: Any) -> tuple[int, dict[str, Any]] | None:
    try:
        return int(line["step"]), dict(line["data"])
    except (LookupError, TypeError, ValueError, OverflowError):
        return None


def _console(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    texts = (line.decode(errors="replace") for line in lines(path, at_most=MOST_BYTES))
    for line in (line for text in texts for line in _COLOUR.sub("", text).splitlines()):
        match = _LINE.search(line)
        if match:
            yield int(match[1]), {name: _number(value) for name, value in _PAIR.findall(match[2])}


def _number(text: str) -> float | None:
    inside = _NUMPY.fullmatch(text)
    try:
        return float(inside[1] if inside else text)
    except ValueError:
        return None
