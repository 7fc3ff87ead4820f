"""What a run prints from now on, attempt after attempt, until it has ended."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from rewards.bounded_file import MIB
from sweeper.launch.slurm.queue import Queue
from sweeper.runs.attempt import Attempt
from sweeper.runs.folder import RunDir
from sweeper.runs.state import State

SECONDS = 1.0  # between two looks; SLURM is asked as seldom as by `status`
_GOES_ON = (State.queued, State.running, State.unknown)


def followed(run_dir: RunDir, start: int, *, say: Callable[[str], None]) -> Iterator[bytes]:
    """The bytes of a run's logs from byte `start` of its last attempt's on, as they are written.

    Every later attempt's log follows from its beginning. A run that has not begun is waited for if it has a job. Ends
    when the run has a row, or has neither a process nor a job. `say` is told of each attempt that begins, of each state
    in which nothing is printed, with SLURM's words, and of how it ended.

    Raises:
        DamagedError: a log is no regular file.
    """
    attempts, told, file = run_dir.attempts(), State.running, None
    number = attempts[-1].number if attempts else 0
    with ExitStack() as opened:
        if attempts and attempts[-1].log.exists():
            file = opened.enter_context(attempts[-1].open_log())
            file.seek(start)
        while True:
            queue = Queue.recent(run_dir.results_dir)
            state = queue.state(run_dir)  # before the log: what is printed until it has ended is read after that
            while file is not None and (part := file.read(MIB)):
                yield part
            later = _next(run_dir, number)
            if later is not None:
                opened.close()
                number, told, file = later.number, State.running, opened.enter_context(later.open_log())
                say(f"== attempt {number}")
                continue
            if state is not told:
                why = "it has neither begun nor a job" if state is State.new else queue.reason(run_dir.run_id)
                say(f"== {state}{f': {why}' if why and state is not State.done else ''}")
                told = state
            if state not in _GOES_ON:
                return
            time.sleep(SECONDS)


def _next(run_dir: RunDir, number: int) -> Attempt | None:
    """The attempt after one, if it has begun to print."""
    later = [attempt for attempt in run_dir.attempts() if attempt.number > number and attempt.log.exists()]
    return later[0] if later else None
