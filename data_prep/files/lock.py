"""Locks that die with their holder, and that none but those who may write beside them can hold.

A lock (flock) can be taken through any descriptor, one that only reads as well: whoever may read the file can hold it,
and with it a run or all submissions. So a lock's file is open to exactly those who may write its folder.
"""

import errno
import fcntl
import os
import pwd
import re
import socket
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from rewards.program import UserError

_READS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK  # a pipe would be waited for
_OPENS = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
_PATIENCE_S = 1.0  # a reader of the state may hold a lock for an instant
_TOLD_AFTER_S, _TOLD_EVERY_S = 2.0, 60.0
_WORD = re.compile(r"[\w.@$\\+-]{1,64}")


class LockedError(UserError, RuntimeError):
    """The lock is held by another process, or cannot be held: what lies in its place is no lock of ours."""


class HeldError(LockedError):
    """The lock is held by another process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who holds a lock, by their own word.

    Attributes:
        host: Name of their machine.
        pid: Their process there.
        user: Their name; None: an earlier version took the lock, which wrote none.
        since: Unix seconds; None likewise.
    """

    host: str
    pid: int
    user: str | None = None
    since: int | None = None

    def __str__(self) -> str:
        """For people."""
        user = f" of {self.user}" if self.user else ""
        since = f", since {time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(self.since))}" if self.since else ""
        return f"process {self.pid}{user} on {self.host}{since}"


@contextmanager
def locked(path: Path, *, wait: bool) -> Iterator[int]:
    """Hold an exclusive lock on a file, which is made if absent; the kernel releases it when this process dies.

    Without `wait` it gives up after a second. A wait is told on stderr after two seconds, and every minute.

    Yields:
        The lock's file descriptor. A child that inherits it holds the lock as long as it lives.

    Raises:
        HeldError: held by another process, and not `wait`.
        LockedError: closed to this user; no file, or one with other names.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = opened(path)
    try:
        take(descriptor, path, wait=wait)
        yield descriptor
    finally:
        os.close(descriptor)


def opened(path: Path) -> int:
    """A descriptor of a lock's file, made if absent, with the rights of its folder's writers.

    Raises:
        LockedError: it is closed to this user, or is not a file with one name.
    """
    about = path.parent.stat()
    mode = 0o600 | (0o060 if about.st_mode & stat.S_IWGRP else 0) | (0o006 if about.st_mode & stat.S_IWOTH else 0)
    try:
        descriptor = os.open(path, _OPENS, mode)
    except OSError as error:
        if error.errno == errno.EACCES and path.exists():
            raise LockedError(f"{path} is {_name(path.stat().st_uid)}'s and closed to {_name(os.geteuid())}") from None
        if error.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO):
            raise LockedError(f"{path} is no file, so it cannot be a lock: {error.strerror}; remove it") from None
        raise
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
        os.close(descriptor)
        raise LockedError(f"{path} is no lock of ours: no file, or one that has other names as well; remove it")
    if found.st_uid == os.geteuid() and stat.S_IMODE(found.st_mode) != mode:  # the umask took, or it is older than this
        os.fchmod(descriptor, mode)
    return descriptor


def take(descriptor: int, path: Path, *, wait: bool) -> None:
    """Hold the lock of a descriptor that `opened` gave for a path, and leave word who does.

    Raises:
        HeldError: held by another process, and not `wait`.
        OSError: this file system has no locks.
    """
    began, tells = time.monotonic(), _TOLD_AFTER_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            waited = time.monotonic() - began
        if not wait and waited > _PATIENCE_S:
            raise HeldError(f"{path} is held by {_who(path)}: the run is already running")
        if wait and waited > tells:
            tells = waited + _TOLD_EVERY_S
            print(f"waiting for {path}, held by {_who(path)}", file=sys.stderr, flush=True)
        time.sleep(0.05 if waited < _TOLD_AFTER_S else 0.25)
    word = f"{socket.gethostname()} {os.getpid()} {_name(os.geteuid())} {int(time.time())}"
    with suppress(OSError):  # a full disk is no reason not to hold it
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, word.encode(), 0)


def is_locked(path: Path) -> bool:
    """Whether another holds the lock on a file; False: nobody does, or there is no such file.

    Raises:
        PermissionError: this user may not write its folder, and so cannot ask.
    """
    try:
        descriptor = os.open(path, _READS)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENXIO):
            return False
        raise
    try:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def holder(path: Path) -> Holder | None:
    """Who holds a lock; None: nobody does, they do not say, or this user cannot ask."""
    try:
        return _said(path) if is_locked(path) else None
    except PermissionError:
        return None


def holds(pid: int, path: Path) -> bool:
    """Whether a process of this user on this machine has a lock's file open, whatever the file says."""
    with suppress(OSError):
        about = path.stat()
        return any(os.path.samestat(entry.stat(), about) for entry in os.scandir(f"/proc/{pid}/fd"))
    return False


def _said(path: Path) -> Holder | None:
    """What the last to take a lock left word of."""
    try:
        descriptor = os.open(path, _READS)
    except OSError:
        return None
    try:
        words = os.read(descriptor, 256).decode(errors="replace").split()
    except OSError:
        return None
    finally:
        os.close(descriptor)
    if len(words) not in (2, 4) or not all(map(_WORD.fullmatch, words)) or not words[1].isdecimal():
        return None
    if len(words) == 2:
        return Holder(host=words[0], pid=int(words[1]))
    since = int(words[3]) if words[3].isdecimal() and len(words[3]) < 12 else None
    return Holder(host=words[0], pid=int(words[1]), user=words[2], since=since)


def _who(path: Path) -> str:
    said = _said(path)
    if said is None or (said.host == socket.gethostname() and not Path("/proc", str(said.pid)).exists()):
        return "a process that does not say who it is (lsof or fuser tells)"
    return str(said)


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:  # in a container, a user without a name
        return f"uid {uid}" if uid != os.geteuid() else str(uid)
