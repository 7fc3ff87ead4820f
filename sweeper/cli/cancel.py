"""`sweeper cancel`: take runs out of SLURM's queue, or stop them."""

import argparse

from sweeper.cli.arguments import Verbs, add_json, add_results
from sweeper.cli.output import EXIT_OK, print_json


def add_parser(verbs: Verbs) -> None:
    """Adds the verb."""
    parser = verbs.add_parser(
        "cancel",
        help="take jobs out of SLURM's queue, or stop those that run",
        description="Take runs out of SLURM's queue, or stop those that run. What they have saved stays: a launch "
        "resumes them.",
    )
    add_results(parser)
    parser.add_argument("which", help="a grid's name, or the start or end of a run id")
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Executes the verb."""
    from sweeper.launch.slurm import scheduler
    from sweeper.launch.slurm.ledger import live
    from sweeper.launch.slurm.queue import kept
    from sweeper.oversight.status import chosen

    results_dir = options.results.resolve()
    wanted = set(chosen(results_dir, options.which))
    found = {run_id: element for run_id, element in live(results_dir).items() if run_id in wanted}
    scheduler.cancel(found.values())
    kept(results_dir).unlink(missing_ok=True)
    if options.json:
        print_json("cancel", sorted(found))
    else:
        print("\n".join([*sorted(found), f"{len(found)} of {len(wanted)} runs were in the queue and are cancelled"]))
    return EXIT_OK
