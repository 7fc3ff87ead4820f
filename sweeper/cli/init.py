"""`sweeper init`: a folder for a user's own grids, models, data and rewards; the package stays as it was installed."""

import argparse
import shutil
from pathlib import Path

from sweeper.cli.arguments import Verbs, add_json
from sweeper.cli.output import EXIT_OK, print_json
from sweeper.host.errors import ConfigError

TEMPLATE = Path(__file__).parent / "new_project"


def add_parser(verbs: Verbs) -> None:
    """Adds the verb."""
    parser = verbs.add_parser(
        "init",
        help="a new folder for your own grids, models, data and rewards, with an example of each",
        description="Make a folder for your own grids, models, data and rewards, with an example of each that works "
        "as it stands. Commands that are started in it search its conf/ before the package's own.",
    )
    parser.add_argument("folder", help="what to make; it must not exist, or be empty")
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Executes the verb."""
    folder = Path(options.folder).expanduser()
    files = make(options.folder, folder)
    if options.json:
        print_json("init", {"folder": str(folder.resolve()), "files": files})
    else:
        print("\n".join(f"{folder / name}" for name in files))
        print(f"\nwhat to do with them: {folder / 'README.md'}")
    return EXIT_OK


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
