"""Folders that appear whole or not at all, made once however many processes want them."""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_ABANDONED_S = 24 * 3600


def make_once(folder: Path, *, done: str, make: Callable[[Path], None]) -> None:
    """Makes `folder` unless it is finished; on return it is.

    Processes on one machine, or on a file system with working locks, wait for the first; elsewhere each makes the
    same bytes in a folder of its own, and the first rename wins. What a killed process leaves is a hidden folder beside
    `folder`, which the first to make it a day later removes.

    Args:
        folder: Where it shall be.
        done: Name of a file in it that `make` writes last.
        make: Fills the folder it is given.
    """
    if (folder / done).is_file():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _locked(folder.parent / f".{folder.name}.lock"):
        if (folder / done).is_file():
            return
        _remove_abandoned(folder)
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            make(temporary)
            _sync(temporary)
            temporary.chmod(0o755)  # mkdtemp makes it private; jobs of other users of a cluster may have to read it
            try:
                temporary.rename(folder)
            except OSError:
                # Another machine was first: a non-empty folder cannot be renamed over, and its content is the same.
                if not (folder / done).is_file():
                    raise
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def _sync(folder: Path) -> None:
    for path in folder.iterdir():
        with path.open("rb") as stream:
            os.fsync(stream.fileno())


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    import fcntl

    while True:
        with path.open("w") as stream:
            # On a file system without locks work is done twice, and its result is still right.
            with suppress(OSError):
                fcntl.flock(stream, fcntl.LOCK_EX)
            if not _is_at(stream.fileno(), path):
                continue  # its last holder removed it while this process waited: another may hold the next one
            try:
                yield
            finally:
                path.unlink(missing_ok=True)
            return


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _remove_abandoned(folder: Path) -> None:
    """Removes what killed processes left of `folder`.

    Only after a day: where locks do not reach other machines, one of these may still be at work.
    """
    for left in folder.parent.glob(f".{folder.name}-*"):
        with suppress(OSError):
            if time.time() - max(path.stat().st_mtime for path in (left, *left.iterdir())) > _ABANDONED_S:
                shutil.rmtree(left, ignore_errors=True)
