"""Reads whatever files it is given, row by row, and tells what is wrong with each row instead of stopping at it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from data_prep.files.row import Row
from data_prep.sources.conversion import BadRow, source_of, to_row
from data_prep.sources.finding import Finding, Kind
from data_prep.sources.layout import Role, SourceFile, source_layout
from data_prep.sources.record_file import SUFFIXES, Record, records
from data_prep.spec import DataError
from rewards import BadGroundTruth, UnknownDataSource, check_source

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


def files_of(paths: Sequence[Path]) -> list[tuple[SourceFile, str]]:
    """The files at `paths`, folders at any depth, each with the name that reports call it by.

    Raises:
        DataError: A path that is not there, or neither a folder nor a parquet or JSONL file, or a folder without any.
    """
    found: list[tuple[SourceFile, str]] = []
    for path in paths:
        if path.is_dir():
            inside = [(file, f"{path.name}/{file.path.relative_to(path).as_posix()}") for file in source_layout(path)]
            if not inside:
                raise DataError(f"{path} holds no parquet or JSONL file. Give files, or a folder with some.")
            found += inside
        elif path.is_file() and path.suffix in SUFFIXES:
            found.append((SourceFile(path=path, role=Role.train), path.name))
        else:
            raise DataError(f"{path} is neither a folder nor a file {' or '.join(SUFFIXES)}. Check the path.")
    return found


def examined(file: SourceFile, name: str, own_rewards: tuple[str, ...] = ()) -> Iterator[Examined | Finding]:
    """The rows of a file in their order; ends with a finding where it cannot be read on.

    Args:
        file: One of `files_of`.
        name: What reports call it.
        own_rewards: The user's own reward functions (`data_prep.spec.DataSpec`).
    """
    known: dict[str, str | None] = {}
    try:
        for number, raw in records(file.path):
            yield _examined(raw, file, name, number, own_rewards, known)
    except DataError as error:
        yield Finding(kind=Kind.unreadable, file=name, row=None, message=str(error))


def _examined(
    raw: Record,
    of: SourceFile,
    name: str,
    number: int,
    own_rewards: tuple[str, ...],
    known: dict[str, str | None],
) -> Examined:
    def bad(kind: Kind, message: str) -> Examined:
        found = Finding(kind=kind, file=name, row=number, message=message)
        return Examined(file=name, number=number, role=of.role, row=None, finding=found)

    where = f"{name} row {number}"
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
        is_gold = isinstance(error.__cause__, BadGroundTruth) or "no ground_truth" in str(error)
        return bad(Kind.wrong_gold if is_gold else Kind.broken_prompt, str(error).removeprefix(f"{where}: "))
    finding = None
    if repair is not None and repair.startswith(_STRINGIFIED):
        finding = Finding(
            kind=Kind.broken_prompt,
            file=name,
            row=number,
            message=f"{repair}: models would be asked in Python's notation; `prepare` repairs it",
        )
    return Examined(file=name, number=number, role=of.role, row=row, finding=finding, repair=repair)


def _refusal(source: str, own_rewards: tuple[str, ...]) -> str | None:
    try:
        check_source(source, own_rewards)
    except UnknownDataSource as error:
        return str(error)
    return None
