"""Reads a folder of data files into rows, refusing what could not be trained on or scored."""

import gc
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from data_prep.files.dropped_file import EXCERPT, DroppedRecord
from data_prep.files.row import Row
from data_prep.sources.checked_folder import Examined, examined
from data_prep.sources.column_mapping import Declared
from data_prep.sources.finding import Finding, Kind
from data_prep.sources.layout import training_layout
from data_prep.sources.role import Role
from data_prep.spec import BadRows, DataError, file_digest
from rewards import Domain, domain_of


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFile:
    """One file that was read; `file` is relative to the folder."""

    file: str
    role: Role
    sha256: str
    rows: int


@dataclass(slots=True)
class FolderRows:
    """All rows of a folder's domains in use, in the order of files and rows.

    `notes` counts what was repaired, not read, decided, or is of domains not in use; `bad` are rows that could not be
    converted.
    """

    rows: dict[Role, list[Row]] = field(default_factory=lambda: {role: [] for role in Role})
    files: list[InputFile] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)
    bad: list[DroppedRecord] = field(default_factory=list)


def read_folder(
    root: Path,
    *,
    domains: Collection[Domain],
    bad_rows: BadRows,
    own_rewards: tuple[str, ...] = (),
    declared: dict[str, Declared] | None = None,
) -> FolderRows:
    """All rows of `domains` below `root`; see `data_prep.sources.layout` for which are for training and for `declared`.

    Raises:
        DataError: No file to train on, an unreadable file, missing columns, an unknown or unsupported data_source
            among the wanted domains, or, unless `bad_rows` is drop, a malformed row; with the file and the row.
    """
    result, unused = FolderRows(), Counter[Domain]()
    with _no_collection():
        layout = training_layout(root, declared)
        result.notes.update([*(f"file not read: {item.why}" for item in layout.unread), *layout.notes])
        for file in layout.files:
            total = 0
            for item in examined(file, own_rewards, domains):
                if isinstance(item, Finding):
                    raise DataError(item.message)
                total += 1
                if item.row is not None:
                    result.rows[file.role].append(item.row)
                    if item.repair is not None:
                        result.notes[f"{item.repair} (row kept)"] += 1
                elif item.finding is not None:
                    result.bad.append(_bad(item, item.finding, file.path, bad_rows))
                elif item.record is not None:
                    unused[domain_of(str(item.record["data_source"]), own_rewards)] += 1
                    result.notes["row of a domain not in use"] += 1
            result.files.append(InputFile(file=file.name, role=file.role, sha256=file_digest(file.path), rows=total))
    if unused and not result.bad and not any(result.rows.values()):
        held = " and ".join(f"{domain} ({count} rows)" for domain, count in unused.items())
        raise DataError(
            f"data_root={root} has problems of {held} alone, and {', '.join(domains)} is asked for. Name what it has "
            f"in domain_mix and in eval.domains: domain_mix={next(iter(unused))} 'eval.domains=[{', '.join(unused)}]'."
        )
    return result


@contextmanager
def _no_collection() -> Iterator[None]:
    """Hundreds of thousands of live rows, none of them garbage, would be walked again and again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _bad(item: Examined, found: Finding, path: Path, bad_rows: BadRows) -> DroppedRecord:
    """A row that cannot be used, where it may be left out."""
    record, where = item.record or {}, f"{path} row {item.number}"
    if found.kind in (Kind.schema, Kind.unknown_source):
        raise DataError(f"{where}: {found.message}")
    reason = f"{where} ({record.get('data_source')}): {found.message}"
    if bad_rows is BadRows.refuse:
        raise DataError(reason)
    return DroppedRecord(
        problem_id=None,
        data_source=str(record.get("data_source")),
        step="malformed",
        reason=reason,
        text=str(record.get("prompt"))[:EXCERPT],
    )
