"""Files that are written whole or not at all (`rewards.whole_file`), and never through what another put in their way.

Folders that are made whole, and once, are those of `data_prep.files.atomic_folder.make_once`: data_prep makes some as
well, and imports nothing of this package. What a killed writer of either leaves is `.<name>.<host>-<...>.tmp` beside
what it was to become; `is_leftover` knows it.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from rewards import whole_file
from sweeper.host.errors import DamagedError, ResultsError

# After the first as versions up to 0.1 named them. Not every *.partial: an evaluation keeps finished blocks in one.
_LEFTOVERS = (".*.tmp", ".*.building", ".*.partial", "code/*.partial", "runs/*/train.partial", "runs/*/ray-*.partial")
_SUFFIXES = (".tmp", ".building", ".partial")
_opened: set[Path] = set()  # results folders that this process writes into


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Make a file that is either absent, old or whole, whatever is killed when; its folder is made if absent.

    Yields:
        Where to write it. It takes the place of `path` when the block ends, and is gone if the block raises.

    Raises:
        ResultsError: the folder, or one between it and the results folder, is a link that another user made.
    """
    _refuse_link_of_another(path.parent)  # before a folder is made behind it
    with whole_file.whole(path) as temporary:
        yield temporary


def open_results(results_dir: Path) -> None:
    """For who is about to write into a results folder: it is made if absent, and then is this user's alone.

    From now on nothing that this process and its children make, verl and Ray among them, is more open than that folder
    is: who may read it, or write there, is decided by its rights, and by the umask, where somebody made it before.
    """
    absent = [folder for folder in (results_dir, *results_dir.parents) if not folder.exists()]
    for folder in reversed(absent):
        folder.mkdir(mode=0o700, exist_ok=True)
    _opened.add(results_dir)
    os.umask(os.umask(0o077) | (0o077 & ~results_dir.stat().st_mode))


def write_atomic(path: Path, text: str, *, is_private: bool = False) -> None:
    """Write a text file as `whole` does; one that `is_private` others can never read, not even for a moment."""
    _refuse_link_of_another(path.parent)
    whole_file.write_whole(path, text, is_private=is_private)


def appended(path: Path) -> BinaryIO:
    """A file to add to, made if absent.

    Raises:
        ResultsError: it is a link, a pipe or the like, or has another name as well: who knows where it leads; or a
            folder on the way is another's link, as in `whole`.
    """
    _refuse_link_of_another(path.parent)
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        file = os.fdopen(os.open(path, flags, 0o666), "ab")
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):
            raise ResultsError(f"{path} is a link or a pipe, which is not written to; remove it") from None
        raise
    about = os.fstat(file.fileno())
    if not stat.S_ISREG(about.st_mode) or about.st_nlink > 1:
        file.close()
        raise ResultsError(f"{path} is no file, or has another name as well, and is not written to; remove it")
    return file


def _refuse_link_of_another(folder: Path) -> None:
    """What a user puts on another disk by a link stays where they put it; another's link leads anywhere.

    Raises:
        ResultsError: the folder, or one above it in an opened results folder, is a link that neither this user nor the
            administrator made. How the results folder itself is reached is its user's to say.
    """
    above = (place for place in folder.parents if not _opened.isdisjoint(place.parents))
    for place in (folder, *above):
        with suppress(FileNotFoundError):
            about = place.lstat()
            if stat.S_ISLNK(about.st_mode) and about.st_uid not in (os.geteuid(), 0):
                said = f"{place} is a link that uid {about.st_uid} made, and is not written through; remove it"
                raise ResultsError(said)


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
        why = said_of(error) if path.stat().st_size else "it is empty"
        raise DamagedError(f"{path} is damaged: {why}; {cure}") from error


def said_of(error: Exception) -> str:
    """What is wrong with the content of a file of ours, by the error that met its reader; at most 200 characters."""
    text = " ".join(str(error).split())[:200]
    if isinstance(error, KeyError):
        return f"{text} is missing"
    return text if isinstance(error, ValueError) else "it holds something else than was written into it"


def is_leftover(path: Path) -> bool:
    """Whether a file or folder is what a killed writer left, or what a living one is writing now: its age tells."""
    return path.name.endswith(_SUFFIXES) and any(path.match(pattern) for pattern in _LEFTOVERS)
