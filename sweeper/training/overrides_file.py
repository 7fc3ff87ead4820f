"""verl's overrides in a file: the arguments of a process are seen by every user of its machine.

    python -m sweeper.training.overrides_file TRAINER FILE

starts a trainer as `python -m TRAINER OVERRIDE...` would, so that Hydra reads the very same overrides. A file of one
override a line; where a value has line breaks, its further lines begin with a tab.
"""

import re
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path

from rewards.bounded_file import read_text
from sweeper.host.files import write_atomic


def write(path: Path, overrides: Sequence[str]) -> None:
    """Write overrides for their owner alone."""
    write_atomic(path, "".join(item.replace("\n", "\n\t") + "\n" for item in overrides), is_private=True)


def read(path: Path) -> list[str]:
    """The overrides that `write` wrote."""
    text = read_text(path)
    return [item.replace("\n\t", "\n") for item in re.split(r"\n(?!\t)", text) if item]


def arguments(trainer: str, path: Path) -> list[str]:
    """What comes after Python's `-m`, or that of torch's launcher, to start a trainer of verl's with a file."""
    return [__name__, trainer, str(path)]


def main(trainer: str, path: Path) -> None:
    """Become a trainer of verl's."""
    sys.argv[1:] = read(path)
    runpy.run_module(trainer, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
