"""Which data sources a folder's rows name, and how many rows each has, without converting them."""

from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from data_prep.sources.layout import SourceFile, source_layout
from data_prep.sources.record_file import records


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
    constant, column = None, "data_source"
    if file.mapping is not None:
        constant, column = file.mapping.data_source, str(file.mapping.data_source_column)
    return _counted(file.path, file.path.stat().st_mtime_ns, constant, column)


@cache
def _counted(path: Path, changed: int, constant: str | None, column: str) -> Mapping[str, int]:
    del changed  # a file that is written anew is read anew
    if path.suffix.lower() == ".parquet":
        import pyarrow.parquet as pq

        # The column alone: rows of code problems hold megabytes of tests.
        with pq.ParquetFile(path) as opened:
            n = opened.metadata.num_rows
            has_column = constant is None and column in opened.schema_arrow.names
            found = opened.read(columns=[column]).column(0).to_pylist() if has_column else [constant] * n
    else:
        found = [constant or record.get(column) for _, record in records(path)]
    return Counter(name if isinstance(name, str) else "" for name in found)
