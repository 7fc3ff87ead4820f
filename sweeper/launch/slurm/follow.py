"""Tells what was submitted, and follows it to its end."""

import shlex
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from sweeper.host.amounts import number_of
from sweeper.launch.slurm import canary
from sweeper.launch.slurm.array import chunks
from sweeper.launch.slurm.queue import Queue
from sweeper.launch.slurm.scheduler import RefusedError, SchedulerError
from sweeper.launch.slurm.submit import Submission, submit
from sweeper.runs.folder import RunDir
from sweeper.runs.state import State
from sweeper.spec.run import RunSpec
from sweeper.spec.run_id import RunId

SECONDS = 15.0
_ENDED = (State.done, State.failed)


def submit_text(done: Submission, results_dir: Path) -> str:
    """One paragraph for people."""
    if not (done.submitted or done.queued or done.left or done.refused or done.unseen or done.held):
        return "nothing is left to submit"
    lines = [f"submitted {number_of(len(done.submitted), 'run')}; {len(done.queued)} were in the queue already"]
    if done.left:
        lines.append(f"{len(done.left)} are left: {done.limit}. The same command submits them when there is room.")
    for why, count in Counter(done.refused.values()).items():
        lines.append(f"{number_of(count, 'run')} refused, now and whenever it is asked again: {why}")
    lines += [f"not submitted: {why}" for why in dict.fromkeys(done.unseen.values())]
    where = "" if results_dir == Path("results").resolve() else f" --results {shlex.quote(str(results_dir))}"
    for first, count in Counter(done.held.values()).items():
        lines.append(
            f"{number_of(count, 'run')} held behind a canary that ended without a training step: python -m sweeper "
            f"retry {first}{where} tries it again; after a fix of the code, cancel them and launch again"
        )
    lines.append(f"where they stand: python -m sweeper status{where}")
    return "\n".join(lines)


def follow(
    specs: Sequence[RunSpec],
    results_dir: Path,
    *,
    say: Callable[[str], None],
    with_canary: bool = False,
    on_end: Callable[[RunDir], None] | None = None,
    refused: Collection[RunId] = (),
) -> None:
    """Wait until every run has a row, is out of the queue for good, or waits for what does not come by itself.

    What a limit had left is submitted, but not what SLURM has `refused`. `say` is told of every change of the counts
    and of what jobs wait for; `with_canary` is as it was submitted; `on_end` is called at every look with each run that
    has failed.
    """
    last, never = "", set(refused)
    resubmitted: Counter[str] = Counter()
    while True:
        queue = Queue.ask(results_dir)
        states = {spec.run_id: queue.state(RunDir(results_dir=results_dir, run_id=spec.run_id)) for spec in specs}
        if on_end is not None:
            for run_id, state in states.items():
                if state is State.failed:
                    on_end(RunDir(results_dir=results_dir, run_id=run_id))
        text = _counts_text(states, queue)
        if text != last:
            say(f"{time.strftime('%H:%M:%S')} {text}")
            last = text
        stuck = canary.held_for_good(results_dir, states)
        stuck |= {run_id for run_id, element in queue.elements.items() if element.waits_for_good}
        if stuck and all(item.is_blocked or item.waits_for_good for item in queue.elements.values()):
            stuck |= set(queue.elements)  # they wait for those under the ceiling
        if all(state in _ENDED or run_id in stuck or run_id in never for run_id, state in states.items()):
            return
        # A run that left the queue without a row was cancelled or lost: that is for people to decide.
        new = [spec for spec in specs if states[spec.run_id] is State.new and spec.run_id not in never]
        due = [spec for spec in new if not resubmitted[spec.run_id]]
        if due and queue.error is None:
            never |= _submit(due, results_dir, resubmitted, say, with_canary=with_canary)
        else:
            with suppress(SchedulerError):
                canary.release(results_dir, chunks(results_dir))
        if not due and not any(state in (State.queued, State.running, State.unknown) for state in states.values()):
            return
        time.sleep(SECONDS)


def _counts_text(states: Mapping[RunId, State], queue: Queue) -> str:
    """As "2 running, 3 queued (Resources 2, PartitionTimeLimit 1)"."""
    queued = [run_id for run_id, state in states.items() if state is State.queued]
    waiting = Counter(queue.elements[run_id].reason for run_id in queued if run_id in queue.elements)
    reasons = ", ".join(f"{reason} {n}" for reason, n in waiting.most_common() if reason != "None")
    why = {State.queued: f" ({reasons})"} if reasons else {}
    return ", ".join(f"{n} {state}{why.get(state, '')}" for state, n in sorted(Counter(states.values()).items()))


def _submit(
    due: Sequence[RunSpec],
    results_dir: Path,
    resubmitted: Counter[str],
    say: Callable[[str], None],
    *,
    with_canary: bool,
) -> set[RunId]:
    """Submit what is left, and say what SLURM answers; returns what it will never accept."""
    try:
        done = submit(due, results_dir, with_canary=with_canary)
    except RefusedError as error:
        say(str(error))
        return {spec.run_id for spec in due}
    except SchedulerError as error:
        say(str(error))
        return set()
    resubmitted.update(done.submitted.keys())
    for why in dict.fromkeys(done.refused.values()):
        say(why)
    return set(done.refused)
