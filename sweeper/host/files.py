"""Files that are written whole or not at all, and locks that die with their holder."""

import fcntl
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sweeper.host.errors import SweeperError


def write_atomic(path: Path, text: str) -> None:
    """Write a file that is either absent, old or whole, whatever is killed when."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Processes on two nodes may have the same id.
    temporary = path.with_name(f".{path.name}.{socket.gethostname()}-{os.getpid()}.tmp")
    try:
        with temporary.open("w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:  # the disk is full
        temporary.unlink(missing_ok=True)
        raise


class LockedError(SweeperError, RuntimeError):
    """Another process holds the lock."""


@contextmanager
def locked(path: Path, *, wait: bool) -> Iterator[int]:
    """Hold an exclusive lock on a file; released by the kernel when this process dies.

    Args:
        path: The lock file, created if absent.
        wait: Block until free; otherwise give up after a second (a reader of the state may hold it for an instant).

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
        yield file.fileno()
