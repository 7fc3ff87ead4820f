"""Which files of a folder are for training and which for evaluation.

Known layouts, all by relative path: Guru's own (`train/`, `online_eval/`, `offline_eval/`), the difficulty-ordered
math curriculum (subset files and `holdout_500.parquet`), `columns.yaml` with its own marks, and flat folders.
"""

import fnmatch
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from data_prep.sources.column_mapping import ColumnMapping, read_mappings
from data_prep.spec import source_files

_HOLDOUT = re.compile(r"(?:holdout|test)_\d+\.(?:parquet|jsonl)")


class Role(StrEnum):
    """What a file's problems are for."""

    train = "train"
    evaluation = "evaluation"
    # Never trained on either, but measured only where there is no `evaluation`: expensive sets for the end.
    offline_evaluation = "offline_evaluation"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """One file of a folder."""

    path: Path
    role: Role
    mapping: ColumnMapping | None = None  # None: already in verl's columns


def source_layout(root: Path) -> Sequence[SourceFile]:
    """All files below `root`, by relative path. If all are for evaluation, the folder is flat: all are for training.

    Raises:
        DataError: `columns.yaml` cannot be read.
    """
    mappings = read_mappings(root)
    files = []
    for path in source_files(root):
        name = path.relative_to(root).as_posix()
        mapping = next((m for pattern, m in mappings.items() if fnmatch.fnmatch(name, pattern)), None)
        files.append(SourceFile(path=path, role=_role(name, mapping), mapping=mapping))
    if any(file.role is Role.train for file in files):
        return files
    return [SourceFile(path=file.path, role=Role.train, mapping=file.mapping) for file in files]


def _role(name: str, mapping: ColumnMapping | None) -> Role:
    *folders, file = name.split("/")
    if "offline_eval" in folders:
        return Role.offline_evaluation
    if "online_eval" in folders or _HOLDOUT.fullmatch(file) or (mapping is not None and mapping.evaluation):
        return Role.evaluation
    return Role.train
