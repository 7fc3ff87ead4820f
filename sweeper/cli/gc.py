"""`sweeper gc`: delete what nobody needs any more."""

import argparse
import json
import time
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import groupby
from pathlib import Path

from sweeper.host.amounts import size
from sweeper.host.files import locked
from sweeper.launch.slurm.array import folder
from sweeper.launch.slurm.queue import Queue
from sweeper.oversight.garbage import find


def main(arguments: Sequence[str]) -> int:
    """`python -m sweeper gc`."""
    parser = argparse.ArgumentParser(
        prog="python -m sweeper gc",
        description="What a results folder holds that nobody needs: older checkpoints of runs that are done, code and "
        "arrays of such runs, files that were left half-written. Deletes nothing without --yes, and never a row, "
        "counts, a spec, a log or anything of an unfinished run.",
    )
    parser.add_argument("--results", type=Path, default=Path("results"), help="results folder (default: results)")
    parser.add_argument("--yes", action="store_true", help="delete it")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    options = parser.parse_args(arguments)
    results_dir = options.results.resolve()
    with ExitStack() as around:
        if options.yes and folder(results_dir).is_dir():  # a submitter may be about to use what is frozen already
            around.enter_context(locked(folder(results_dir) / "lock", wait=True))
        queue = Queue.ask(results_dir)
        found = find(results_dir, queue, now=time.time())
        gone = [item for item in found if item.remove()] if options.yes else []
    if options.json:
        items = [{"path": str(item.path), "why": item.why, "bytes": item.size} for item in found]
        print(json.dumps({"command": "gc", "data": {"found": items, "deleted": len(gone)}}, indent=1))
        return 0
    for (place, why), group in groupby(found, key=lambda item: (item.path.parent, item.why)):
        alike = list(group)
        what = alike[0].path if len(alike) == 1 else place
        count = "" if len(alike) == 1 else f"{len(alike)} in "
        print(f"{size(sum(item.size for item in alike)):>9}  {count}{what.relative_to(results_dir)}  ({why})")
    if queue.error is not None:
        print(f"SLURM does not answer, so code and arrays are left: {queue.error}")
    total = size(sum(item.size for item in found))
    end = f"{len(gone)} of {len(found)} are deleted" if options.yes else f"{len(found)}; --yes deletes them"
    print(f"{total} in {end}")
    return 0
