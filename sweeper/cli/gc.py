"""What may be deleted: older checkpoints of done runs, code nobody needs, what was left half-written (--yes deletes).

Deletes nothing without --yes, and never a row, counts, a spec, a log or anything of an unfinished run.
"""

import argparse
import sys
import time
from contextlib import ExitStack
from itertools import groupby
from pathlib import Path

from sweeper.cli.verb import add_json, add_results, answer, results_folder, say_damaged
from sweeper.host.errors import DamagedError
from sweeper.host.printed_table import Room, add_flags, paragraph


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
        lines = []
        for (place, why), group in groupby(found, key=lambda item: (item.path.parent, item.why)):
            alike = list(group)
            what = alike[0].path if len(alike) == 1 else place
            count = "" if len(alike) == 1 else f"{len(alike)} in "
            total = size(sum(item.size for item in alike))
            lines.append(f"{total:>9}  {count}{what.relative_to(results_dir)}  ({why})")
        end = f"{len(gone)} of {len(found)} are deleted" if options.yes else f"{len(found)}; --yes deletes them"
        room = Room.of_screen(options)
        lines = [paragraph(line, room, indent=" " * 11) for line in lines]
        return "\n".join([*lines, f"{size(sum(item.size for item in found))} in {end}"])

    answer(options, lambda: {"found": items, "deleted": len(gone)}, text)
    return say_damaged(damaged, what="what they may be about stays")
