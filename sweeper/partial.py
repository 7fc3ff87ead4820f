"""An unfinished evaluation: what it has measured so far, in a file that survives its process."""

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

from sweeper.measure import ProblemCount
from sweeper.results import write_atomic


class Partial:
    """What an unfinished evaluation has measured, block by block, in a file that survives its process."""

    def __init__(self, path: Path, settings: dict[str, object]) -> None:
        """Takes up the file if it is there and of the same settings, else begins it anew."""
        self.counts: list[ProblemCount] = []
        self.texts: list[list[str]] = []
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
            self.texts += block["texts"]
        if len(whole) != len(lines) - 1:
            write_atomic(path, "".join([header, *whole]))
        print(f"goes on after {len(self.counts)} problems that were measured before", file=sys.stderr)

    def add(self, counts: list[ProblemCount], texts: list[list[str]]) -> None:
        """Append one block."""
        block = {"counts": [asdict(count) for count in counts], "texts": texts}
        with self._path.open("a") as file:
            file.write(json.dumps(block, sort_keys=True) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self.counts += counts
        self.texts += texts
