"""The cores of a machine, shared by scoring processes that do not know of each other.

Limits in wall time run on while a core is waited for, so a right answer would be late where many processes score at
once. Processes that share a folder of this kind never have more runs under way than it has files: a run holds the lock
of one, which the kernel releases however its process ends.
"""

import fcntl
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDER_VARIABLE = "REWARDS_CORES"  # names the folder; unset: every process goes by its own pools


def share(folder: Path, cores: int) -> dict[str, str]:
    """Makes a folder, which must lie on this machine, for as many runs at once; returns the variable that says so."""
    folder.mkdir(parents=True, exist_ok=True)
    for core in range(max(1, cores)):
        (folder / str(core)).touch()
    return {FOLDER_VARIABLE: str(folder)}


@contextmanager
def one_core() -> Iterator[None]:
    """Begins the block when a core is free; at once where cores are not shared."""
    folder = os.environ.get(FOLDER_VARIABLE)
    if not folder:
        yield
        return
    descriptor = _locked([entry.path for entry in os.scandir(folder)])
    try:
        yield
    finally:
        os.close(descriptor)


def _locked(paths: list[str]) -> int:
    """A descriptor that holds the lock of one of the files; if none is free, the wait is for any one of them."""
    random.shuffle(paths)
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
        else:
            return descriptor
    descriptor = os.open(paths[0], os.O_RDONLY | os.O_CLOEXEC)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor
