"""An unfinished evaluation: what it has measured so far, in a file that survives its process."""

import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from sweeper.host.files import write_atomic
from sweeper.rows.counts import ProblemCount

SUFFIX = ".partial"  # in place of the counts file's


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A few completions of one problem, for people to read, and a correct one to learn from."""

    problem_id: str
    completions: list[str]
    correct: str | None  # the first that scored; None: none did


class Partial:
    """What an unfinished evaluation has measured, block by block, in a file that survives its process."""

    def __init__(self, path: Path, settings: dict[str, object]) -> None:
        """Takes up the file if it is there and of the same settings, else begins it anew."""
        self.counts: list[ProblemCount] = []
        self.kept: list[Kept] = []
        self._path = path
        header = json.dumps(settings, sort_keys=True) + "\n"
        lines = path.read_text().splitlines(keepends=True) if path.exists() else []
        if not lines or lines[0] != header:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(path, header)
            return
        whole = [line for line in lines[1:] if line.endswith("\n")]
        for line in whole:
            block = json.loads(line)
            self.counts += [ProblemCount(**count) for count in block["counts"]]
            self.kept += [Kept(**kept) for kept in block["kept"]]
        if len(whole) != len(lines) - 1:
            write_atomic(path, "".join([header, *whole]))
        print(f"goes on after {len(self.counts)} problems that were measured before", file=sys.stderr)

    def add(self, counts: list[ProblemCount], kept: list[Kept]) -> None:
        """Append one block."""
        block = {"counts": [asdict(count) for count in counts], "kept": [asdict(one) for one in kept]}
        with self._path.open("a") as file:
            file.write(json.dumps(block, sort_keys=True) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self.counts += counts
        self.kept += kept
