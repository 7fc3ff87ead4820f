"""The files with the numbers of a report's figures and tables, in a folder of its own beside the page."""

import hashlib
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pandas as pd

from analysis.drawing.page import csv_text, json_text
from rewards.bounded_file import read_bytes, read_json
from sweeper.host.files import write_atomic
from sweeper.host.secret import hidden

MANIFEST = ".written"  # what the last rendering wrote: digests by name
MOST = 1 << 30  # bytes of one file that may be removed
_NAME = re.compile(r"[\w.-]+\.(csv|json)")


class DataFiles:
    """Two files of each frame; those of an earlier rendering that this one did not write can be removed."""

    def __init__(self, folder: Path) -> None:
        """Made if absent."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._written = folder, dict[str, str]()

    def write(self, name: str, frame: pd.DataFrame) -> None:
        """`<name>.csv` and `<name>.json`."""
        for kind, text in (("csv", csv_text(frame)), ("json", json_text(frame))):
            said = hidden(text)
            write_atomic(self._folder / f"{name}.{kind}", said)
            self._written[f"{name}.{kind}"] = hashlib.sha256(said.encode()).hexdigest()

    def remove_others(self) -> None:
        """Remove what the rendering before wrote and nobody has changed since, unless this one wrote it again."""
        for path, digest in self._earlier():
            with suppress(OSError, ValueError):  # it is gone, or no longer a file of this kind
                if path.name not in self._written and hashlib.sha256(read_bytes(path, MOST)).hexdigest() == digest:
                    path.unlink()
        lines = (f'"{name}": "{digest}"' for name, digest in sorted(self._written.items()))
        write_atomic(self._folder / MANIFEST, "{\n" + ",\n".join(lines) + "\n}\n")

    def _earlier(self) -> Iterator[tuple[Path, str]]:
        try:
            found = read_json(self._folder / MANIFEST)
        except (OSError, ValueError):  # there was none, or it is not what was written: then nothing is known to be ours
            return
        for name, digest in found.items() if isinstance(found, dict) else ():
            if _NAME.fullmatch(name):
                yield self._folder / name, digest
