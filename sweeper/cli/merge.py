"""Join results folders by run id: copied from another cluster or a laptop, into one.

What is further comes: a run that is done before one that is not, and one that goes on from the other's last attempt
before that. Contradictions are refused (exit code 1): two results with different numbers, a spec of another run, a run
that a job is at. The folders that are merged are only read. Repeated, it goes on where it was stopped.
"""

import argparse
from pathlib import Path

from sweeper.cli.verb import EXIT_FAILED, add_json, answer
from sweeper.host.printed_table import Room, add_flags


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the verb takes."""
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="results folders to take runs from")
    parser.add_argument(
        "--into",
        "--results",
        type=Path,
        default=Path("results"),
        metavar="DIR",
        help="results folder that all goes into, made if absent (default: results)",
    )
    parser.add_argument("--checkpoints", action="store_true", help="bring the last checkpoints of done runs, too")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and write nothing")
    add_json(parser)
    add_flags(parser, ids=False)


def run(options: argparse.Namespace) -> int:
    """Executes the verb."""
    from sweeper.oversight.merge.merge import in_json, merge, text

    into: Path = options.into
    found = merge(options.folders, into, dry_run=options.dry_run, checkpoints=options.checkpoints)
    code = answer(
        options,
        lambda: {"into": str(into.resolve()), "dry_run": options.dry_run, "folders": in_json(found)},
        lambda: text(found, into.resolve(), Room.of_screen(options), dry_run=options.dry_run),
    )
    return code if all(folder.is_whole for folder in found) else EXIT_FAILED
