"""What a data file's name says of how it is written, and its bytes without compression."""

import bz2
import errno
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
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from rewards.bounded_file import MIB, open_regular


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
_MOST_TIMES = 200  # its size, that a compressed file may unpack to
_ALWAYS = 64 * MIB  # bytes that any may
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


class _Unpacked(io.RawIOBase):
    """The bytes of a compressed file, as many as data may have: 3 MB of gzip can hold 3 GB of one letter."""

    def __init__(self, stream: Any, most: int) -> None:
        self._stream, self._most, self._left = stream, most, most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        part = self._stream.read(len(buffer))
        self._left -= len(part)
        if self._left < 0:
            raise OSError(errno.EFBIG, f"it unpacks to more than {self._most:,} bytes, as no data do")
        buffer[: len(part)] = part
        return len(part)


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The file's bytes, decompressed as they are read.

    Raises:
        OSError: It cannot be read, or decompressed from the start.
    """
    import pyarrow as pa

    suffix = path.suffix.lower()
    openers: dict[str, Callable[..., Any]] = {
        **{".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open},
        ".zst": partial(pa.CompressedInputStream, compression="zstd"),
    }
    with open_regular(path) as packed:
        if suffix not in openers:
            yield packed
            return
        with openers[suffix](packed) as stream:
            yield io.BufferedReader(_Unpacked(stream, max(_ALWAYS, _MOST_TIMES * path.stat().st_size)), MIB)


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
