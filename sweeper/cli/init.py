"""Make a new folder for your own grids, models, data and rewards, with an example of each.

The examples work as they stand. Commands that are started in the folder search its conf/ before the package's own,
which stays as it was installed.
"""

import argparse
import shutil
from pathlib import Path

from sweeper.cli.verb import add_json, answer
from sweeper.host.errors import ConfigError

TEMPLATE = Path(__file__).parent / "new_project"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the verb takes."""
    parser.add_argument("folder", help="what to make; it must not exist, or be empty")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Executes the verb."""
    folder = Path(options.folder).expanduser()
    files = make(options.folder, folder)
    lines = [*(f"{folder / name}" for name in files), "", f"what to do with them: {folder / 'README.md'}"]
    return answer(options, lambda: {"folder": str(folder.resolve()), "files": files}, lambda: "\n".join(lines))


def make(given: str, folder: Path) -> list[str]:
    """Write the project's files, or nothing; returns their names relative to `folder`.

    Raises:
        ConfigError: the folder holds something, or cannot be written; `given` is what it is called there.
    """
    try:
        existed = folder.exists()
        if existed and (not folder.is_dir() or any(folder.iterdir())):
            raise ConfigError(f"init {given}: it is there already and no empty folder; name a new one")
        try:
            shutil.copytree(TEMPLATE, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        except BaseException:
            _undo(folder, keep=existed)
            raise
    except OSError as error:
        raise ConfigError(f"init {given}: {_reason(error)}; name a folder that can be written") from None
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def _reason(error: OSError) -> str:
    """What the system says; of several files that could not be copied, about the first."""
    text = str(error.args[0][0][2]) if isinstance(error, shutil.Error) else error.strerror or str(error)
    return text.removeprefix("[Errno ").partition("] ")[2].partition(":")[0] or text


def _undo(folder: Path, *, keep: bool) -> None:
    for path in folder.iterdir() if folder.is_dir() else ():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    if folder.is_dir() and not keep:
        folder.rmdir()
