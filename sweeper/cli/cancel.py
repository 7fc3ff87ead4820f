"""Stop runs: those that run on this machine or wait in the line of its launcher, and SLURM's jobs, waiting or running.

What they have saved stays: a launch resumes them. Exit code 1: one cannot be stopped from here.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sweeper.cli.verb import EXIT_FAILED, add_json, add_results, answer, results_folder, say_damaged
from sweeper.host.amounts import number_of
from sweeper.host.errors import DamagedError

if TYPE_CHECKING:
    from sweeper.launch.slurm.scheduler import Element
    from sweeper.spec.run_id import RunId

_NAMED = 10  # runs of one job that are named


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the verb takes."""
    add_results(parser)
    parser.add_argument("which", help="a grid's name, or the start or end of a run id")
    parser.add_argument(
        "--gone",
        action="store_true",
        help="cancel nothing: their jobs on another cluster are over, as you have seen there, and a launch may submit "
        "them from here",
    )
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
    if options.gone:
        return _say_over(options, results_dir, wanted)
    with _nobody_submitting(results_dir):
        queue = Queue.ask(results_dir)
        jobs = {run_id: elements for run_id in wanted if (elements := queue.all_elements(run_id))}
        refused = _cancel_jobs(element for elements in jobs.values() for element in elements)
    with suppress(OSError):  # another's results folder: SLURM is asked anew all the same, soon
        kept(results_dir).unlink(missing_ok=True)
    stopped, left = local.cancel([RunDir(results_dir=results_dir, run_id=name) for name in wanted if name not in jobs])
    unseen: dict[str, list[RunId]] = {}
    for run_id in wanted:
        if run_id in queue.unseen:
            unseen.setdefault(queue.unseen[run_id], []).append(run_id)
    ended = sorted([*jobs, *(run_dir.run_id for run_dir in stopped)])
    twins = sum(len(elements) - 1 for elements in jobs.values())
    done = "are cancelled" if refused is None else "were asked to end"
    count = f"{len(ended)} of {len(wanted)} runs were queued or running and {done}"
    count += f", with {number_of(twins, 'job')} more of the same runs" if twins else ""
    if not ended:
        count = f"nothing is cancelled: none of {number_of(len(wanted), 'run')} is queued or running"
        count += " on this cluster" if unseen else ""
    code = answer(options, lambda: ended, lambda: "\n".join([*ended, count]))
    for run_dir in left:
        found = holder(run_dir.lock)
        host = found.host if found else "another machine"
        print(f"{run_dir.run_id} runs on {host}, or is another user's: cancel it there", file=sys.stderr)
    say_damaged([*map(DamagedError, queue.damaged)], what="which jobs are theirs is not known, so none is cancelled")
    for why, names in sorted(unseen.items()):
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        listed = f"{', '.join(names[:_NAMED])}{more}"
        print(f"not cancelled: {number_of(len(names), 'run')} ({listed}): {why}", file=sys.stderr)
    if refused is not None:
        print(f"SLURM did not cancel all of them: {refused}", file=sys.stderr)
    if queue.error is not None:
        raise scheduler.SchedulerError(f"SLURM does not answer, so its jobs are not cancelled: {queue.error}")
    return EXIT_FAILED if left or queue.damaged or unseen or refused else code


def _say_over(options: argparse.Namespace, results_dir: Path, wanted: "Sequence[RunId]") -> int:
    from sweeper.launch.slurm.ledger import say_over
    from sweeper.launch.slurm.queue import kept

    with _nobody_submitting(results_dir):
        over = say_over(results_dir, wanted)
    with suppress(OSError):
        kept(results_dir).unlink(missing_ok=True)
    count = f"of {len(over)} of {number_of(len(wanted), 'run')} the jobs on another cluster are taken for over"
    end = "; a launch submits them from here" if over else ": none has one there"
    return answer(options, lambda: over, lambda: "\n".join([*over, f"{count}{end}"]))


@contextmanager
def _nobody_submitting(results_dir: Path) -> Iterator[None]:
    """Wait for who submits now, so that no job of theirs arrives in the queue after it was looked at."""
    from data_prep.files.lock import LockedError, locked

    place = results_dir / "slurm"
    with ExitStack() as around:
        with suppress(OSError, LockedError):  # closed to this user, who may have jobs there all the same
            if place.is_dir():
                around.enter_context(locked(place / "lock", wait=True))
        yield


def _cancel_jobs(elements: "Iterable[Element]") -> str | None:
    """Cancel all that SLURM lets this user cancel; its words on the others."""
    from sweeper.launch.slurm import scheduler

    try:
        scheduler.cancel(elements)
    except scheduler.SchedulerError as error:
        return str(error)
    return None
