"""What a data file's name says of how it is written, and its bytes without compression."""

import bz2
import gzip
import io
import lzma
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO, cast


class Format(StrEnum):
    """How rows are written."""

    parquet = "parquet"
    json_lines = "JSON lines"
    json = "JSON"
    csv = "CSV"
    tsv = "TSV"
    arrow = "Arrow"


_FORMATS = {
    ".parquet": Format.parquet,
    ".jsonl": Format.json_lines,
    ".ndjson": Format.json_lines,
    ".json": Format.json,
    ".csv": Format.csv,
    ".tsv": Format.tsv,
    ".arrow": Format.arrow,
}
COMPRESSIONS = (".gz", ".bz2", ".xz", ".zst")
ENDINGS = f"{', '.join(_FORMATS)}; compressed too: {', '.join(COMPRESSIONS)}"
_PEEK = 1 << 16


def format_of(name: str) -> Format | None:
    """The format of a file by its name's ending, in any case, compressed or not; None: no data file."""
    return _FORMATS.get(Path(plain_name(name)).suffix.lower())


def plain_name(name: str) -> str:
    """The name without the ending of a compression."""
    return name[: -len(Path(name).suffix)] if Path(name).suffix.lower() in COMPRESSIONS else name


def stem(name: str) -> str:
    """The name of a data file without its endings."""
    return Path(plain_name(name)).stem if format_of(name) else name


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The file's bytes, decompressed as they are read.

    Raises:
        OSError: It cannot be read, or decompressed from the start.
    """
    import pyarrow as pa

    suffix = path.suffix.lower()
    if suffix == ".zst":
        with pa.input_stream(str(path), compression="zstd") as stream:
            yield cast("BinaryIO", io.BufferedReader(stream))
        return
    openers: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
    with openers.get(suffix, open)(path, "rb") as stream:
        yield stream


@contextmanager
def decompressed(path: Path) -> Iterator[Path]:
    """The file itself, or, while it is in use, a copy without compression for readers that must seek."""
    if path.suffix.lower() not in COMPRESSIONS:
        yield path
        return
    with tempfile.TemporaryDirectory() as folder, opened(path) as stream:
        plain = Path(folder, plain_name(path.name))
        with plain.open("wb") as copy:
            shutil.copyfileobj(stream, copy)
        yield plain


def holds_rows(path: Path) -> bool:
    """Whether a `.json` file is a list, or has an object on each line: one object alone describes other files."""
    with opened(path) as stream:
        start = stream.read(_PEEK).removeprefix(b"\xef\xbb\xbf").lstrip()
    first, line_end, rest = start.partition(b"\n")
    is_object_a_line = first.rstrip().endswith(b"}") and bool(line_end) and rest.lstrip().startswith(b"{")
    return start.startswith(b"[") or (start.startswith(b"{") and is_object_a_line)
