"""An unfinished evaluation: what it has measured so far, in files that survive its processes.

    <counts>.partial             what earlier starts have measured
    <counts>.<start>-<worker>.partial   what one process of a start measures, as it is scored; locked while it lives

The first line of each says under which settings; then there is one line a problem.
"""

import fcntl
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rewards.bounded_file import lines, parsed
from sweeper.host.files import write_atomic
from sweeper.host.json_lines import MOST_BYTES
from sweeper.rows.counts import ProblemCount

SUFFIX = ".partial"  # in place of the counts file's


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A few completions of one problem, for people to read, and a correct one to learn from.

    `sweeper.runs.samples` reads them.
    """

    problem_id: str
    completions: list[str]  # of an agent whole transcripts
    correct: str | None  # the first that scored, whole; None: none did, or an agent's: it answers nothing by itself
    verdicts: list[dict[str, Any]] = field(default_factory=list)  # of the completions; none from earlier versions


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One problem, measured."""

    count: ProblemCount
    kept: Kept

    def to_line(self) -> str:
        """One line; `from_line` reads it back."""
        return json.dumps({"count": self.count.plain(), "kept": asdict(self.kept)}, sort_keys=True) + "\n"

    @classmethod
    def from_line(cls, line: str) -> "Measured":
        """What `to_line` wrote."""
        told = parsed(line)
        return cls(count=ProblemCount.of(told["count"]), kept=Kept(**told["kept"]))


class Shard:
    """What one process measures, in a file of its own."""

    def __init__(self, path: Path, settings: str) -> None:
        """Makes the file and locks it for as long as this process lives."""
        # Its owner's alone: who reads it could hold its lock, and the evaluation would wait for them.
        self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w")
        fcntl.flock(self._file, fcntl.LOCK_EX)
        self._append(settings + "\n")

    def add(self, measured: Sequence[Measured]) -> None:
        """Append what is scored; on the disk when this returns."""
        self._append("".join(one.to_line() for one in measured))

    def _append(self, text: str) -> None:
        self._file.write(text)
        self._file.flush()
        os.fsync(self._file.fileno())


def shard_path(out: Path, start: str, worker: str) -> Path:
    """Where a process of a start keeps what it measures."""
    return out.with_suffix(f".{start}-{worker}{SUFFIX}")


def partial_files(out: Path, start: str = "") -> list[Path]:
    """All files of measured problems that are there; those of one start's processes."""
    shards = sorted(path for path in out.parent.iterdir() if _is_shard(path.name, out.stem, start))
    first = out.with_suffix(SUFFIX)
    return shards if start or not first.exists() else [first, *shards]


def _is_shard(name: str, stem: str, start: str) -> bool:
    return name.startswith(f"{stem}.{start}") and name.endswith(SUFFIX) and name != f"{stem}{SUFFIX}"


def measured(out: Path, settings: str) -> dict[str, Measured]:
    """What all processes have measured under these settings, by problem; a line that a killed one cut is none."""
    found = {}
    for path in partial_files(out):
        told = _whole_lines(path)
        if next(told, None) == settings:
            for line in told:
                one = Measured.from_line(line)
                found[one.count.problem_id] = one
    return found


def take_up(out: Path, settings: str) -> dict[str, Measured]:
    """As `measured`, for one who begins: one file is left, and files of other settings are told and gone.

    Whatever is killed meanwhile, nothing that was measured is lost.
    """
    before = partial_files(out)
    found, first = measured(out, settings), out.with_suffix(SUFFIX)
    for path in before:
        header = next(_whole_lines(path), None)
        if header not in (None, settings):
            print(f"{path.name} is of other settings, or of an earlier version: begun anew", file=sys.stderr)
    if found:
        print(f"goes on after {len(found)} problems that were measured before", file=sys.stderr)
        write_atomic(first, "".join([settings + "\n", *(one.to_line() for one in found.values())]))
    for path in before:
        if path != first or not found:
            path.unlink()
    return found


def _whole_lines(path: Path) -> Iterator[str]:
    for line in lines(path, at_most=MOST_BYTES):
        if line.endswith(b"\n"):
            yield line[:-1].decode()
