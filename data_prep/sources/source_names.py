"""Which data sources a folder's rows name, without converting them."""

from pathlib import Path

from data_prep.sources.file_format import Format, format_of
from data_prep.sources.layout import SourceFile, source_layout
from data_prep.sources.record_file import records


def source_names(root: Path) -> frozenset[str]:
    """Every data_source of the rows below `root`; rows that have none are left to whoever prepares them.

    Raises:
        DataError: A file that cannot be read.
    """
    return frozenset(name for file in source_layout(root).files for name in _names(file))


def _names(file: SourceFile) -> set[str]:
    mapping = file.mapping
    if mapping is not None and mapping.data_source is not None:
        return {mapping.data_source}
    column = "data_source" if mapping is None else str(mapping.data_source_column)
    if format_of(file.name) is Format.parquet:
        import pyarrow.parquet as pq

        # The column alone: rows of code problems hold megabytes of tests.
        with pq.ParquetFile(file.path) as opened:
            columns = [column] if column in opened.schema_arrow.names else []
            found = opened.read(columns=columns).to_pydict().get(column, [])
    else:
        found = [record.get(column) for _, record in records(file.path)]
    return {name for name in found if isinstance(name, str)}
