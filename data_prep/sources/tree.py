"""The files below a folder, through links, and what lies there that is none."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from data_prep.spec import DataError


@dataclass(frozen=True, slots=True)
class Unread:
    """What lies in a folder and is not read, by its path below it, and why."""

    name: str
    why: str


def walk(root: Path) -> Iterator[Path | Unread]:
    """Everything below a folder that is not hidden. Links are followed; one that leads back to where it is, is not.

    Raises:
        DataError: A folder that cannot be listed.
    """
    yield from _walk(root, root, (root.resolve(),))


def _walk(root: Path, folder: Path, above: tuple[Path, ...]) -> Iterator[Path | Unread]:
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise DataError(
            f"{folder}: {error.strerror or error}. Check the folder and its rights, or take it out of data_root."
        ) from None
    for path in entries:
        name = path.relative_to(root).as_posix()
        if path.name.startswith("."):
            continue
        if path.is_dir():
            if (real := path.resolve()) in above:
                yield Unread(name, "a link back to a folder that it is in")
            else:
                yield from _walk(root, path, (*above, real))
        elif path.is_file():
            yield path
        elif path.is_symlink():
            yield Unread(name, f"a broken link, to {path.readlink()}")
        else:
            yield Unread(name, "neither a file nor a folder")
