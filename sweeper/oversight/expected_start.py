"""What SLURM says of when runs in its queue will start: `status --start`."""

from collections.abc import Iterable, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

from sweeper.launch.slurm.queue import Queue
from sweeper.launch.slurm.scheduler import Element, SchedulerError
from sweeper.launch.slurm.starts import Start, starts

_Found = dict[tuple[int, int], Start] | str  # or why SLURM did not answer


@dataclass(slots=True)
class ExpectedStarts:
    """What squeue said last, for who looks again and again: it is asked once for each answer of the queue.

    Attributes:
        asked: When the queue was asked, in Unix seconds; None: never.
        found: What it said then.
    """

    asked: float | None = None
    found: _Found | None = None

    def tell(self, statuses: Sequence[MutableMapping[str, Any]], queue: Queue, now: float) -> None:
        """Give each run that waits in SLURM's queue a `start`: when, SLURM's reason, and words on both.

        Where SLURM does not answer, the words say so.

        Args:
            statuses: Runs, as `status` has them.
            queue: What SLURM says of them.
            now: Unix seconds.
        """
        elements = queue.elements
        waiting = [item for item in statuses if item["state"] == "queued" and item["run_id"] in elements]
        found = self._of(queue, [elements[item["run_id"]] for item in waiting])
        for item in waiting:
            element = elements[item["run_id"]]
            if isinstance(found, str):
                start, words = Start(expected=None, reason=element.reason), f"when it starts is not known: {found}"
            else:
                # Of what began meanwhile there is no line.
                start = found.get((element.job, element.index)) or Start(expected=None, reason=element.reason)
                words = start.words(now)
            item["start"] = {"expected": start.expected, "reason": start.reason, "words": words}

    def _of(self, queue: Queue, waiting: Iterable[Element]) -> _Found:
        if self.found is None or self.asked != queue.time:
            self.asked = queue.time
            try:
                self.found = starts(waiting)
            except SchedulerError as error:
                self.found = str(error)
        return self.found
