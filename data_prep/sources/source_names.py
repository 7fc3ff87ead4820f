"""Which data sources a folder's rows name, and how many rows each has, without converting them."""

from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from data_prep.sources.layout import SourceFile, source_layout
from data_prep.sources.record_file import column


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
