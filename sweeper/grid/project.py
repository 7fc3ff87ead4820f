"""A user's own project: a folder whose `conf/` is searched before the package's.

The current folder is one if it has the file `sweeper_project.yaml`, which `python -m sweeper init` writes. Nothing else
makes it one: a `conf/` without that file belongs to another program and is not read.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import conf
from rewards.bounded_file import MIB, read_text
from sweeper.host.errors import ConfigError

MARKER = "sweeper_project.yaml"


def packaged_conf() -> Path:
    """The configuration that comes with the program."""
    return Path(conf.__file__).parent


def project() -> Path | None:
    """The current folder, if it is a project."""
    try:
        here = Path.cwd()
    except FileNotFoundError:  # it was deleted
        return None
    return here if (here / MARKER).is_file() else None


def own_conf() -> Path | None:
    """The project's `conf/`; None without a project, or where it has none."""
    here = project()
    return here / "conf" if here is not None and (here / "conf").is_dir() else None


def conf_to_write(verb: str, what: str) -> Path:
    """Where a user's own configuration is added: in the project, else in a checkout of this repository.

    Raises:
        ConfigError: the current folder is no project, and the program is installed, so that `verb` has no place for it.
    """
    here = project()
    if here is not None:
        return here / "conf"
    if not (packaged_conf().parent / "pyproject.toml").is_file():
        raise ConfigError(
            f"{verb}: the current folder is no project, so there is no place for {what} of yours; make one with "
            "python -m sweeper init myproject, and run this in it"
        )
    return packaged_conf()


def conf_folders() -> tuple[Path, ...]:
    """Where configuration is searched, in this order."""
    own = own_conf()
    return (packaged_conf(),) if own is None else (own, packaged_conf())


def own_files() -> Iterator[str]:
    """What the project's `conf/` holds: `grid/lr`, `model/mine`, sorted."""
    own = own_conf()
    if own is not None:
        found = (path.relative_to(own) for path in own.rglob("*.yaml") if path.is_file())
        yield from sorted(path.with_suffix("").as_posix() for path in found)


def replaced() -> tuple[str, ...]:
    """Of `own_files`, those that take the place of a file of the package."""
    return tuple(name for name in own_files() if (packaged_conf() / f"{name}.yaml").is_file())


def check_grid_file(grid: str) -> None:
    """Refuse a grid file whose settings would be read as those of the `grid` block; Hydra says which grids there are.

    Raises:
        ConfigError: the line that says otherwise is missing, or hidden by a byte-order mark.
    """
    for path in (folder / "grid" / f"{grid}.yaml" for folder in conf_folders()):
        if not path.is_file():
            continue
        text = read_text(path, MIB, errors="replace")
        if text.startswith("\ufeff"):
            raise ConfigError(f"{path} begins with a byte-order mark, which hides its first line; save it without one")
        head = re.match(r"(?:[ \t]*(?:#.*)?\n)*", f"{text}\n")
        if head is None or not re.search(r"#\s*@package\s+_global_", head.group()):
            raise ConfigError(f"{path}: its first line must be: # @package _global_")
        return
