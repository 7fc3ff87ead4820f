"""What all verbs of the command line share: arguments, how they answer, and the exit codes.

A verb is a module of this folder: its docstring is its help (the first line in the list of verbs, the whole as its
description), `arguments` adds what it takes, and `run` executes it and returns the exit code.
"""

import argparse
import difflib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from rewards.program import EXIT_FAILED, EXIT_OK, EXIT_USAGE
from rewards.strict_json import json_text
from sweeper.host.amounts import number_of
from sweeper.host.errors import ConfigError, DamagedError

__all__ = ["EXIT_FAILED", "EXIT_OK", "EXIT_USAGE", "answer", "say_damaged"]
_SAID = 3  # damaged files that are named


def program() -> str:
    """How this program was started, for usage lines."""
    return "sweeper" if Path(sys.argv[0]).name == "sweeper" else "python -m sweeper"


class _Takes(Protocol):
    """A parser, or a group of one."""

    def add_argument(self, *names: str, action: str, help: str) -> argparse.Action: ...


def add_json(parser: _Takes, *, more: str = "") -> None:
    """`--json`; `more` is added to its help."""
    parser.add_argument("--json", action="store_true", help=f"one JSON object on stdout{more}")


def add_results(parser: argparse.ArgumentParser) -> None:
    """`--results`, of a verb that reads a results folder."""
    parser.add_argument(
        "--results", type=Path, default=Path("results"), metavar="DIR", help="results folder (default: results)"
    )


class _InFull(argparse.Action):
    """Met only where argparse took a shortened flag for it, which would be lost."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        """Refuse."""
        parser.error("write --results in full")


def add_results_override(parser: argparse.ArgumentParser) -> None:
    """`--results`, of what takes overrides: `rewards.program.with_one_results` makes `results_dir=` of it."""
    parser.add_argument(
        "--results", action=_InFull, default=argparse.SUPPRESS, metavar="DIR", help="the same as results_dir=DIR"
    )


def results_folder(options: argparse.Namespace) -> Path:
    """The folder that `--results` names, absolute.

    Raises:
        ConfigError: there is no such folder; the nearest is named.
    """
    path: Path = options.results
    if path.is_dir():
        return path.resolve()
    what = "it is a file" if path.exists() else "there is no such folder"
    beside = [item.name for item in path.absolute().parent.glob("*/")]
    near = difflib.get_close_matches(path.name, beside, n=1, cutoff=0.7)
    hint = f"did you mean {path.parent / near[0]}" if near else "name the one that runs went to (their results_dir)"
    raise ConfigError(f"--results {path}: {what}; {hint}. A first launch makes it: python -m sweeper +grid=smoke -m")


def add_overrides(parser: argparse.ArgumentParser, *, example: str, at_least_one: bool = False) -> None:
    """The overrides of a launch, for a verb that starts nothing and so does not need `-m`."""
    parser.add_argument("overrides", nargs="+" if at_least_one else "*", help=f"as for a launch, e.g. {example}")
    parser.add_argument("-m", "--multirun", action="store_true", help="accepted, not needed")
    add_results_override(parser)


def answer(options: argparse.Namespace, data: Callable[[], Any], text: Callable[[], str]) -> int:
    """Print what a verb found: with `--json` as `{"command": verb, "data": data}`; returns the exit code 0."""
    print(json_text({"command": options.verb, "data": data()}, indent=1) if options.json else text(), flush=True)
    return EXIT_OK


def say_damaged(damaged: Sequence[DamagedError], *, what: str) -> int:
    """Tell on stderr which files cannot be read; `what` is what is done without them.

    Returns:
        The exit code: 1 if there is one, since the answer lacks it.
    """
    for error in damaged[:_SAID]:
        print(error, file=sys.stderr)
    if damaged:
        more = f", {len(damaged) - _SAID} more than are named" if len(damaged) > _SAID else ""
        print(f"{number_of(len(damaged), 'damaged file')}{more}: {what}", file=sys.stderr)
    return EXIT_FAILED if damaged else EXIT_OK
