"""Reads whatever files it is given, row by row, and tells what is wrong with each row instead of stopping at it."""

from collections.abc import Collection, Iterator, Sequence
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
from rewards import Domain, UnknownDataSource, check_source, domain_of

_STRINGIFIED = "stringified"


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """One row of a file.

    Attributes:
        file: Its name.
        number: Of the row, from 0.
        role: What the file's problems are for.
        row: None where it cannot be used, or is of a domain that is not wanted.
        record: Where there is no row: what there is, in verl's columns if it has them.
        finding: What is wrong with it.
        repair: What was repaired in it.
    """

    file: str
    number: int
    role: Role
    row: Row | None = None
    record: Record | None = None
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


def examined(
    file: SourceFile, own_rewards: tuple[str, ...] = (), domains: Collection[Domain] = tuple(Domain)
) -> Iterator[Examined | Finding]:
    """The rows of a file in their order; ends with a finding where it cannot be read on.

    Args:
        file: One of `files_of`, or of a layout.
        own_rewards: The user's own reward functions (`data_prep.spec.DataSpec`).
        domains: Whose rows are wanted; of others only the data_source is looked at.
    """
    wanted: dict[str, bool | str] = {}
    try:
        for number, raw in records(file.path):
            yield _examined(raw, file, number, own_rewards, domains, wanted)
    except DataError as error:
        yield Finding(kind=Kind.unreadable, file=file.name, row=None, message=str(error))


def _examined(
    raw: Record,
    of: SourceFile,
    number: int,
    own_rewards: tuple[str, ...],
    domains: Collection[Domain],
    wanted: dict[str, bool | str],
) -> Examined:
    where, record = f"{of.name} row {number}", raw

    def found(kind: Kind, message: str) -> Finding:
        return Finding(kind=kind, file=of.name, row=number, message=message.removeprefix(f"{where}: "))

    seen = Examined(file=of.name, number=number, role=of.role)
    try:
        record = raw if of.mapping is None else of.mapping.apply(raw, where)
        source = source_of(record, where)
    except DataError as error:
        return replace(seen, record=record, finding=found(Kind.schema, str(error)))
    if source not in wanted:
        wanted[source] = _is_wanted(source, own_rewards, domains)
    use = wanted[source]
    if isinstance(use, str):
        return replace(seen, record=record, finding=found(Kind.unknown_source, use))
    if not use:
        return replace(seen, record=record)
    try:
        row, repair = to_row(record, where, own_rewards)
    except BadRow as error:
        return replace(seen, record=record, finding=found(error.kind, str(error)))
    finding = None
    if repair is not None and repair.startswith(_STRINGIFIED):
        asked = "models would be asked in Python's notation; `prepare` repairs it"
        finding = found(Kind.broken_prompt, f"{repair}: {asked}")
    return Examined(file=of.name, number=number, role=of.role, row=row, finding=finding, repair=repair)


def _is_wanted(source: str, own_rewards: tuple[str, ...], domains: Collection[Domain]) -> bool | str:
    """Whether a source's domain is one of them; why it cannot be, where it has no scorer."""
    try:
        is_wanted = domain_of(source, own_rewards) in domains
        if is_wanted:
            check_source(source, own_rewards)
    except UnknownDataSource as error:
        return str(error)
    return is_wanted
