"""Reads a parquet or JSONL file record by record, naming the file and the row of whatever is wrong."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from data_prep.spec import DataError

Record = Mapping[str, object]

SUFFIXES = (".parquet", ".jsonl")
# Rows of code problems hold megabytes of tests; a batch of them must fit in memory several times.
_BATCH = 1024


def records(path: Path) -> Iterator[tuple[int, Record]]:
    """Row numbers, counted from 0, and records of a file.

    Raises:
        DataError: Not readable as its suffix says, no row in it, or text that is not UTF-8.
    """
    empty = True
    for item in _json_lines(path) if path.suffix == ".jsonl" else _parquet(path):
        empty = False
        yield item
    if empty:
        raise DataError(f"{path} holds no row. Take it out of data_root, or fetch it again.")


def _parquet(path: Path) -> Iterator[tuple[int, Record]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    start = 0
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=_BATCH):
                yield from enumerate(_plain(path, start, batch), start)
                start += batch.num_rows
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"{path} cannot be read as parquet after row {start}: {error}. Fetch it again, or take it out of data_root."
        ) from error


def _plain(path: Path, start: int, batch: object) -> list[Record]:
    try:
        rows: list[Record] = batch.to_pylist()  # type: ignore[attr-defined]
        return rows
    except UnicodeDecodeError:
        rows = []
    for number in range(batch.num_rows):  # type: ignore[attr-defined]
        try:
            rows += batch.slice(number, 1).to_pylist()  # type: ignore[attr-defined]
        except UnicodeDecodeError as error:
            raise DataError(
                f"{path} row {start + number}: text is not UTF-8 ({error}). Write the file again in UTF-8."
            ) from error
    return rows


def _json_lines(path: Path) -> Iterator[tuple[int, Record]]:
    with path.open("rb") as stream:
        for number, line in enumerate(stream):
            if not line.strip():
                continue
            try:
                record = json.loads(line.decode("utf-8-sig" if number == 0 else "utf-8"))
            except UnicodeDecodeError as error:
                raise DataError(
                    f"{path} row {number}: text is not UTF-8 ({error}). Write the file again in UTF-8."
                ) from error
            except (ValueError, RecursionError) as error:
                raise DataError(f"{path} row {number}: not JSON ({error}). Repair the line or cut it out.") from error
            if not isinstance(record, dict):
                raise DataError(f"{path} row {number}: {type(record).__name__} instead of a JSON object.")
            if b"\\ud" in line.lower():  # half of a pair that JSON may spell and UTF-8 may not
                try:
                    json.dumps(record, ensure_ascii=False).encode()
                except UnicodeEncodeError as error:
                    raise DataError(f"{path} row {number}: text is not Unicode ({error}). Repair the line.") from error
            yield number, record
