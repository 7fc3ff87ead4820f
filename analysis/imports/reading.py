"""Any source of histories, by what it is rather than by what it is called."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis.imports.history import History
from analysis.imports.tables import read_table
from analysis.imports.verl_logs import read_console, read_metrics
from analysis.imports.wandb_log import log_of, read_wandb
from sweeper.host.errors import ResultsError


@dataclass(frozen=True, kw_only=True)
class Source:
    """A file that was read and the runs in it."""

    path: Path
    sha256: str
    histories: tuple[History, ...]


def read_source(path: Path, *, renamed: Mapping[str, str]) -> list[Source]:
    """Read a file, a run's offline wandb folder, or a folder of such folders.

    Raises:
        ResultsError: there is nothing at the path, or nothing in it that can be read.
    """
    if path.is_dir():
        logs = [log for folder in [path, *sorted(path.iterdir())] if (log := log_of(folder)) is not None]
        logs = list(dict.fromkeys(log.resolve() for log in logs))  # wandb links its latest run
        if not logs:
            raise ResultsError(f"{path} holds no wandb run (offline-run-*/run-*.wandb); name the file to import")
        return [_source(log, [read_wandb(log)]) for log in logs]
    if not path.is_file():
        raise ResultsError(f"there is no file {path}")
    if path.suffix == ".wandb":
        return [_source(path, [read_wandb(path)])]
    for read in (read_metrics, read_console):
        history = read(path)
        if history is not None:
            return [_source(path, [history])]
    if path.suffix.lower() in (".csv", ".json", ".jsonl"):
        return [_source(path, read_table(path, renamed=renamed))]
    raise ResultsError(
        f"{path} is neither a .wandb log, verl's metrics or console output, nor a CSV or JSON export: convert it to one"
    )


def _source(path: Path, histories: Sequence[History]) -> Source:
    return Source(path=path, sha256=hashlib.sha256(path.read_bytes()).hexdigest(), histories=tuple(histories))
