"""Files that are written whole or not at all, and locks that die with their holder.

Folders that are made whole, and once, are those of `data_prep.files.atomic_folder.make_once`: data_prep makes some as
well, and imports nothing of this package. (rewards, which imports nothing at all, writes one kind of file: the judge's
cache, outside a results folder.) What a killed writer of either leaves is `.<name>.<host>-<...>.tmp` beside what it was
to become; `is_leftover` knows it.
"""

import errno
import fcntl
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sweeper.host.errors import DamagedError, SweeperError

# After the first as versions up to 0.1 named them. Not every *.partial: an evaluation keeps finished blocks in one.
_LEFTOVERS = (".*.tmp", ".*.building", ".*.partial", "code/*.partial", "runs/*/train.partial", "runs/*/ray-*.partial")
_SUFFIXES = (".tmp", ".building", ".partial")


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Make a file that is either absent, old or whole, whatever is killed when; its folder is made if absent.

    Yields:
        Where to write it. It takes the place of `path` when the block ends, and is gone if the block raises.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Processes on two nodes may have the same id.
    temporary = path.with_name(f".{path.name}.{socket.gethostname()}-{os.getpid()}.tmp")
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException as error:  # the disk is full, or the process is told to stop
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:  # writing names no file
            error.filename = str(path)
        raise


def write_atomic(path: Path, text: str, *, is_private: bool = False) -> None:
    """Write a text file as `whole` does; one that `is_private` others can never read, not even for a moment."""
    flags, mode = os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600 if is_private else 0o666
    with whole(path) as temporary, os.fdopen(os.open(temporary, flags, mode), "w") as file:
        file.write(text)


@contextmanager
def undamaged(path: Path, *, cure: str) -> Iterator[None]:
    """For a block that reads a file which we wrote; `cure` is what to do if it is damaged.

    Raises:
        DamagedError: the block found another content than ours, or could not read it.
    """
    try:
        yield
    except PermissionError as error:
        raise DamagedError(f"{path} cannot be read: {error.strerror}; check its rights") from error
    except OSError as error:  # a folder, a link to nothing or to itself, a file in its folder's place
        raise DamagedError(f"{path} is damaged: {error.strerror or error}; {cure}") from error
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        text = " ".join(str(error).split())[:200]
        if not path.stat().st_size:
            why = "it is empty"
        elif isinstance(error, KeyError):
            why = f"{text} is missing"
        else:
            why = text if isinstance(error, ValueError) else "it holds something else than was written into it"
        raise DamagedError(f"{path} is damaged: {why}; {cure}") from error


def is_leftover(path: Path) -> bool:
    """Whether a file or folder is what a killed writer left, or what a living one is writing now: its age tells."""
    return path.name.endswith(_SUFFIXES) and any(path.match(pattern) for pattern in _LEFTOVERS)


class LockedError(SweeperError, RuntimeError):
    """Another process holds the lock."""


@contextmanager
def locked(path: Path, *, wait: bool) -> Iterator[int]:
    """Hold an exclusive lock on a file, which is made if absent; the kernel releases it when this process dies.

    Without `wait` it gives up after a second: a reader of the state may hold it for an instant.

    Yields:
        The lock's file descriptor. A child that inherits it holds the lock as long as it lives.

    Raises:
        LockedError: held by another process and not `wait`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        deadline = time.monotonic() + 1
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise LockedError(f"{path} is held by another process: the run is already running") from None
                time.sleep(0.05)
        with suppress(OSError):  # a full disk is no reason not to hold it
            file.truncate(0)
            file.write(f"{socket.gethostname()} {os.getpid()}")
            file.flush()
        yield file.fileno()


def is_locked(path: Path) -> bool:
    """Whether another holds the lock on a file; False: nobody does, or there is no such file."""
    try:
        file = path.open("r")
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP):
            return False
        raise
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def holder(path: Path) -> tuple[str, int] | None:
    """Host and process that hold a lock; None: nobody does, or it does not say."""
    if not is_locked(path):
        return None
    host, _, pid = path.read_text().partition(" ")
    return (host, int(pid)) if pid.isdigit() else None
