"""Any source of histories, by what it is rather than by what it is called."""

import hashlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from analysis.imports.history import MOST_BYTES, History
from analysis.imports.tables import TYPES, read_table
from analysis.imports.tensorboard_log import MARK, read_events
from analysis.imports.trainer_logs import read_printed, read_state
from analysis.imports.verl_logs import read_console, read_metrics
from analysis.imports.wandb_log import by_run, read_wandb
from rewards.bounded_file import MIB, open_regular
from sweeper.host.errors import ResultsError


def read_source(path: Path, *, renamed: Mapping[str, str]) -> list[History]:
    """The runs of a file or folder; logs of one run are one history.

    Of a folder: the offline wandb runs anywhere below it, or, where there is none, the event files of TensorBoard.

    Raises:
        ResultsError: there is nothing at the path, or nothing in it that can be read.
    """
    with readable(path):
        return _read(path, renamed)


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """For a block that makes something of a source: whatever it meets there, the source is refused in one line.

    Raises:
        ResultsError: the block met something that no logger writes.
    """
    try:
        yield
    except OSError as error:
        raise ResultsError(f"{error.filename or path}: {error.strerror or error}") from error
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError) as error:
        said = " ".join(str(error).split())[:300] or type(error).__name__
        raise ResultsError(f"{path} cannot be read: {said}") from error


def _read(path: Path, renamed: Mapping[str, str]) -> list[History]:
    if path.is_dir():
        logs = list(dict.fromkeys(log.resolve() for log in path.rglob("*.wandb")))  # wandb links its latest run
        events = sorted(file for file in path.rglob("*") if MARK in file.name and file.is_file())
        if events and logs:  # most often the same runs, which are not to be counted twice
            left = f"{len(events)} event files of TensorBoard below it are left out: its wandb runs are read"
            print(f"{path}: {left}; name such a file or its folder to import it", file=sys.stderr)
        elif events:
            folders = dict.fromkeys(file.parent for file in events)
            found = [[file for file in events if file.parent == folder] for folder in folders]
            return [_from(h, *files) for files in found for h in read_events(files)]
        if not logs:
            raise ResultsError(
                f"{path} holds no wandb run (offline-run-*/run-*.wandb) and no events of TensorBoard; "
                "name the file to import"
            )
        return _wandb(logs)
    if not path.is_file():
        raise ResultsError(f"there is no file {path}")
    if path.stat().st_size > MOST_BYTES:
        raise ResultsError(
            f"{path} is larger than the {MOST_BYTES // MIB} MiB that are read of a log; export its metrics"
        )
    if path.suffix == ".wandb":
        return [_from(read_wandb(path), path)]
    if MARK in path.name:
        return [_from(history, path) for history in read_events([path])]
    table = path.suffix.lower() in TYPES
    for read in (read_state,) if path.suffix in (".json", ".parquet") else (read_metrics, read_console):
        if histories := read(path):
            return [_from(history, path) for history in histories]
    if not table and (printed := read_printed(path)):
        return [_from(history, path) for history in printed]
    if table:
        return [_from(history, path) for history in read_table(path, renamed=renamed)]
    raise ResultsError(
        f"{path} is neither a .wandb log, verl's metrics or console output, a log of transformers or TRL, "
        "events of TensorBoard, nor a CSV, JSON or parquet export: convert it to one"
    )


def _wandb(logs: list[Path]) -> list[History]:
    return [_from(read_wandb(*found), *found) for found in by_run(logs)]


def _from(history: History, *paths: Path) -> History:
    digest = hashlib.sha256()
    for path in paths:
        with open_regular(path) as file:
            while part := file.read(MIB):
                digest.update(part)
    return replace(history, path=paths[0], sha256=digest.hexdigest())
