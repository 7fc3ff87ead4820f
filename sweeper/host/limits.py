"""What the kernel lets this user's processes have at once, raised as far as it may be.

SLURM hands a job the soft limits of the shell that submitted it, often 1,024 open files. Ray, its workers, vLLM's
engines and their sockets take more, and then die of "Too many open files".
"""

import os
import resource
from contextlib import suppress
from pathlib import Path

OPEN_FILES, PROCESSES = resource.RLIMIT_NOFILE, resource.RLIMIT_NPROC
_SHARED_MEMORY = Path("/dev/shm")


def raise_all() -> None:
    """Raise this process's soft limits to the hard ones; its children inherit them."""
    for limit in (OPEN_FILES, PROCESSES):
        _, hard = resource.getrlimit(limit)
        with suppress(ValueError, OSError):  # more than the kernel gives to anybody
            resource.setrlimit(limit, (hard, hard))


def most(limit: int) -> int | None:
    """What a limit can be raised to; None: there is none."""
    _, hard = resource.getrlimit(limit)
    return None if hard == resource.RLIM_INFINITY else hard


def shared_memory() -> int | None:
    """Bytes that are free where processes share memory; None: nowhere."""
    if not _SHARED_MEMORY.is_dir():
        return None
    found = os.statvfs(_SHARED_MEMORY)
    return found.f_bavail * found.f_frsize
