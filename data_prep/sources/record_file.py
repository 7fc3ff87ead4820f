"""Reads a data file record by record, naming the file and the row of whatever is wrong.

CSV, TSV and Arrow are read by Hugging Face `datasets`. Parquet and JSON are read here, for reasons that are measured
(docs/data.md): `datasets` names no row of a file that it cannot read on, rewrites values whose type changes between
rows (`[{"x": 1}]` becomes `['{"x":1}']`, a number beside text becomes text), and takes longer.
"""

import csv
import io
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from data_prep.sources.file_format import UNREADABLE, Format, decompressed, format_of, opened
from data_prep.spec import DataError
from rewards.bounded_file import LINE_BYTES, MIB, open_regular, require_parts
from rewards.bounded_parquet import Decoded, DecodesTooFar, batches

Record = Mapping[str, object]

_PEEK = 1 << 16
_LIST_BYTES = 256 * MIB  # of a list that is one document: it is in memory as a whole
_LIST_PARTS = 20_000_000  # of one, at some 64 bytes of memory
_CHUNK_BYTES = 256 * MIB  # of rows that `datasets` reads at once
_CHUNK_ROWS = 10_000  # its own
_ARROW_FILE = b"ARROW1"
_POINTERS = {
    b"version https://git-lfs": "a git-lfs pointer, not the data. Run `git lfs pull` where it was cloned",
    b"/annex/objects/": "a git-annex pointer, not the data. Run `git annex get` where it was cloned",
}


def records(path: Path) -> Iterator[tuple[int, Record]]:
    """Row numbers, counted from 0, and records of a file.

    Raises:
        DataError: Not readable as its ending says, no row in it, or text that is not UTF-8.
    """
    number = -1
    try:
        _refuse_pointer(path)
        for number, record in _READERS[format_of(path.name) or Format.json_lines](path):
            yield number, record
    except UNREADABLE as error:
        raise _broken(path, "", number, error, "Fetch it again") from error
    if number < 0:
        raise DataError(f"{path} holds no row. Take it out of data_root, or fetch it again.")


