"""What was found in files, remembered between calls until a file changes.

A view that can be thrown away: the files are the truth, and one of another time or size is read again.
"""

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from rewards.bounded_file import read_json
from sweeper.host.files import write_atomic


class SeenFiles:
    """What was found in files of one kind, each under a name of its own; kept in a file of its own, or in memory.

    Args:
        path: Of the file; what is no such view is made anew. None: a process that writes nothing remembers by itself.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._known: dict[str, Any] = {}
        self._asked: dict[str, list[Any]] = {}
        self._is_new = False
        if path is not None:
            with suppress(OSError, ValueError):
                found = read_json(path)
                self._known = found if isinstance(found, dict) else {}

    def get(self, name: str, about: os.stat_result) -> list[Any] | None:
        """What was found in a file, if it is still what `about` says; None: it has to be read."""
        known = self._known.get(name)
        stamp = _stamp(about)
        if not isinstance(known, list) or known[: len(stamp)] != stamp:
            return None
        self._asked[name] = known
        return known[len(stamp) :]

    def put(self, name: str, about: os.stat_result, values: Sequence[Any]) -> None:
        """Remember what a file held; `about` is asked before it is read."""
        self._asked[name] = [*_stamp(about), *values]
        self._is_new = True

    def write(self, *, only_asked: bool) -> None:
        """Keep what is new, in a results folder of ours; `only_asked`: and forget files that nobody asked for."""
        kept = self._asked if only_asked else self._known | self._asked
        if self._path is None:
            self._known, self._asked = kept, {}
        elif self._is_new and os.access(self._path.parent, os.W_OK):
            write_atomic(self._path, json.dumps(kept) + "\n")


def _stamp(about: os.stat_result) -> list[int]:
    # The time of its last change of any kind, rights included, which nobody can set back.
    return [about.st_ctime_ns, about.st_mtime_ns, about.st_size]
