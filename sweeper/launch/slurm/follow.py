"""Tells what was submitted, and follows it to its end."""

import shlex
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from sweeper.host.amounts import number_of
from sweeper.launch.slurm import canary
from sweeper.launch.slurm.array import chunks
from sweeper.launch.slurm.queue import Queue
from sweeper.launch.slurm.scheduler import SchedulerError
from sweeper.launch.slurm.submit import Submission, submit
from sweeper.runs.folder import RunDir
from sweeper.runs.state import State
from sweeper.spec.run import RunSpec

SECONDS = 15.0
_ENDED = (State.done, State.failed)


def submit_text(done: Submission, results_dir: Path) -> str:
    """One paragraph for people."""
    if not (done.submitted or done.queued or done.left or done.unseen):
        return "nothing is left to submit"
    lines = [f"submitted {number_of(len(done.submitted), 'run')}; {len(done.queued)} were in the queue already"]
    if done.left:
        lines.append(f"{len(done.left)} are left: {done.limit}. The same command submits them when there is room.")
    lines += [f"not submitted: {why}" for why in dict.fromkeys(done.unseen.values())]
    where = "" if results_dir == Path("results").resolve() else f" --results {shlex.quote(str(results_dir))}"
    lines.append(f"where they stand: python -m sweeper status{where}")
    return "\n".join(lines)


def follow(
    specs: Sequence[RunSpec],
    results_dir: Path,
    *,
    say: Callable[[str], None],
    with_canary: bool = False,
    on_end: Callable[[RunDir], None] | None = None,
) -> None:
    """Wait until every run has a row or is out of the queue for good, submitting what a limit had left.

    `say` is told of every change of the counts; `with_canary` is as it was submitted; `on_end` is called at every look
    with each run that has failed.
    """
    last = ""
    resubmitted: Counter[str] = Counter()
    while True:
        queue = Queue.ask(results_dir)
        states = {spec.run_id: queue.state(RunDir(results_dir=results_dir, run_id=spec.run_id)) for spec in specs}
        if on_end is not None:
            for run_id, state in states.items():
                if state is State.failed:
                    on_end(RunDir(results_dir=results_dir, run_id=run_id))
        text = ", ".join(f"{n} {state}" for state, n in sorted(Counter(states.values()).items()))
        if text != last:
            say(f"{time.strftime('%H:%M:%S')} {text}")
            last = text
        stuck = canary.held_for_good(results_dir, states)
        if stuck and all(element.is_blocked for element in queue.elements.values()):
            stuck |= set(queue.elements)  # they wait for those under the ceiling
        if all(state in _ENDED or run_id in stuck for run_id, state in states.items()):
            return
        # A run that left the queue without a row was cancelled or lost: that is for people to decide.
        due = [spec for spec in specs if states[spec.run_id] is State.new and not resubmitted[spec.run_id]]
        if due and queue.error is None:
            try:
                resubmitted.update(submit(due, results_dir, with_canary=with_canary).submitted.keys())
            except SchedulerError as error:
                say(str(error))
        else:
            with suppress(SchedulerError):
                canary.release(results_dir, chunks(results_dir))
        if not due and not any(state in (State.queued, State.running, State.unknown) for state in states.values()):
            return
        time.sleep(SECONDS)
