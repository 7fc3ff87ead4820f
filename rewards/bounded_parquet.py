"""Parquet that somebody else made: read batch by batch, and refused where it decodes to far more than its size.

2,625 bytes of parquet can hold 8 GB of text: one value in a dictionary, named by every row.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rewards.bounded_file import MIB, open_regular
from rewards.program import UserError

BATCH = 1024  # rows: those of code problems hold megabytes of tests, and several batches must fit in memory
_MOST_OF_A_ROW = 256 * MIB
_MOST_TIMES = 1000
_ALWAYS = 64 * MIB  # bytes that any file may decode to


class DecodesTooFar(UserError, ValueError):
    """A parquet file decodes to far more than its size; the message names it."""


@dataclass(slots=True)
class Decoded:
    """What was decoded so far of something that takes `size` bytes.

    Attributes:
        what: Its name in a message.
        size: Bytes on disk.
    """

    what: str
    size: int
    _decoded: int = 0
    _rows: int = 0

    def add(self, batch: Any) -> None:
        """Count a batch or a table of pyarrow's.

        Raises:
            DecodesTooFar: It is far more than its size, as no data do.
        """
        size = _decoded(batch)
        self._decoded += size
        self._rows += batch.num_rows
        if self._decoded > max(_ALWAYS, _MOST_TIMES * self.size) or size > _MOST_OF_A_ROW * batch.num_rows:
            raise DecodesTooFar(
                f"{self.what}: {self.size:,} bytes decode to more than {self._decoded:,} by row {self._rows - 1}, as "
                "no data do"
            )


def batches(path: Path, file: Any, **options: Any) -> Iterator[Any]:
    """The batches of a parquet file.

    Args:
        path: Of the file, whose size counts.
        file: It, opened: a `pyarrow.parquet.ParquetFile`.
        options: Of its `iter_batches`.

    Raises:
        DecodesTooFar: They decode to far more than the file's size, as no data do.
    """
    decoded = Decoded(str(path), path.stat().st_size)
    for batch in file.iter_batches(batch_size=BATCH, **options):
        decoded.add(batch)
        yield batch


def read_table(path: Path, columns: Sequence[str] | None = None) -> Any:
    """All of a parquet file, or some columns, as pyarrow's table.

    Raises:
        OSError: It is no regular file, or no parquet file.
        DecodesTooFar: As `batches`.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(open_regular(path)) as file:
        some = file.schema_arrow.names if columns is None else columns
        schema = pa.schema([file.schema_arrow.field(name) for name in some])
        return pa.Table.from_batches(batches(path, file, columns=columns), schema=schema)


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
