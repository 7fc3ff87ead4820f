"""`python -m data_prep VERB`: fetch, prepare, look at and check data."""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from data_prep.spec import DataError

# Each has add_parser(subparsers) -> None, which adds its verbs and sets `func` to a function of the parsed arguments
# that returns the exit code.
_MODULES = ("fetch", "inspect", "validate", "of_a_run", "recipe")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one verb. Exit codes: 0 done, 1 the data have faults, 2 it cannot be done as asked."""
    parser = argparse.ArgumentParser(prog="python -m data_prep", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name in _MODULES:
        importlib.import_module(f"data_prep.commands.{name}").add_parser(verbs)
    parsed = parser.parse_args(arguments)
    try:
        code = int(parsed.func(parsed))
        sys.stdout.flush()
        return code
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # `| head`: nobody wants the rest, nor to hear of it when Python flushes at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 2
    except OSError as error:
        where = error.filename if error.filename is not None else "a file"
        print(f"error: {where}: {error.strerror or error}. Check the path, its folder and its rights.", file=sys.stderr)
        return 2
