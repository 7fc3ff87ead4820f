"""verl's own logs: the file logger's JSON lines, and the lines of its console logger.

A console line is "step:12 - actor/entropy:0.37 - val-core/x/acc/mean@1:np.float64(0.25)" after whatever Ray puts before
it. A terminal cuts it at its width, other processes write between the pieces, a progress bar sticks to its end.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from analysis.imports.history import MOST_BYTES, History, counted, runs
from rewards.bounded_file import lines
from sweeper.host.json_lines import json_lines

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?(?:nan|inf)"
_VALUE = rf"(?:np|numpy)\.\w+\((?:{_NUMBER})\)|{_NUMBER}"
_PAIR = re.compile(rf" - ([^\s:]+):({_VALUE})")
_START = re.compile(r"(?<![\w/])step:\d+(?= - | ?-?$)")
_RECORD = re.compile(rf"step:\d+(?: - [^\s:]+:(?:{_VALUE}))*+(?P<cut> ?-? ?[^\s:]*(?::[\w.+(-]*)?)$")
_RAY = re.compile(r"^\s*(\([\w.:]+ pid=\d+(?:, ip=[\w.:]+)?\)) ?")
_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_PATIENCE = 20  # lines of others between two pieces


def read_metrics(path: Path) -> list[History]:
    """Verl's file logger (`trainer.logger=[file]`): one `{"step": …, "data": {…}}` a line; empty: it is none.

    A torn last line is left out, as is any other that is not such an object; they are counted.
    """
    torn: list[int] = []
    other = 0
    records = []
    for _, line in json_lines(path, damaged=lambda number, _: torn.append(number)):
        if (record := _record(line)) is None:
            other += 1
        else:
            records.append(record)
    if not records:
        return []
    said = {"lines": f"{len(torn) + other} lines are no metrics and were left out"} if torn or other else {}
    return runs(counted(records), name=path.stem, kind="verl metrics", said=said)


def read_console(path: Path) -> list[History]:
    """Verl's console logger, anywhere in a log; empty: there is no such line."""
    found = _Console()
    texts, ended = [], True
    for line in lines(path, at_most=MOST_BYTES):
        ended = line.endswith(b"\n")
        texts += _COLOUR.sub("", line.decode(errors="replace")).splitlines()
    found.read(texts, ended=ended)
    said = {"lines": found.said()} if found.said() else {}
    streams = list(found.streams())
    named = [f"{path.stem}-{number}" if len(streams) > 1 else path.stem for number in range(1, len(streams) + 1)]
    return [
        run
        for name, records in zip(named, streams, strict=True)
        for run in runs(counted(records), name=name, kind="verl console", said=said)
    ]


def _record(line: Any) -> tuple[int, dict[str, Any]] | None:
    try:
        return int(line["step"]), dict(line["data"])
    except (LookupError, TypeError, ValueError, OverflowError):
        return None


@dataclass(kw_only=True)
class _Open:
    """A record whose pieces are still coming."""

    text: str
    first: int  # number of its line
    last: int  # number of the line of its last piece
    cut: bool  # whether its last piece reaches the width of the terminal, or the end of a file without a line feed


