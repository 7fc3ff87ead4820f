"""Copies of what somebody else may have written: regular files and folders, and nothing that leads elsewhere.

No link is followed, at any depth and whoever makes one meanwhile; pipes and devices are never opened. Holes of a file
stay holes.
"""

import errno
import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from sweeper.host.errors import ResultsError

_READS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_WRITES = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_PART = 16 << 20  # bytes a call


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A file or folder in a folder that is walked through.

    Attributes:
        relative: Its path below the folder.
        about: What it is; its room on the disk counts, not its length.
        folder: Descriptor of the folder that it is in, for as long as the walk stands there.
    """

    relative: Path
    about: os.stat_result
    folder: int

    @property
    def room(self) -> int:
        """Bytes on the disk."""
        return self.about.st_blocks * 512


def found_in(folder: Path, *, without: Collection[str] = ()) -> Iterator[Found]:
    """The files and folders in a folder, at any depth, but what has one of the names `without` at its top.

    Raises:
        ResultsError: something there is a link, or neither a file nor a folder.
        OSError: it cannot be read.
    """

    def refuse(error: OSError) -> None:
        raise error

    for at, names, others, descriptor in os.fwalk(folder, onerror=refuse, follow_symlinks=False):
        place = Path(at).relative_to(folder)
        if place == Path():
            names[:] = [name for name in names if name not in without]
            others = [name for name in others if name not in without]
        names.sort()
        for name in names:
            about = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            if not stat.S_ISDIR(about.st_mode):
                raise _foreign(folder / place / name, about)
            yield Found(relative=place / name, about=about, folder=descriptor)
        for name in sorted(others):
            about = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            if not stat.S_ISREG(about.st_mode):
                raise _foreign(folder / place / name, about)
            yield Found(relative=place / name, about=about, folder=descriptor)


def copy_folder(folder: Path, to: Path, *, without: Collection[str] = ()) -> None:
    """Copy what `found_in` finds into a folder that is there, errors as there."""
    for found in found_in(folder, without=without):
        target = to / found.relative
        if stat.S_ISDIR(found.about.st_mode):
            target.mkdir()
        else:
            _copy(found.relative.name, target, folder=found.folder, shown=folder / found.relative)


def copy_file(path: Path, to: Path) -> None:
    """Copy one file to where nothing is.

    Raises:
        ResultsError: it is a link, or no file.
        OSError: it cannot be read or written.
    """
    _copy(str(path), to, folder=None, shown=path)


def _copy(name: str, to: Path, *, folder: int | None, shown: Path) -> None:
    try:
        source = os.open(name, _READS, dir_fd=folder)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise ResultsError(f"{shown} is a link, which is not followed") from None
        raise
    try:
        about = os.fstat(source)
        if not stat.S_ISREG(about.st_mode):
            raise _foreign(shown, about)
        target = os.open(to, _WRITES, stat.S_IMODE(about.st_mode) & 0o666 | 0o600)
        try:
            _copy_content(source, target, about.st_size)
            os.utime(target, ns=(about.st_atime_ns, about.st_mtime_ns))
            os.fsync(target)
        finally:
            os.close(target)
    finally:
        os.close(source)


def _copy_content(source: int, target: int, size: int) -> None:
    """The first `size` bytes, what is not written in the one neither in the other."""
    os.ftruncate(target, size)
    at = 0
    while at < size:
        try:
            at = os.lseek(source, at, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:  # nothing but a hole is left
                return
            raise
        end = min(size, os.lseek(source, at, os.SEEK_HOLE))
        os.lseek(target, at, os.SEEK_SET)
        while at < end:
            sent = os.sendfile(target, source, at, min(_PART, end - at))
            if not sent:  # it was cut meanwhile
                return
            at += sent


def _foreign(path: Path, about: os.stat_result) -> ResultsError:
    if stat.S_ISLNK(about.st_mode):
        return ResultsError(f"{path} is a link, which is not followed; put what it leads to in its place")
    return ResultsError(f"{path} is neither a file nor a folder; remove it")
