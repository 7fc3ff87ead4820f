"""What may be deleted: older checkpoints of done runs, code nobody needs, what was left half-written (--yes deletes).

Deletes nothing without --yes, and never a row, counts, a spec, a log or anything of an unfinished run.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from sweeper.cli.verb import add_json, add_results, answer, results_folder, say_damaged
from sweeper.host.errors import DamagedError
from sweeper.host.printed_table import Room, add_flags, paragraph

if TYPE_CHECKING:
    from sweeper.oversight.garbage import Garbage


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the verb takes."""
    add_results(parser)
    parser.add_argument("--yes", action="store_true", help="delete it")
    add_json(parser)
    add_flags(parser, ids=False)


def run(options: argparse.Namespace) -> int:
    """Executes the verb."""
    from data_prep.files.lock import locked
    from sweeper.host.amounts import size
    from sweeper.launch.slurm.array import folder
    from sweeper.launch.slurm.queue import Queue
    from sweeper.oversight.garbage import find

    results_dir = results_folder(options)
    with ExitStack() as around:
        if options.yes and folder(results_dir).is_dir():  # a submitter may be about to use what is frozen already
            around.enter_context(locked(folder(results_dir) / "lock", wait=True))
        queue = Queue.ask(results_dir)
        damaged = list(map(DamagedError, queue.damaged))
        links = set[Path]()
        found = find(results_dir, queue, damaged, now=time.time(), links=links)
        gone = [item for item in found if item.remove()] if options.yes else []
    if queue.error is not None:
        print(f"SLURM does not answer, so code and arrays are left: {queue.error}", file=sys.stderr)
    for link in sorted(links):
        print(f"{link} is a link, so what lies behind it is left", file=sys.stderr)
    items = [{"path": str(item.path), "why": item.why, "bytes": item.size} for item in found]

    def text() -> str:
        lines = [f"{size(total):>9}  {what}" for total, what in _grouped(found, results_dir)]
        end = f"{len(gone)} of {len(found)} are deleted" if options.yes else f"{len(found)}; --yes deletes them"
        room = Room.of_screen(options)
        lines = [paragraph(line, room, indent=" " * 11) for line in lines]
        return "\n".join([*lines, f"{size(sum(item.size for item in found))} in {end}"])

    answer(options, lambda: {"found": items, "deleted": len(gone)}, text)
    return say_damaged(damaged, what="what they may be about stays")


def _grouped(found: "Sequence[Garbage]", results_dir: Path) -> Iterator[tuple[int, str]]:
    """Bytes and words: one line for what lies in a folder for one reason, one for the checkpoints of all runs."""

    def alike(item: "Garbage") -> tuple[str, str]:
        return ("", "") if item.run else (str(item.path.parent), item.why)

    for _, group in groupby(found, key=alike):
        items = list(group)
        runs = {item.run.run_id for item in items if item.run is not None}
        path, why = items[0].path, items[0].why
        what = f"{path.relative_to(results_dir)}"
        if len(items) > 1:
            what = f"{len(items)} in {path.parent.relative_to(results_dir)}"
        if len(runs) > 1:
            what, why = (
                f"{len(items)} in runs/*/checkpoints",
                f"of {len(runs)} runs that are done; the last of each stays",
            )
        yield sum(item.size for item in items), f"{what}  ({why})"
