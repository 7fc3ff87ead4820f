"""Reads whatever files it is given, row by row, and tells what is wrong with each row instead of stopping at it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from data_prep.files.row import Row
from data_prep.sources.column_guess import columns_command, guessed_columns
from data_prep.sources.column_mapping import read_mappings
from data_prep.sources.conversion import BadRow, source_of, to_row
from data_prep.sources.file_format import ENDINGS, format_of
from data_prep.sources.finding import Finding, Kind
from data_prep.sources.layout import Layout, SourceFile, declared_of, role_of, source_layout
from data_prep.sources.record_file import Record, records
from data_prep.sources.role import Role
from data_prep.spec import DataError
from rewards import UnknownDataSource, check_source

_STRINGIFIED = "stringified"


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """One row of a file. `row` is None where it cannot be used; `finding` says what is wrong, `repair` what was."""

    file: str
    number: int
    role: Role
    row: Row | None
    finding: Finding | None = None
    repair: str | None = None


def files_of(paths: Sequence[Path]) -> Layout:
    """The files at `paths`, folders at any depth, each with the name that reports call it by.

    Raises:
        DataError: A path that is not there, or neither a folder nor a data file, or a folder without any.
    """
    found = [_folder(path) if path.is_dir() else _file(path) for path in paths]
    return Layout(
        files=tuple(file for layout in found for file in layout.files),
        unread=tuple(item for layout in found for item in layout.unread),
        doubts=tuple(doubt for layout in found for doubt in layout.doubts),
        notes=tuple(note for layout in found for note in layout.notes),
    )


def _folder(path: Path) -> Layout:
    layout = source_layout(path)
    if not layout.files:
        there = f" There: {'; '.join(layout.said())}." if layout.unread else ""
        guess = guessed_columns(path, template=True)
        cure = f" This declares them: {columns_command(path, guess)}" if guess else ""
        raise DataError(f"{path} holds no data file ({ENDINGS}). Give files, or a folder with some.{there}{cure}")
    return replace(
        layout,
        files=tuple(replace(file, name=f"{path.name}/{file.name}") for file in layout.files),
        unread=tuple(replace(item, name=f"{path.name}/{item.name}") for item in layout.unread),
        doubts=tuple(replace(doubt, file=f"{path.name}/{doubt.file}") for doubt in layout.doubts),
    )


def _file(path: Path) -> Layout:
    """A file alone: what the folder that it is in says of it holds."""
    if not path.is_file() or format_of(path.name) is None:
        raise DataError(f"{path} is neither a folder nor a data file ({ENDINGS}). Check the path.")
    declared = declared_of(path.name, read_mappings(path.parent))
    mapping = declared.mapping if declared else None
    role = role_of(path.name, declared) or Role.train
    return Layout(files=(SourceFile(path=path, name=path.name, role=role, mapping=mapping),))


def examined(file: SourceFile, own_rewards: tuple[str, ...] = ()) -> Iterator[Examined | Finding]:
    """The rows of a file in their order; ends with a finding where it cannot be read on.

    Args:
        file: One of `files_of`.
        own_rewards: The user's own reward functions (`data_prep.spec.DataSpec`).
    """
    known: dict[str, str | None] = {}
    try:
        for number, raw in records(file.path):
            yield _examined(raw, file, number, own_rewards, known)
    except DataError as error:
        yield Finding(kind=Kind.unreadable, file=file.name, row=None, message=str(error))


def _examined(
    raw: Record,
    of: SourceFile,
    number: int,
    own_rewards: tuple[str, ...],
    known: dict[str, str | None],
) -> Examined:
    def bad(kind: Kind, message: str) -> Examined:
        found = Finding(kind=kind, file=of.name, row=number, message=message)
        return Examined(file=of.name, number=number, role=of.role, row=None, finding=found)

    where = f"{of.name} row {number}"
    try:
        record = raw if of.mapping is None else of.mapping.apply(raw, where)
        source = source_of(record, where)
    except DataError as error:
        return bad(Kind.schema, str(error).removeprefix(f"{where}: "))
    if source not in known:
        known[source] = _refusal(source, own_rewards)
    refusal = known[source]
    if refusal is not None:
        return bad(Kind.unknown_source, refusal)
    try:
        row, repair = to_row(record, where, own_rewards)
    except BadRow as error:
        return bad(error.kind, str(error).removeprefix(f"{where}: "))
    finding = None
    if repair is not None and repair.startswith(_STRINGIFIED):
        finding = Finding(
            kind=Kind.broken_prompt,
            file=of.name,
            row=number,
            message=f"{repair}: models would be asked in Python's notation; `prepare` repairs it",
        )
    return Examined(file=of.name, number=number, role=of.role, row=row, finding=finding, repair=repair)


def _refusal(source: str, own_rewards: tuple[str, ...]) -> str | None:
    try:
        check_source(source, own_rewards)
    except UnknownDataSource as error:
        return str(error)
    return None
