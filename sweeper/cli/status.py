"""`sweeper status`: where every run stands."""

import argparse
import time

from sweeper.cli.arguments import Verbs, add_json, add_results, results_folder
from sweeper.cli.output import EXIT_OK, print_json, say_damaged
from sweeper.host.errors import DamagedError

WATCH_SECONDS = 10.0


def add_parser(verbs: Verbs) -> None:
    """Adds the verb."""
    parser = verbs.add_parser(
        "status",
        help="where every run stands: state, step, reward, time left (--watch)",
        description="Where every run stands. SLURM is asked at most once in 15 s, and less often while it does not "
        "answer.",
    )
    add_results(parser)
    parser.add_argument("which", nargs="?", help="a grid's name, or the start or end of a run id")
    parser.add_argument("--watch", action="store_true", help="print it again every ten seconds, until interrupted")
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Executes the verb."""
    from sweeper.launch.slurm.queue import Queue
    from sweeper.oversight.status import run_statuses, status_text

    results_dir = results_folder(options)
    while True:
        queue = Queue.recent(results_dir)
        damaged: list[DamagedError] = []
        statuses = run_statuses(results_dir, options.which, queue, damaged)
        if options.json:
            print_json("status", statuses)
        else:
            print(status_text(statuses, queue, time.time()), flush=True)
        damaged += map(DamagedError, queue.damaged)
        say_damaged(damaged, what="what they say is not in this answer")
        if not options.watch:
            return EXIT_OK
        time.sleep(WATCH_SECONDS)
