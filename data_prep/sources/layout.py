"""Which files of a folder are read, which are for training and which for evaluation, and the digest that names them.

Known layouts, all by relative path: Guru's own (`train/`, `online_eval/`, `offline_eval/`), the difficulty-ordered
math curriculum (subset files and `holdout_500.parquet`), splits by name (`train.parquet` beside `test.parquet`,
`data/test-00000-of-00001.parquet`), `columns.yaml` with its own marks, prepared folders, and flat folders.
"""

import fnmatch
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from data_prep.files.manifest import MANIFEST
from data_prep.sources.column_mapping import FILE_NAME, ColumnMapping, Declared, read_mappings
from data_prep.sources.file_format import ENDINGS, Format, format_of, is_one_object, plain_name
from data_prep.sources.finding import Finding, Kind
from data_prep.sources.role import Role, named_layout, named_split
from data_prep.sources.tree import Unread, walk
from data_prep.spec import DataError, file_digest

# Ours: about the rows, and no rows.
_COMPANIONS = (FILE_NAME, "source.json", MANIFEST)
_LEFT_OUT = ("dropped.parquet", "sft.parquet")
_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """One file of a folder. `name` is its path below the folder."""

    path: Path
    name: str
    role: Role
    mapping: ColumnMapping | None = None  # None: already in verl's columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What a folder holds.

    Attributes:
        files: What is read, by relative path.
        unread: What is not, and why.
        doubts: What must be settled before anything is trained on, by the path below the folder.
        notes: What was decided that names leave open.
    """

    files: tuple[SourceFile, ...]
    unread: tuple[Unread, ...] = ()
    doubts: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()

    def said(self) -> list[str]:
        """Everything that is not read, a line for each reason, with counts; and the notes."""
        by_reason: dict[str, list[str]] = {}
        for item in self.unread:
            by_reason.setdefault(item.why, []).append(item.name)
        lines = []
        for why, names in by_reason.items():
            lines.append(f"{len(names)} file{'' if len(names) == 1 else 's'} not read, {why}: {_some(names)}")
        return [*lines, *self.notes]


def source_layout(root: Path, declared: dict[str, Declared] | None = None) -> Layout:
    """All files below `root`, by relative path.

    Args:
        root: The folder.
        declared: In place of what its `columns.yaml` says; None: as that says.

    Raises:
        DataError: `columns.yaml` or a folder cannot be read.
    """
    declared = read_mappings(root) if declared is None else declared
    files, unread, doubts = [], [], []
    for item in walk(root):
        if isinstance(item, Unread):
            if format_of(item.name) and "broken link" in item.why:
                message = f"{item.why}. Restore what it points at, or take it out."
                doubts.append(Finding(kind=Kind.unreadable, file=item.name, row=None, message=message))
            else:
                unread.append(item)
            continue
        name = item.relative_to(root).as_posix()
        found = declared_of(name, declared)
        why = _why_unread(item, name, found)
        if why is None:
            role, mapping = role_of(name, found), found.mapping if found else None
            if role is None:
                message = (
                    "the name does not say whether it is for training or evaluation. Rename it or put it into "
                    f'train/ or online_eval/, or say it in {FILE_NAME}: "{name}": {{evaluation: true}} (or false).'
                )
                doubts.append(Finding(kind=Kind.unclear_role, file=name, row=None, message=message))
            files.append(SourceFile(path=item, name=name, role=role or Role.train, mapping=mapping))
        elif why:
            unread.append(Unread(name, why))
    files.sort(key=lambda file: file.name)
    return _settled(files, unread, doubts, declared)


def _settled(
    files: list[SourceFile], unread: list[Unread], doubts: list[Finding], declared: dict[str, Declared]
) -> Layout:
    """The layout; of a folder of evaluation files alone, all are for training where it is a published set of them."""
    names = [*(file.name for file in files), *(item.name for item in unread)]
    idle = [pattern for pattern in declared if not any(_is_called(name, pattern) for name in names)]
    notes = [f'{FILE_NAME} declares "{pattern}", and no file is called so' for pattern in idle]
    if files and not any(file.role is Role.train for file in files):
        is_flat = all(_former_role(file.name, declared_of(file.name, declared)) is not Role.train for file in files)
        some = _some([file.name for file in files])
        if is_flat:
            files = [replace(file, role=Role.train) for file in files]
            notes.append(f"every file is named for evaluation, and all are taken for training: {some}")
        else:
            notes.append(f"there is nothing to train on: by their names all files are for evaluation: {some}")
    return Layout(files=tuple(files), unread=tuple(unread), doubts=tuple(doubts), notes=tuple(notes))


def role_of(name: str, declared: Declared | None) -> Role | None:
    """What a file is for; None where it cannot be told.

    Args:
        name: Path below the folder.
        declared: What `columns.yaml` says of it.
    """
    published = named_layout(name)
    if published is not None or declared is None or declared.evaluation is None:
        return published or named_split(name)
    return Role.evaluation if declared.evaluation else Role.train


def training_layout(root: Path, declared: dict[str, Declared] | None = None) -> Layout:
    """The `source_layout` of a folder to train on.

    Raises:
        DataError: No such folder, nothing in it that can be read, or a file of which it cannot be told what it is for.
    """
    if not root.is_dir():
        raise DataError(f"data_root={root} is not a folder. Point it at a folder of data files ({ENDINGS}).")
    layout = source_layout(root, declared)
    for doubt in layout.doubts:
        raise DataError(f"{root / doubt.file}: {doubt.message}")
    if not layout.files:
        there = f" There: {'; '.join(layout.said())}." if layout.unread else ""
        raise DataError(f"data_root={root} holds no file that can be read ({ENDINGS}).{there}")
    if not any(file.role is Role.train for file in layout.files):
        raise DataError(
            f"data_root={root} has no file for training: by their names all are for evaluation "
            f"({_some([file.name for file in layout.files])}). Add training files, or say in its {FILE_NAME} that "
            f'these are some: "{layout.files[0].name}": {{evaluation: false}}.'
        )
    return layout


def folder_digest(root: str | Path) -> str:
    """SHA-256 over the relative names and contents of the data files below `root`; where it lies is irrelevant.

    What a name says a file is for counts too, unless it is a published layout's: those are older than the rule, and
    keep their digests.

    Raises:
        DataError: See `training_layout`; or a file that cannot be read.
    """
    folder = Path(root)
    total = hashlib.sha256()
    declared = read_mappings(folder)
    for file in training_layout(folder).files:
        former = _former_role(file.name, declared_of(file.name, declared))
        mark = f"\0{file.role}" if file.role is not Role.train and file.role is not former else ""
        total.update(f"{file.name}\0{_digest(file.path)}{mark}\n".encode())
    mapping = folder / FILE_NAME
    if mapping.is_file():
        total.update(f"{FILE_NAME}\0{_digest(mapping)}\n".encode())
    return total.hexdigest()


def _digest(path: Path) -> str:
    try:
        return file_digest(path)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}. Check the file, its folder and its rights.") from None


def declared_of(name: str, declared: dict[str, Declared]) -> Declared | None:
    """What `columns.yaml` says of a file: the first pattern with columns, and the first that only says what it is for.

    The name may be in any case and compressed.
    """
    found = [one for pattern, one in declared.items() if _is_called(name, pattern)]
    columns = next((one for one in found if one.mapping is not None), None)
    use = next((one for one in found if one.mapping is None), columns)
    return None if use is None else Declared(columns.mapping if columns else None, use.evaluation)


def _is_called(name: str, pattern: str) -> bool:
    names = {name, plain_name(name), name.lower(), plain_name(name).lower()}
    return any(fnmatch.fnmatch(one, pattern) for one in names)


def _former_role(name: str, declared: Declared | None) -> Role:
    return named_layout(name) or (Role.evaluation if declared is not None and declared.evaluation else Role.train)


def _why_unread(path: Path, name: str, declared: Declared | None) -> str | None:
    """Why a file is not read; "" of one that need not be named; None: it is read."""
    is_prepared = (path.parent / MANIFEST).is_file()
    if path.name in _COMPANIONS and (path.name != MANIFEST or is_prepared):
        return ""
    if path.name in _LEFT_OUT and is_prepared:
        return "beside prepared files"
    kind = format_of(name)
    if kind is None:
        return f"ending {path.suffix or 'none'} is none of {ENDINGS}"
    if kind in (Format.csv, Format.tsv) and (declared is None or declared.mapping is None):
        return f"its columns are not declared in {FILE_NAME} (docs/data.md)"
    if kind is Format.arrow and path.name.startswith("cache-"):
        return "a cache of datasets"
    if kind is Format.json and is_one_object(path):
        return "one JSON object and no list of rows"
    return None


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
