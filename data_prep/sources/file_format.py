"""What a data file's name says of how it is written, and its bytes without compression."""

import bz2
import gzip
import io
import lzma
import re
import shutil
import tempfile
import zlib
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
UNREADABLE = (EOFError, OSError, zlib.error, lzma.LZMAError)  # of a file, or of its compression
_PEEK = 1 << 16
_NEXT_OBJECT = re.compile(rb"\}[ \t\r]*\n\s*\{")  # no line ends inside a string of JSON


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


def is_one_object(path: Path) -> bool:
    """Whether a `.json` file has one object alone, which describes other files, and no list nor several objects.

    What cannot be read is none: whoever reads it says why.
    """
    try:
        with opened(path) as stream:
            start = stream.read(_PEEK).removeprefix(b"\xef\xbb\xbf").lstrip()
    except UNREADABLE:
        return False
    return start.startswith(b"{") and not _NEXT_OBJECT.search(start)
