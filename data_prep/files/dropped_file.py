"""What preparation left out, each row with its reason: the side file `dropped.parquet` and its counts."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from data_prep.files.row import Row
from rewards.bounded_parquet import read_table

# Enough to recognise a problem by; whole prompts of thousands of rows would double the output.
EXCERPT = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class DroppedRecord:
    """One line of `dropped.parquet`.

    `problem_id` is None for a row that could not be converted, `text` where the prompt was not read.
    """

    problem_id: str | None
    data_source: str
    step: str
    reason: str
    text: str | None


def record_of(row: Row, step: str, reason: str) -> DroppedRecord:
    """The line of a dropped row."""
    text = row.prompt[-1].content[:EXCERPT]
    return DroppedRecord(problem_id=row.problem_id, data_source=row.data_source, step=step, reason=reason, text=text)


def dropped_counts(records: Iterable[DroppedRecord]) -> dict[str, int]:
    """How many rows each step left out."""
    return dict(sorted(Counter(record.step for record in records).items()))


def write_dropped(records: Sequence[DroppedRecord], path: Path) -> None:
    """Writes the side file: columns problem_id, data_source, step, reason, text."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = ("problem_id", "data_source", "step", "reason", "text")
    schema = pa.schema([(name, pa.string()) for name in names])
    columns = {name: [getattr(record, name) for record in records] for name in names}
    pq.write_table(pa.Table.from_pydict(columns, schema=schema), path, compression="zstd")


def read_dropped(path: Path) -> list[DroppedRecord]:
    """Reads the side file back."""
    return [DroppedRecord(**record) for record in read_table(path).to_pylist()]