def column(path: Path, name: str) -> list[object]:
    """The values of one column, None where a row or the file has none; of a parquet file nothing else is read.

    Raises:
        DataError: See `records`.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if format_of(path.name) is not Format.parquet:
        return [record.get(name) for _, record in records(path)]
    try:
        _refuse_pointer(path)
        with decompressed(path) as plain, pq.ParquetFile(open_regular(plain)) as file:
            if name not in file.schema_arrow.names:
                return [None] * file.metadata.num_rows
            parts = _batches(path, file, columns=[name])
            return [value for batch in parts for value in batch.column(0).to_pylist()]
    except (pa.ArrowException, UnicodeDecodeError, *UNREADABLE) as error:
        raise _broken(path, Format.parquet, -1, error, "Fetch it again") from error


def _broken(path: Path, kind: str, last: int, error: Exception, cure: str) -> DataError:
    """The error of a file that cannot be read on after its row `last`; -1: none was read."""
    place = f" after row {last}" if last >= 0 else ""
    said = " ".join(str(error).split()).rstrip(".")
    return DataError(
        f"{path} cannot be read{kind and f' as {kind}'}{place}: {said}. {cure}, or take it out of data_root."
    )


def _refuse_pointer(path: Path) -> None:
    with open_regular(path) as stream:
        start = stream.read(max(map(len, _POINTERS)))
    for mark, cure in _POINTERS.items():
        if start.startswith(mark):
            raise DataError(f"{path} is {cure}.")


def _parquet(path: Path) -> Iterator[tuple[int, Record]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    start = 0
    with decompressed(path) as plain:
        try:
            with pq.ParquetFile(open_regular(plain)) as file:
                for batch in _batches(path, file):
                    yield from enumerate(_plain(path, start, batch), start)
                    start += batch.num_rows
        except (pa.ArrowException, OSError) as error:
            raise _broken(path, Format.parquet, start - 1, error, "Fetch it again") from error


def _batches(path: Path, file: Any, **options: Any) -> Iterator[Any]:
    """`bounded_parquet.batches`.

    Raises:
        DataError: As it does.
    """
    try:
        yield from batches(path, file, **options)
    except DecodesTooFar as error:
        raise DataError(f"{error}. Take it out of data_root.") from None


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


def _json(path: Path) -> Iterator[tuple[int, Record]]:
    """The objects of a JSON list, or of lines."""
    with opened(path) as stream:
        text = stream.read(_PEEK)
        is_list = text.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"[")
        text += stream.read(_LIST_BYTES + 1) if is_list else b""
    if not is_list:
        yield from _json_lines(path)
        return
    if len(text) > _LIST_BYTES:
        raise DataError(f"{path}: a list of more than {_LIST_BYTES // MIB} MiB. Write its rows as lines (.jsonl).")
    try:
        decoded = text.decode("utf-8-sig")
        require_parts(decoded, _LIST_PARTS)
        found = json.loads(decoded)
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: text is not UTF-8 ({error}). Write the file again in UTF-8.") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: not JSON ({error}). Repair the file.") from error
    for number, record in enumerate(found):
        yield number, _object(record, f"{path} row {number}", may_be_halved=b"\\ud" in text.lower())


def _json_lines(path: Path) -> Iterator[tuple[int, Record]]:
    with opened(path) as stream:
        for number, line in enumerate(iter(lambda: stream.readline(LINE_BYTES + 1), b"")):
            if not line.strip():
                continue
            where = f"{path} row {number}"
            if len(line) > LINE_BYTES:
                raise DataError(f"{where}: a line of more than {LINE_BYTES // MIB} MiB. Cut it out.")
            try:
                record = json.loads(line.decode("utf-8-sig" if number == 0 else "utf-8"))
            except UnicodeDecodeError as error:
                raise DataError(f"{where}: text is not UTF-8 ({error}). Write the file again in UTF-8.") from error
            except (ValueError, RecursionError) as error:
                raise DataError(f"{where}: not JSON ({error}). Repair the line or cut it out.") from error
            yield number, _object(record, where, may_be_halved=b"\\ud" in line.lower())


def _object(record: object, where: str, *, may_be_halved: bool) -> Record:
    if not isinstance(record, dict):
        raise DataError(f"{where}: {type(record).__name__} instead of a JSON object.")
    if may_be_halved:  # half of a pair that JSON may spell and UTF-8 may not
        try:
            json.dumps(record, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            raise DataError(f"{where}: text is not Unicode ({error}). Repair the line.") from error
    return record


def _by_datasets(path: Path) -> Iterator[tuple[int, Record]]:
    """CSV, TSV and Arrow, a batch at a time; nothing is cached and nothing is asked of the hub."""
    import datasets

    datasets.config.HF_UPDATE_DOWNLOAD_COUNTS = False  # else each local file is counted on the hub: 3 s without one
    kind = format_of(path.name) or Format.arrow
    with decompressed(path) as unpacked, _plainly_named(unpacked) as plain:
        number = -1
        try:
            separator = {Format.csv: ",", Format.tsv: "\t"}.get(kind)
            options = _csv_options(plain, separator) if separator else _arrow_options(plain)
            builder = "arrow" if separator is None else "csv"
            rows = datasets.load_dataset(builder, data_files=[str(plain)], split="train", streaming=True, **options)
            for number, record in enumerate(rows):
                # An empty cell is no value.
                yield number, {n: v if v != "" else None for n, v in record.items()} if separator else record
        except (ValueError, OSError, csv.Error, datasets.exceptions.DatasetsError) as error:
            raise _broken(path, kind, number, error, "Repair the file") from error


@contextmanager
def _plainly_named(path: Path) -> Iterator[Path]:
    """The file under a path that says nothing but where it is: `datasets` takes `[`, `*` and `::` for patterns."""
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder, f"rows{path.suffix}")
        link.symlink_to(path.absolute())
        yield link


def _csv_options(path: Path, separator: str) -> dict[str, object]:
    """Every cell is text: read as numbers, the gold 007 would be 7.0."""
    import datasets

    header, longest = _measured(path, separator)
    if len(set(header)) < len(header):
        raise ValueError(f"two columns of one name: {header}")
    features = datasets.Features({name: datasets.Value("string") for name in header})
    return {
        **{"features": features, "sep": separator, "keep_default_na": False, "na_filter": False},
        "chunksize": max(1, min(_CHUNK_ROWS, _CHUNK_BYTES // max(1, longest))),
    }


def _arrow_options(path: Path) -> dict[str, object]:
    """None, for a file that decodes to no more than data do.

    Raises:
        DecodesTooFar: It decodes to more.
        ValueError: It is no Arrow.
    """
    import pyarrow as pa

    decoded = Decoded(path.name, path.stat().st_size)
    with open_regular(path) as file:
        if file.peek(len(_ARROW_FILE)).startswith(_ARROW_FILE):  # else read as a stream, whose first length is a word
            read = pa.ipc.open_file(file)
            parts = map(read.get_batch, range(read.num_record_batches))
        else:
            parts = pa.ipc.open_stream(file)
        for batch in parts:
            decoded.add(batch)
    return {}


def _measured(path: Path, separator: str) -> tuple[list[str], int]:
    """The first row, and the characters of the longest, with its ends of lines.

    Raises:
        ValueError: A row is longer than `LINE_BYTES`.
    """
    taken = 0

    def lines() -> Iterator[str]:
        nonlocal taken
        while line := stream.readline(LINE_BYTES + 1):
            taken += len(line)
            if taken > LINE_BYTES:
                raise ValueError(f"a row of more than {LINE_BYTES // MIB} MiB")
            yield line

    before = csv.field_size_limit()
    try:
        with io.TextIOWrapper(open_regular(path), "utf-8-sig", newline="") as stream:
            rows = csv.reader(lines(), delimiter=separator)
            header, longest = next(rows, []), taken
            csv.field_size_limit(LINE_BYTES)
            taken = 0
            for _ in rows:
                longest, taken = max(longest, taken), 0
            return header, longest
    finally:
        csv.field_size_limit(before)


_READERS: Mapping[Format, Callable[[Path], Iterator[tuple[int, Record]]]] = {
    Format.parquet: _parquet,
    Format.json_lines: _json_lines,
    Format.json: _json,
    Format.csv: _by_datasets,
    Format.tsv: _by_datasets,
    Format.arrow: _by_datasets,
}
