"""A file that somebody else may have put there: a regular one of bounded size, or refused before it is read.

A named pipe in a results folder would hang whoever opens it, `/dev/zero` fill the memory, a log of gigabytes both. Here
such a thing is an `OSError` that names it, so that a reader that goes on after a damaged file goes on after this too.
A link is followed: what it leads to has to be a regular file. It lies here because every package may import `rewards`;
it imports nothing of ours.
"""

import errno
import json
import os
import re
import stat
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import Any

MIB = 1 << 20
JSON_BYTES = 32 * MIB  # of one document: 120,000 training steps of a row
JSON_ITEMS = 2_000_000  # of one document, at some 64 bytes of memory
JSON_DEPTH = 64  # of what is kept as it is, and walked by functions that call themselves
TAIL_BYTES = MIB  # of a log: verl prints the first traceback again for every worker, far above the last line
LINE_BYTES = 64 * MIB  # of one line of a file that is read line by line
_HALF = re.compile(r"\\u[dD][89a-fA-F]")
_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_KINDS = {stat.S_IFIFO: "a named pipe", stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device"}


def open_regular(path: Path) -> BufferedReader:
    """Open a regular file, or a link to one, to read its bytes; never waits for a writer.

    Raises:
        OSError: it is something else, is not there, or may not be read; names the file.
    """
    require_regular(path)  # before it is opened: to open a device may do something
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        _require(os.fstat(descriptor), path)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_bytes(path: Path, at_most: int) -> bytes:
    """All bytes of a regular file.

    Args:
        path: Of the file.
        at_most: Bytes that it may have.

    Raises:
        OSError: as `open_regular`, or it has more.
    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        data = file.read(at_most + 1) if size <= at_most else b""  # it may grow meanwhile
    if max(size, len(data)) > at_most:
        raise _too_large(path, at_most)
    return data


def read_text(path: Path, at_most: int = JSON_BYTES, *, encoding: str = "utf-8", errors: str = "strict") -> str:
    """All text of a regular file, errors as in `read_bytes`.

    Raises:
        ValueError: it is not in that encoding.
    """
    return read_bytes(path, at_most).decode(encoding, errors)


def read_json(path: Path, at_most: int = JSON_BYTES) -> Any:
    """The JSON document in a regular file, errors as in `read_bytes` and `parsed`."""
    return parsed(read_text(path, at_most))


def parsed(text: str | bytes) -> Any:
    """A JSON document of bounded size.

    Raises:
        ValueError: it is none, it has more than `JSON_ITEMS` parts, they are nested deeper than Python goes, or a text
            holds half of a surrogate pair.
    """
    text = text.decode() if isinstance(text, bytes) else text
    require_parts(text, JSON_ITEMS)
    try:
        value = json.loads(text)
        if _HALF.search(text):  # of a pair, mostly: what is left of a broken one can neither be printed nor written
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    except UnicodeEncodeError:
        raise ValueError("it holds half of a surrogate pair, which is no text") from None
    return value


def require_parts(text: str, at_most: int) -> None:
    """Require a JSON document of so few parts, before it is parsed; what stands in its texts is none.

    Raises:
        ValueError: it has more.
    """
    if _marks(text) > at_most and _marks(_STRING.sub("", text)) > at_most:
        raise ValueError(f"it has more than {at_most:,} parts")


def _marks(text: str) -> int:
    return sum(map(text.count, ",[{"))


def shallow(value: Any, depth: int = JSON_DEPTH) -> Any:
    """The value, if its lists and objects are nested no deeper than that.

    Raises:
        ValueError: they are.
    """
    level = [value]
    for _ in range(depth):
        nested = (item.values() if isinstance(item, dict) else item for item in level if isinstance(item, dict | list))
        level = [inner for items in nested for inner in items if isinstance(inner, dict | list)]
        if not level:
            return value
    raise ValueError(f"it is nested deeper than {depth} levels")


def lines(path: Path, *, at_most: int) -> Iterator[bytes]:
    """The lines of a regular file one by one, told apart by line feeds alone, each with its own.

    Args:
        path: Of the file.
        at_most: Bytes that it may have.

    Raises:
        OSError: as `read_bytes`.
        ValueError: a line is longer than `LINE_BYTES`.
    """
    with open_regular(path) as file:
        if os.fstat(file.fileno()).st_size > at_most:
            raise _too_large(path, at_most)
        left = at_most
        while line := file.readline(min(LINE_BYTES, left) + 1):
            left -= len(line)
            if left < 0 or len(line) > LINE_BYTES:
                raise ValueError(f"a line is longer than {_amount(LINE_BYTES)}, or the file grows without end")
            yield line


def last_bytes(path: Path, at_most: int = TAIL_BYTES, *, start: int = 0) -> bytes:
    """The end of a regular file.

    Args:
        path: Of the file.
        at_most: Bytes.
        start: The first byte that may be among them.

    Raises:
        OSError: as `open_regular`.
    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        file.seek(max(start, size - at_most))
        return file.read(at_most)


def require_regular(path: Path, *, at_most: int | None = None) -> None:
    """Require a regular file, or a link to one, without opening it.

    Args:
        path: Of the file.
        at_most: Bytes that it may have; None: any number.

    Raises:
        OSError: it is something else, has more or is not there; names the file.
    """
    about = path.stat()
    _require(about, path)
    if at_most is not None and about.st_size > at_most:
        raise _too_large(path, at_most)


def _require(about: os.stat_result, path: Path) -> None:
    if stat.S_ISDIR(about.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(about.st_mode):
        kind = _KINDS.get(stat.S_IFMT(about.st_mode), "something else")
        raise OSError(errno.EINVAL, f"{kind} is where a regular file should be", str(path))


def _too_large(path: Path, at_most: int) -> OSError:
    return OSError(errno.EFBIG, f"it is larger than the {_amount(at_most)} that are read of such a file", str(path))


def _amount(size: int) -> str:
    return f"{size // MIB:,} MiB" if size >= MIB else f"{size:,} bytes"
