"""A user's file with a reward function, and the modules of its own folder that it imports."""

import ast
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from rewards.bounded_file import JSON_BYTES, read_bytes
from rewards.problem.python_tree import python_tree
from rewards.program import UserError

_OURS = Path(__file__).resolve().parents[1]  # installed, even where it lies beside the file: its scorers have versions


class BadRewardFile(UserError, ValueError):
    """A reward function that cannot be used; the message names it and says why, in one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardFile:
    """What a reward function is known by.

    Attributes:
        name: Of the file that has it.
        files: Content by path relative to the file's folder: the file, and what it imports from there, at any remove.
        version: What the file sets `VERSION` to; None: it does not.
    """

    name: str
    files: tuple[tuple[str, bytes], ...]
    version: str | None

    @classmethod
    def read(cls, path: Path) -> "RewardFile":
        """The file at `path` as it is now.

        Raises:
            BadRewardFile: It is not there, cannot be read, or is not Python.
        """
        files: dict[str, bytes] = {}
        waiting = [path.name]
        while waiting:
            name = waiting.pop()
            if name not in files:
                files[name] = _bytes(path.parent / name)
                waiting += _imported(_parsed(files[name], path.parent / name), path.parent)
        return cls(name=path.name, files=tuple(sorted(files.items())), version=_version(files[path.name], path))

    @property
    def digest(self) -> str:
        """16 hex digits of SHA-256 over names and contents; where the folder lies is irrelevant."""
        total = hashlib.sha256(f"{self.name}\n".encode())
        for name, content in self.files:
            total.update(f"{name}\0{hashlib.sha256(content).hexdigest()}\n".encode())
        return total.hexdigest()[:16]

    @property
    def names(self) -> list[str]:
        """Of the files."""
        return [name for name, _ in self.files]

    def write(self, folder: Path) -> None:
        """Write the files below `folder`."""
        for name, content in self.files:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)


def split_reference(reference: str) -> tuple[Path, str]:
    """File and function of `FILE.py:FUNCTION`.

    Raises:
        BadRewardFile: It has another form.
    """
    found = file_and_name(reference)
    if found is None:
        raise BadRewardFile(f"{reference!r} is no reward function: write FILE.py:FUNCTION, as in my_rewards.py:score")
    return found


def file_and_name(reference: str) -> tuple[Path, str] | None:
    """The parts of `FILE.py:NAME`; None: it has another form."""
    file, _, name = reference.rpartition(":")
    return (Path(file), name) if file.endswith(".py") and name.isidentifier() else None


def _bytes(path: Path) -> bytes:
    try:
        return read_bytes(path, JSON_BYTES)
    except OSError as error:
        near = get_close_matches(path.name, [item.name for item in path.parent.glob("*.py")], n=1)
        hint = f"; did you mean {path.with_name(near[0])}?" if near and isinstance(error, FileNotFoundError) else ""
        raise BadRewardFile(f"{path}: {error.strerror or error}{hint}") from None


def _parsed(content: bytes, path: Path) -> ast.Module:
    try:
        return python_tree(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        where = f" line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        what = error.msg if isinstance(error, SyntaxError) else error
        raise BadRewardFile(f"{path}{where}: not Python: {what}") from None


def _imported(tree: ast.Module, folder: Path) -> Iterator[str]:
    """Files of `folder` that a module's import statements name, wherever they stand; a package counts whole."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        else:
            # What is relative stays within a package, and that counts whole.
            continue
        for name in names:
            top = name.partition(".")[0]
            if (folder / f"{top}.py").is_file():
                yield f"{top}.py"
            elif top and (folder / top).is_dir() and (folder / top).resolve() != _OURS:
                yield from (path.relative_to(folder).as_posix() for path in sorted((folder / top).rglob("*.py")))


def _version(content: bytes, path: Path) -> str | None:
    for node in _parsed(content, path).body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if isinstance(node, ast.Assign | ast.AnnAssign) and any(getattr(t, "id", None) == "VERSION" for t in targets):
            if not isinstance(node.value, ast.Constant) or not isinstance(node.value.value, str | int | float):
                raise BadRewardFile(f'{path} line {node.lineno}: VERSION must be written out, as in VERSION = "1"')
            return str(node.value.value)
    return None
