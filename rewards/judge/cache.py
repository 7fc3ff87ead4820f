"""Remembers the judge's decisions, in memory and, where a folder is given, on disk for other processes and runs."""

import contextlib
import hashlib
import threading
from collections import OrderedDict
from pathlib import Path

from rewards.bounded_file import read_text
from rewards.whole_file import write_whole


class JudgeCache:
    """Decisions by key; safe from threads, and from processes because each is one small file, renamed into place."""

    def __init__(self, folder: Path | None = None, entries: int = 65_536) -> None:
        self._folder = folder
        self._entries = entries
        self._known: OrderedDict[str, bool] = OrderedDict()
        self._lock = threading.Lock()

    @staticmethod
    def key(*parts: str) -> str:
        """A hash of `parts` that does not run them together."""
        digest = hashlib.sha256()
        for part in parts:
            encoded = part.encode("utf-8", "surrogatepass")
            digest.update(len(encoded).to_bytes(8, "big") + encoded)
        return digest.hexdigest()

    def get(self, key: str) -> bool | None:
        """The decision under `key`, if there is one."""
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        if self._folder is None:
            return None
        try:
            text = read_text(self._path(self._folder, key), len("yes"))
        except (OSError, ValueError):
            return None
        if text not in ("yes", "no"):
            return None
        self._remember(key, text == "yes")
        return text == "yes"

    def put(self, key: str, decision: bool) -> None:
        """Stores a decision. A folder that cannot be written costs only the calls that it would have saved."""
        self._remember(key, decision)
        if self._folder is None:
            return
        path = self._path(self._folder, key)
        with contextlib.suppress(OSError):
            write_whole(path, "yes" if decision else "no", is_private=True)

    def _remember(self, key: str, decision: bool) -> None:
        with self._lock:
            self._known[key] = decision
            if len(self._known) > self._entries:
                self._known.popitem(last=False)

    @staticmethod
    def _path(folder: Path, key: str) -> Path:
        return folder / key[:2] / key[2:]