@dataclass(kw_only=True)
class _Console:
    """Records by the process that wrote them, in order."""

    records: dict[str, list[tuple[int, int, dict[str, Any]]]] = field(default_factory=dict)  # (line, step, values)
    pieces: int = 0  # that were joined to others
    unread: int = 0  # lines with a step of which some part could not be read
    doubtful: int = 0  # last numbers of records that may be cut

    def read(self, texts: list[str], *, ended: bool) -> None:
        """All lines, the last with a line feed or without; `said` and `streams` have what came of them."""
        width, torn = _width(texts), None if ended else len(texts) - 1
        open_: dict[str, _Open] = {}
        latest = ""
        for number, text in enumerate(texts):
            prefix = match[1] if (match := _RAY.match(text)) else ""
            body = text[match.end() :] if match else text
            cut = len(text) == width or number == torn
            if start := _START.search(body):
                latest = prefix
                self._close(open_.pop(prefix, None), prefix)
                open_[prefix] = _Open(text=body[start.start() :], first=number, last=number, cut=cut)
            elif (found := open_.get(prefix or latest)) is not None:
                whole = _longer(found.text, body, next_line=number == found.last + 1, full=found.cut)
                if whole is not None:
                    found.text, found.last, found.cut = whole, number, cut
                    self.pieces += 1
                elif number > found.last + _PATIENCE:
                    self._close(open_.pop(prefix or latest), prefix or latest)
        for prefix, record in open_.items():
            self._close(record, prefix)

    def said(self) -> str:
        """What was joined and what could not be read; empty: every line was whole."""
        parts = [
            f"{self.pieces} pieces of lines were joined to the lines that they were cut from" if self.pieces else "",
            f"{self.unread} lines with a step were read in part, or not" if self.unread else "",
            f"{self.doubtful} numbers at a cut may be incomplete and were left out" if self.doubtful else "",
            f"{len(self.records)} processes wrote such lines" if len(self.records) > 1 else "",
        ]
        return "; ".join(filter(None, parts))

    def streams(self) -> Iterator[list[tuple[int, dict[str, Any]]]]:
        """Records of each run: processes that wrote one after the other are attempts, those that overlap are runs."""
        spans = sorted(self.records.values(), key=lambda found: found[0][0])
        if all(one[-1][0] < two[0][0] for one, two in pairwise(spans)):
            spans = [[record for span in spans for record in span]] if spans else []
        for span in spans:
            yield [(step, values) for _, step, values in span]

    def _close(self, record: _Open | None, prefix: str) -> None:
        if record is None:
            return
        step = re.match(r"step:(\d+)", record.text)
        pairs = list(_PAIR.finditer(record.text))
        rest = record.text[pairs[-1].end() :].strip() if pairs else "nothing"
        between = any(one.end() != two.start() for one, two in pairwise(pairs))
        if step is None or not pairs or between or rest.startswith(("-", ":")) or rest.count(" - "):
            self.unread += 1
        values = {match[1]: _number(match[2]) for match in pairs}
        if record.cut and pairs and not rest and self._goes_on(prefix, pairs[-1][1]):
            del values[pairs[-1][1]]
            self.doubtful += 1
        if step is not None and values:
            self.records.setdefault(prefix, []).append((record.first, int(step[1]), values))

    def _goes_on(self, prefix: str, name: str) -> bool:
        """Whether the last record of the process had more after a metric."""
        before = list(self.records.get(prefix, [(0, 0, {})])[-1][2])
        return name in before[:-1]


def _width(texts: Iterable[str]) -> int:
    """Of the terminal that cut the lines: the longest, where two or more lines have it; -1: no sign of one."""
    longest = times = 0
    for text in texts:
        if len(text) > longest:
            longest, times = len(text), 0
        times += len(text) == longest
    return longest if times > 1 else -1


def _longer(text: str, piece: str, *, next_line: bool, full: bool) -> str | None:
    """A record with another piece; None: it is none of it."""
    if not piece.strip() or (before := _RECORD.match(text)) is None:
        return None
    sure = before["cut"].strip() or " - " in f" {piece}"  # else nothing but more digits
    if not sure and not (next_line and full):
        return None
    space = " " if piece.startswith("- ") or text.endswith(" -") else ""
    for joint in (text + space + piece, text + " " + piece.strip(), text + piece.strip()):
        after = _RECORD.match(joint)
        if after is not None and ((next_line and full) or len(_PAIR.findall(joint)) > len(_PAIR.findall(text))):
            return joint
    return None


def _number(text: str) -> float:
    return float(text.partition("(")[2].rstrip(")") or text)
