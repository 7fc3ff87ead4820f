"""Folders that appear whole or not at all, made once however many processes want them."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def make_once(folder: Path, *, done: str, make: Callable[[Path], None]) -> None:
    """Makes `folder` unless it is finished; on return it is.

    Processes on one machine, or on a file system with working locks, wait for the first; elsewhere each makes the
    same bytes in a folder of its own, and the first rename wins.

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

    with path.open("w") as stream:
        # On a file system without locks work is done twice, and its result is still right.
        with suppress(OSError):
            fcntl.flock(stream, fcntl.LOCK_EX)
        try:
            yield
        finally:
            # Whoever waits for this file holds it open. One who comes later locks a new file, and finds the folder.
            path.unlink(missing_ok=True)
