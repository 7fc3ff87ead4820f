"""Files that are written whole or not at all, whatever is killed when; every package may import this.

What a killed writer leaves is `.<name>.<host>-<random>.tmp` beside the file that it was to become.
"""

import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Make a file that is either absent, old or whole; its folder is made if absent.

    Yields:
        Where to write it. It takes the place of `path` when the block ends, and is gone if the block raises.

    Raises:
        OSError: it cannot be written; names `path`, never the temporary name.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # A name that nobody can foresee: what lies there already would be written into.
    temporary = path.with_name(f".{path.name}.{socket.gethostname()}-{secrets.token_hex(6)}.tmp")
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException as error:  # the disk is full, or the process is told to stop
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        # Writing names no file, and what has no right to write was not asked for our temporary one.
        if isinstance(error, OSError) and error.filename in (None, temporary, str(temporary)):
            error.filename, error.filename2 = str(path), None
        raise


def write_whole(path: Path, text: str, *, is_private: bool = False) -> None:
    """Write a text file as `whole` does; one that `is_private` others can never read, not even for a moment."""
    flags, mode = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600 if is_private else 0o666
    with whole(path) as temporary, os.fdopen(os.open(temporary, flags, mode), "w") as file:
        file.write(text)
