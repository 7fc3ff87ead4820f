"""Any source of histories, by what it is rather than by what it is called."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from analysis.imports.history import History
from analysis.imports.tables import read_table
from analysis.imports.verl_logs import read_console, read_metrics
from analysis.imports.wandb_log import by_run, read_wandb
from sweeper.host.errors import ResultsError


def read_source(path: Path, *, renamed: Mapping[str, str]) -> list[History]:
    """The runs of a file, or of a folder with offline wandb runs anywhere below it; logs of one run are one history.

    Raises:
        ResultsError: there is nothing at the path, or nothing in it that can be read.
    """
    if path.is_dir():
        logs = list(dict.fromkeys(log.resolve() for log in path.rglob("*.wandb")))  # wandb links its latest run
        if not logs:
            raise ResultsError(f"{path} holds no wandb run (offline-run-*/run-*.wandb); name the file to import")
        return [_from(read_wandb(*found), *found) for found in by_run(logs)]
    if not path.is_file():
        raise ResultsError(f"there is no file {path}")
    if path.suffix == ".wandb":
        return [_from(read_wandb(path), path)]
    for read in (read_metrics, read_console):
        history = read(path)
        if history is not None:
            return [_from(history, path)]
    if path.suffix.lower() in (".csv", ".json", ".jsonl"):
        return [_from(history, path) for history in read_table(path, renamed=renamed)]
    raise ResultsError(
        f"{path} is neither a .wandb log, verl's metrics or console output, nor a CSV or JSON export: convert it to one"
    )


def _from(history: History, *paths: Path) -> History:
    content = b"".join(path.read_bytes() for path in paths)
    return replace(history, path=paths[0], sha256=hashlib.sha256(content).hexdigest())
