"""`python -m sweeper` and the command `sweeper`; see `sweeper.cli.main`."""

import os
import sys
from pathlib import Path

PACKAGES = Path(__file__).parents[1]  # the folder that our packages lie in


def _in_packages() -> bool:
    try:
        return Path.cwd() == PACKAGES
    except FileNotFoundError:  # the current folder was deleted
        return False


def run() -> int:
    """Run the command line of this process; returns the exit code."""
    if not _in_packages():
        os.environ["PYTHONSAFEPATH"] = "1"  # no child looks for modules in the current folder either
    if path := os.environ.get("PYTHONPATH"):  # children may start in other folders
        os.environ["PYTHONPATH"] = os.pathsep.join(str(Path(item).absolute()) for item in path.split(":") if item)
    from rewards.program import run_main

    return run_main("sweeper.cli.main", sys.argv[1:])


if __name__ == "__main__":
    # `python -m` looks for modules in the current folder first: a `rewards.py` there would be taken for ours.
    if not _in_packages() and not sys.flags.safe_path and sys.path[0] != str(PACKAGES):
        del sys.path[0]
    sys.exit(run())
