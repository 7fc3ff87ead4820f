"""Stop runs: those that run on this machine or wait in the line of its launcher, and SLURM's jobs, waiting or running.

What they have saved stays: a launch resumes them. Exit code 1: one cannot be stopped from here.
"""

import argparse
import sys

from sweeper.cli.verb import EXIT_FAILED, add_json, add_results, answer, results_folder, say_damaged
from sweeper.host.amounts import number_of
from sweeper.host.errors import DamagedError


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the verb takes."""
    add_results(parser)
    parser.add_argument("which", help="a grid's name, or the start or end of a run id")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Executes the verb."""
    from data_prep.files.lock import holder
    from sweeper.launch import local
    from sweeper.launch.slurm import scheduler
    from sweeper.launch.slurm.queue import Queue, kept
    from sweeper.oversight.status import chosen
    from sweeper.runs.folder import RunDir

    results_dir = results_folder(options)
    wanted = chosen(results_dir, options.which)
    queue = Queue.ask(results_dir)
    jobs = {run_id: queue.elements[run_id] for run_id in wanted if run_id in queue.elements}
    scheduler.cancel(jobs.values())
    kept(results_dir).unlink(missing_ok=True)
    stopped, left = local.cancel([RunDir(results_dir=results_dir, run_id=name) for name in wanted if name not in jobs])
    ended = sorted([*jobs, *(run_dir.run_id for run_dir in stopped)])
    count = f"{len(ended)} of {len(wanted)} runs were queued or running and are cancelled"
    if not ended:
        count = f"nothing is cancelled: none of {number_of(len(wanted), 'run')} is queued or running"
    code = answer(options, lambda: ended, lambda: "\n".join([*ended, count]))
    for run_dir in left:
        found = holder(run_dir.lock)
        host = found.host if found else "another machine"
        print(f"{run_dir.run_id} runs on {host}, or is another user's: cancel it there", file=sys.stderr)
    say_damaged([*map(DamagedError, queue.damaged)], what="which jobs are theirs is not known, so none is cancelled")
    if queue.error is not None:
        raise scheduler.SchedulerError(f"SLURM does not answer, so its jobs are not cancelled: {queue.error}")
    return EXIT_FAILED if left or queue.damaged else code
