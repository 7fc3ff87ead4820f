"""Folders that appear whole or not at all, made once however many processes want them."""

import os
import secrets
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from data_prep.files import lock

_ABANDONED_S = 24 * 3600


def make_once(folder: Path, *, done: str, make: Callable[[Path], None]) -> None:
    """Makes `folder` unless it is finished; on return it is.

    Processes on one machine, or on a file system with working locks, wait for the first; elsewhere each makes the
    same bytes in a folder of its own, and the first rename wins. What a killed process leaves is a hidden folder beside
    `folder`, `.<name>.<host>-<random>.tmp`, which the next to make it removes: at once if it is of this host, else a
    day later.

    Args:
        folder: Where it shall be.
        done: Name of a file in it that it never lacks when it is whole.
        make: Fills the folder it is given.

    Raises:
        OSError: it cannot be made; names `folder`, or what would be in it, and none of the names that only we use.
    """
    if (folder / done).is_file():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock_file = folder.parent / f".{folder.name}.lock"
    with _named(folder, lock_file), _locked(lock_file) as is_locked:
        if (folder / done).is_file():
            return
        prefix = f".{folder.name}.{socket.gethostname()}-"
        # A lock that works reaches the processes of its own machine, whatever the file system.
        _remove_abandoned(folder, at_once=prefix if is_locked else None)
        temporary = folder.with_name(f"{prefix}{secrets.token_hex(6)}.tmp")
        with _named(folder, temporary):
            temporary.mkdir()  # fails where anything is, and is as open as the umask and the folder around it say
            try:
                make(temporary)
                _sync(temporary)
                try:
                    temporary.rename(folder)
                except OSError:
                    # Another machine was first: a non-empty folder cannot be renamed over, and its content is the same.
                    if not (folder / done).is_file():
                        raise
            finally:
                shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def _named(folder: Path, ours: Path) -> Iterator[None]:
    """Let an error of a file name what was asked for, in place of our own name for it, or for what lies in it."""
    try:
        yield
    except OSError as error:
        if isinstance(error.filename, str | Path) and Path(error.filename).is_relative_to(ours):
            error.filename, error.filename2 = str(folder / Path(error.filename).relative_to(ours)), None
        raise


def _sync(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as stream:
                os.fsync(stream.fileno())


@contextmanager
def _locked(path: Path) -> Iterator[bool]:
    """Yields whether there is a lock: on a file system without them work is done twice, its result still right."""
    while True:
        descriptor = lock.opened(path)
        try:
            try:
                lock.take(descriptor, path, wait=True)
                is_locked = True
            except OSError:
                is_locked = False
            if not _is_at(descriptor, path):
                continue  # its last holder removed it while this process waited: another may hold the next one
            try:
                yield is_locked
            finally:
                path.unlink(missing_ok=True)
            return
        finally:
            os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _remove_abandoned(folder: Path, *, at_once: str | None) -> None:
    """Removes what killed processes left of `folder`.

    What does not begin with `at_once` only after a day: where locks do not reach other machines, one of these may
    still be at work.
    """
    earlier = f".{folder.name}-*"  # as versions up to 0.1 named it
    for left in (*folder.parent.glob(f".{folder.name}.*-*.tmp"), *folder.parent.glob(earlier)):
        with suppress(OSError):
            is_dead = at_once is not None and left.name.startswith(at_once)
            if is_dead or time.time() - max(path.stat().st_mtime for path in (left, *left.rglob("*"))) > _ABANDONED_S:
                shutil.rmtree(left, ignore_errors=True)
