"""`python -m data_prep VERB`: fetch, prepare, look at and check data."""

import importlib
from collections.abc import Sequence

from rewards.program import Parser, guarded, started_as

# Each has add_parser(subparsers) -> None, which adds its verbs and sets `func` to a function of the parsed arguments
# that returns the exit code.
_MODULES = ("fetch", "reasoning_gym", "inspect", "validate", "of_a_run")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one verb. Exit codes: 0 done, 1 the data have faults, 2 it cannot be done as asked."""
    return guarded(lambda: _run(arguments))


def _run(arguments: Sequence[str] | None) -> int:
    parser = Parser(prog=started_as("data_prep"), description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name in _MODULES:
        importlib.import_module(f"data_prep.commands.{name}").add_parser(verbs)
    parsed = parser.parse_args(arguments)
    return int(parsed.func(parsed))
