"""Where every run stands: state, step, reward, time left (--watch).

SLURM is asked at most once in 15 s, and less often while it does not answer.
"""

import argparse
import time
from pathlib import Path

from sweeper.cli.verb import add_json, add_results, answer, results_folder, say_damaged
from sweeper.host.errors import DamagedError
from sweeper.host.printed_table import Room, add_flags

WATCH_SECONDS = 10.0


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the verb takes."""
    add_results(parser)
    parser.add_argument("which", nargs="?", help="a grid's name, or the start or end of a run id")
    parser.add_argument("--watch", action="store_true", help="print it again every ten seconds, until interrupted")
    add_json(parser)
    add_flags(parser)


def run(options: argparse.Namespace) -> int:
    """Executes the verb."""
    results_dir = results_folder(options)
    while True:
        code = _print(options, results_dir)
        if not options.watch:
            return code
        time.sleep(WATCH_SECONDS)


def _print(options: argparse.Namespace, results_dir: Path) -> int:
    from sweeper.launch.slurm.queue import Queue
    from sweeper.oversight.status import run_statuses, status_text

    queue = Queue.recent(results_dir)
    damaged: list[DamagedError] = []
    statuses = run_statuses(results_dir, options.which, queue, damaged)
    answer(options, lambda: statuses, lambda: status_text(statuses, queue, time.time(), Room.of_screen(options)))
    damaged += map(DamagedError, queue.damaged)
    return say_damaged(damaged, what="what they say is not in this answer")
