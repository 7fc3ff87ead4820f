"""The files that a candidate program may read: Python's standard library, a few packages, shared objects.

Site-packages as a whole stay out of sight: `rewards` itself and whatever else a user installed lie there.
"""

import os
import sys
import sysconfig
from collections.abc import Sequence
from functools import lru_cache
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType

# Third-party packages that solutions in the wild import; available where they are installed.
THIRD_PARTY = ("numpy", "scipy", "pandas", "sympy", "mpmath", "networkx", "sortedcontainers", "dateutil", "pytz", "six")
_EXTRAS = ("numpy.libs", "scipy.libs", "pandas.libs")
_SHARED_OBJECTS = ("/lib", "/lib64", "/usr/lib", "/usr/lib64")
_FILES = ("/usr/share/zoneinfo", "/etc/localtime", "/etc/ld.so.cache", "/dev/null", "/dev/urandom")


@lru_cache(maxsize=1)  # asked again when the file tree is not the same any more
def site_folders() -> tuple[Path, ...]:
    """Where packages are installed, first for this environment, then for the interpreter that it was made from."""
    base = {"base": sys.base_prefix, "platbase": sys.base_exec_prefix}
    prefixes = [{}, base]
    # Started without `site` (-S), an interpreter does not know that it is of a virtual environment.
    environment = Path(sys.executable).parent.parent
    if (environment / "pyvenv.cfg").is_file():
        prefixes.insert(0, {"base": str(environment), "platbase": str(environment)})
    paths = [sysconfig.get_paths(vars=prefix) for prefix in prefixes]
    return tuple(Path(name) for name in dict.fromkeys(one[kind] for one in paths for kind in ("purelib", "platlib")))


def third_party_files() -> dict[str, Path]:
    """The `__init__.py` (or the module) of each package of `THIRD_PARTY` that is installed."""
    found: dict[str, Path] = {}
    for folder in site_folders():
        for name in THIRD_PARTY:
            for file in (folder / name / "__init__.py", folder / f"{name}.py"):
                if name not in found and file.is_file():
                    found[name] = file
    return found


class ThirdPartyFinder:
    """Finds the packages of `third_party_files` without listing the folder that they lie in."""

    def __init__(self, files: dict[str, Path]) -> None:
        self._files = {name: str(file) for name, file in files.items()}

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """As `importlib` demands of a finder."""
        file = self._files.get(name) if path is None else None
        if file is None:
            return None
        inner = [os.path.dirname(file)] if file.endswith("__init__.py") else None  # noqa: PTH120
        return spec_from_file_location(name, file, submodule_search_locations=inner)


def library_folders() -> list[Path]:
    """The standard library and the folders of shared objects, which may hold what must stay out of sight."""
    paths = sysconfig.get_paths()
    base = sysconfig.get_paths(vars={"base": sys.base_prefix, "platbase": sys.base_exec_prefix})
    standard = {Path(paths["stdlib"]), Path(base["stdlib"]), Path(base["platstdlib"])}
    return sorted(standard | {Path(name) for name in _SHARED_OBJECTS})


def hidden_folders() -> list[Path]:
    """What must stay out of sight: this package and everything that was installed."""
    hidden = {folder.resolve() for folder in site_folders()} | set(site_folders())
    hidden |= {folder / name for folder in library_folders() for name in ("site-packages", "dist-packages")}
    return sorted(hidden | {Path(__file__).resolve().parents[2]})


def single_files() -> list[Path]:
    """Files and small folders to read beside the libraries, packages of `THIRD_PARTY` among them."""
    files = [Path(name) for name in _FILES]
    libdir = sysconfig.get_config_var("LIBDIR")
    if libdir:
        files += sorted(Path(libdir).glob("libpython*.so*"))
    for file in third_party_files().values():
        files.append(file.parent if file.name == "__init__.py" else file)
    return files + [folder / name for folder in site_folders() for name in _EXTRAS if (folder / name).is_dir()]


def readable_folders() -> tuple[list[Path], list[Path]]:
    """For a lock that only grants: what to read with all that is in it, and folders whose names alone are to be read.

    A library folder that holds a hidden one is taken apart.
    """
    hidden = set(hidden_folders())
    folders: list[Path] = []
    listed: list[Path] = []
    for folder in library_folders():
        _grant(folder, hidden, folders, listed)
    return folders + single_files(), listed


def _grant(folder: Path, hidden: set[Path], folders: list[Path], listed: list[Path]) -> None:
    if folder in hidden:
        return
    if folder.is_symlink() or not any(inner.is_relative_to(folder) for inner in hidden):
        folders.append(folder)
        return
    listed.append(folder)
    try:
        inside = sorted(folder.iterdir())
    except OSError:
        return
    for inner in inside:
        _grant(inner, hidden, folders, listed)
