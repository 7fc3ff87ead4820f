"""What a folder holds, at a glance: rows by use and domain, without converting any."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from data_prep.files.row import Message
from data_prep.sources.conversion import BadRow, messages_of, source_of
from data_prep.sources.file_format import Format, format_of
from data_prep.sources.layout import SourceFile, source_layout, training_layout
from data_prep.sources.record_file import column, records
from data_prep.sources.role import Role
from rewards import Domain, UnknownDataSource, check_source, domain_of

# Bytes of files without a count of their own that are read through; the library that reads CSV and Arrow takes more
# than a second to import.
_READ_THROUGH = 64_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """Rows of a folder, before cleaning.

    Attributes:
        rows: By role.
        train: Rows for training by domain, of sources that a scorer of ours fits; None where some are not counted.
        evaluation: Rows that may be evaluated on, likewise; of a folder without evaluation files there are none.
        unscored: Rows of the other sources, for training and then for evaluation, by source.
        uncounted: Files whose rows are in neither: large ones without a count of their own, and those of `datasets`.
        said: What is not read, and what was decided that names leave open.
    """

    rows: Mapping[Role, int]
    train: Mapping[Domain, int] | None
    evaluation: Mapping[Domain, int] | None
    unscored: tuple[Mapping[str, int], Mapping[str, int]]
    uncounted: tuple[str, ...]
    said: tuple[str, ...]


def glance(root: Path) -> Glance:
    """Looks at a folder, for less than a second whatever it holds.

    Raises:
        DataError: See `training_layout`; a file that cannot be read, or whose first row lacks columns that it needs.
    """
    layout = training_layout(root)
    rows: Counter[Role] = Counter()
    sources: dict[Role, Counter[str]] = {role: Counter() for role in Role}
    uncounted, left = [], _READ_THROUGH
    for file in layout.files:
        if file.path.suffix.lower() != ".parquet":
            left -= file.path.stat().st_size
        if left < 0 or format_of(file.path.name) in (Format.csv, Format.tsv, Format.arrow):
            uncounted.append(file.name)
            continue
        here = rows_by_source(file)
        rows[file.role] += sum(here.values())
        sources[file.role].update(here)
        if file.mapping is not None or "" in here:
            number, raw = next(records(file.path))
            where = f"{file.path} row {number}"
            source_of(raw if file.mapping is None else file.mapping.apply(raw, where), where)
    measured = sources[Role.evaluation] or sources[Role.offline_evaluation]
    train, strange = _by_domain(sources[Role.train])
    evaluation, strange_too = _by_domain(measured)
    return Glance(
        rows=rows,
        train=None if uncounted else train,
        evaluation=None if uncounted else evaluation,
        unscored=(strange, strange_too),
        uncounted=tuple(uncounted),
        said=tuple(layout.said()),
    )


def training_prompts(root: Path, domains: Collection[Domain]) -> Iterator[tuple[Message, ...]]:
    """The prompts of the rows for training whose domain is one of `domains`, one after the other; broken ones not.

    Raises:
        DataError: As `glance` says.
    """
    for file in training_layout(root).files:
        for number, raw in records(file.path) if file.role is Role.train else ():
            where = f"{file.path} row {number}"
            record = raw if file.mapping is None else file.mapping.apply(raw, where)
            with suppress(UnknownDataSource, BadRow):
                if domain_of(source_of(record, where)) in domains:
                    yield messages_of(record["prompt"], where)[0]


def _by_domain(sources: Mapping[str, int]) -> tuple[dict[Domain, int], dict[str, int]]:
    """Rows by domain, and by source those that no scorer of ours fits."""
    found: Counter[Domain] = Counter()
    unscored = {}
    for source, n in sources.items():
        try:
            check_source(source)
            found[domain_of(source)] += n
        except UnknownDataSource:
            unscored[source] = n
    return dict(found), unscored


def source_names(root: Path) -> frozenset[str]:
    """Every data_source of the rows below `root`; rows that have none are left to whoever prepares them.

    Raises:
        DataError: A file that cannot be read.
    """
    return frozenset(name for file in source_layout(root).files for name in rows_by_source(file) if name)


def rows_by_source(file: SourceFile) -> Mapping[str, int]:
    """Rows of each data_source of a file; "" counts those that have none.

    Raises:
        DataError: It cannot be read.
    """
    constant, name = None, "data_source"
    if file.mapping is not None:
        constant, name = file.mapping.data_source, str(file.mapping.data_source_column)
    return _counted(file.path, file.path.stat().st_mtime_ns, constant, name)


@cache
def _counted(path: Path, changed: int, constant: str | None, name: str) -> Mapping[str, int]:
    del changed  # a file that is written anew is read anew
    found = [constant or value for value in column(path, name)]  # rows of code problems hold megabytes beside it
    return Counter(value if isinstance(value, str) else "" for value in found)
