"""Parquet that somebody else made: read batch by batch, and refused where it decodes to far more than its size.

2,625 bytes of parquet can hold 8 GB of text: one value in a dictionary, named by every row.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rewards.bounded_file import MIB

BATCH = 1024  # rows: those of code problems hold megabytes of tests, and several batches must fit in memory
_MOST_OF_A_ROW = 256 * MIB
_MOST_TIMES = 1000
_ALWAYS = 64 * MIB  # bytes that any file may decode to


class DecodesTooFar(ValueError):
    """A parquet file decodes to far more than its size; the message names it."""


def batches(path: Path, file: Any, **options: Any) -> Iterator[Any]:
    """The batches of a parquet file.

    Args:
        path: Of the file, whose size counts.
        file: It, opened: a `pyarrow.parquet.ParquetFile`.
        options: Of its `iter_batches`.

    Raises:
        DecodesTooFar: They decode to far more than the file's size, as no data do.
    """
    most = max(_ALWAYS, _MOST_TIMES * path.stat().st_size)
    decoded, start = 0, 0
    for batch in file.iter_batches(batch_size=BATCH, **options):
        size = _decoded(batch)
        decoded += size
        if decoded > most or size > _MOST_OF_A_ROW * batch.num_rows:
            raise DecodesTooFar(
                f"{path}: {path.stat().st_size:,} bytes decode to more than {decoded:,} by row "
                f"{start + batch.num_rows - 1}, as no data do"
            )
        start += batch.num_rows
        yield batch


def _decoded(batch: Any) -> int:
    """Bytes of a batch, with a text in a dictionary once for each row that names it."""
    import pyarrow as pa
    import pyarrow.compute as pc

    named = (column for column in batch.columns if pa.types.is_dictionary(column.type))
    texts = [pc.binary_length(item.dictionary).take(item.indices) for item in named if _is_text(item.type.value_type)]
    return int(batch.nbytes + sum(pc.sum(lengths).as_py() or 0 for lengths in texts))


def _is_text(kind: Any) -> bool:
    import pyarrow as pa

    return any(holds(kind) for holds in (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary))
