"""Landlock: lets a process read only what is named, and change no file; it needs no privilege (Linux 5.13)."""

import contextlib
import os
import struct
from collections.abc import Sequence
from pathlib import Path

from rewards.sandbox.walls.kernel import PR_SET_NO_NEW_PRIVS, check, libc, prctl

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_VERSION = 1
# Rights on files that each version of Landlock knows: 13 at first, then refer, truncate, (none), ioctl_dev.
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
_TCP = 0b11  # bind, connect: since version 4
_SCOPES = 0b11  # abstract Unix sockets, signals: since version 6
_LIST = 1 << 3  # read dir
_READ = (1 << 2) | _LIST  # read file


def restrict_reading_to(folders: Sequence[Path], listed: Sequence[Path] = ()) -> None:
    """Lets this process and its children read below `folders` only, and change no file at all (Landlock).

    From Linux 6.12 on it also cuts them off from signalling, and from abstract Unix sockets of, processes that are
    not under the same lock; from 6.7 on from TCP.

    Args:
        folders: Folders and files that stay readable.
        listed: Folders whose names alone stay readable.

    Raises:
        OSError: The kernel has no Landlock (before 5.13, or not enabled).
    """
    version = check(libc.syscall(_CREATE, None, 0, _VERSION), "landlock_create_ruleset")
    files = (1 << _FILE_RIGHTS[min(version, 5)]) - 1
    attribute = struct.pack("=Q", files)
    if version >= 4:
        attribute += struct.pack("=Q", _TCP)
    if version >= 6:
        attribute += struct.pack("=Q", _SCOPES)
    ruleset = check(libc.syscall(_CREATE, attribute, len(attribute), 0), "landlock_create_ruleset")
    try:
        for folder in folders:
            _allow(ruleset, folder, _READ)
        for folder in listed:
            _allow(ruleset, folder, _LIST)
        prctl(PR_SET_NO_NEW_PRIVS, 1)
        check(libc.syscall(_RESTRICT, ruleset, 0), "landlock_restrict_self")
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: Path, access: int) -> None:
    with contextlib.suppress(FileNotFoundError, NotADirectoryError, PermissionError):
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            rule = struct.pack("=Qi", access if path.is_dir() else access & ~_LIST, handle)
            check(libc.syscall(_ADD, ruleset, 1, rule, 0), "landlock_add_rule")
        finally:
            os.close(handle)
