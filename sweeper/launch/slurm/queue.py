"""What SLURM says of a results folder's runs: two questions, however many runs there are.

The answer is kept for a while beside the runs (`slurm/queue.json`), so that people who look often ask seldom, and a
SLURM that does not answer is asked less and less often.
"""

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rewards.bounded_file import read_json
from sweeper.host.errors import DamagedError
from sweeper.host.files import write_atomic
from sweeper.runs.folder import RunDir
from sweeper.runs.state import Job, State, state_of
from sweeper.spec.bounds import adapter
from sweeper.spec.run_id import RunId

if TYPE_CHECKING:
    from sweeper.launch.slurm.scheduler import Element

KEPT_SECONDS = 15.0
LONGEST_SECONDS = 300.0  # between two questions to a SLURM that does not answer
_ELEMENT = ("job", "index", "name", "state", "reason", "mark", "in_array")  # an element, as it is kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """What SLURM says of a results folder's runs."""

    elements: "Mapping[RunId, Element]"
    endings: Mapping[RunId, str]  # of submitted runs that are in the queue no more and have no row
    error: str | None = None  # SLURM did not answer: then `endings` names the submitted runs
    time: float = 0.0  # Unix seconds of the question, without answer those of its end; 0: there was nothing to ask
    damaged: tuple[str, ...] = ()  # files of arrays that cannot be read: which runs are theirs is not known
    failures: int = 0  # questions in a row without an answer
    twins: "Mapping[RunId, tuple[Element, ...]]" = field(
        default_factory=dict
    )  # more elements of runs that have several
    places: Mapping[RunId, tuple[int, int]] = field(default_factory=dict)  # array job and index of what `endings` names
    earlier: Mapping[RunId, tuple[tuple[int, int], ...]] = field(default_factory=dict)  # all elements that those had
    unseen: Mapping[RunId, str] = field(
        default_factory=dict
    )  # runs that may have jobs which SLURM does not tell of here
    clusters: Mapping[RunId, str] = field(default_factory=dict)  # on which the jobs of runs are, where it is known

    @classmethod
    def ask(cls, results_dir: Path, *, writes: bool = True) -> "Queue":
        """Ask now, if anything was ever submitted; it `writes` down the ids of jobs that it finds without one."""
        if not (results_dir / "slurm").is_dir():
            return cls(elements={}, endings={})
        from sweeper.launch.slurm import ledger, scheduler
        from sweeper.launch.slurm.array import chunks

        damaged: list[DamagedError] = []
        now, known = time.time(), chunks(results_dir, damaged)
        broken = tuple(map(str, damaged))
        try:
            jobs = ledger.ask(results_dir, known, records=writes)
        except scheduler.SchedulerError as error:
            endings = dict.fromkeys(ledger.submitted(results_dir, known), "")
            if not endings and isinstance(error, scheduler.NoSlurmError):
                return cls(elements={}, endings={}, damaged=broken)  # nothing was submitted that SLURM could know of
            # From the end of a question that may have taken a minute: the pause is one of its own.
            return cls(elements={}, endings=endings, error=str(error), time=time.time(), damaged=broken)
        return cls(
            elements=jobs.elements,
            twins=jobs.twins,
            unseen=jobs.unseen,
            clusters=jobs.clusters,
            places=jobs.places,
            earlier=jobs.earlier,
            endings=jobs.endings,
            time=now,
            damaged=broken,
        )

    @classmethod
    def recent(cls, results_dir: Path) -> "Queue":
        """The last answer if it is of the last seconds, else a new one; without answers the seconds double."""
        new = cls._newer(results_dir, last := _last(results_dir), writes=True)
        if new is not last and new.time:
            with suppress(OSError):  # another's results folder: asked anew each time
                write_atomic(kept(results_dir), _text(new))
        return new

    @classmethod
    def watched(cls, results_dir: Path, before: "Queue | None") -> "Queue":
        """As `recent`, for who writes nothing and remembers what it got `before`."""
        known = [item for item in (before, _last(results_dir)) if item is not None]
        return cls._newer(results_dir, max(known, key=lambda item: item.time, default=None), writes=False)

    @classmethod
    def _newer(cls, results_dir: Path, last: "Queue | None", *, writes: bool) -> "Queue":
        """The last answer if it is still good, else a new one."""
        if last is not None:
            seconds = min(LONGEST_SECONDS, KEPT_SECONDS * 2.0**last.failures)
            if 0 <= time.time() - last.time < seconds:
                return last
        new = cls.ask(results_dir, writes=writes)
        return replace(new, failures=0 if new.error is None else (last.failures if last else 0) + 1)

    def state(self, run_dir: RunDir, *, is_done: bool = False) -> State:
        """The run's state, as far as the folder and SLURM tell; `is_done` as `state_of` has it."""
        return state_of(run_dir, self.job(run_dir.run_id), is_done=is_done)

    def all_elements(self, run_id: RunId) -> "tuple[Element, ...]":
        """Every element of a run that is not over."""
        return (*([self.elements[run_id]] if run_id in self.elements else []), *self.twins.get(run_id, ()))

    def job(self, run_id: RunId) -> Job:
        """What SLURM says of a run."""
        element = self.elements.get(run_id)
        if element is not None:
            return Job.waiting if element.state == "PENDING" else Job.active
        if run_id in self.unseen:
            return Job.unseen
        if run_id in self.endings:
            return Job.gone if self.error is None else Job.silent
        return Job.none

    def reason(self, run_id: RunId) -> str | None:
        """SLURM's words on a run; None: it has none."""
        element = self.elements.get(run_id)
        if element is not None:
            why = "" if element.reason == "None" else f" ({element.reason})"  # squeue's word for no reason
            more = ", ".join(f"{item.id} {item.state}" for item in self.twins.get(run_id, ()))
            return f"{element.id} {element.state}{why}{f'; also {more}' if more else ''}"
        if run_id in self.unseen:
            return self.unseen[run_id]
        return self.error if self.error and run_id in self.endings else self.endings.get(run_id)


def kept(results_dir: Path) -> Path:
    """Where the last answer lies; whoever submits or cancels takes it away."""
    return results_dir / "slurm" / "queue.json"


@dataclass(frozen=True)
class _Kept:
    """What is kept beside the elements."""

    endings: dict[RunId, str]
    error: str | None
    time: float
    damaged: tuple[str, ...]
    failures: int
    unseen: dict[RunId, str]
    clusters: dict[RunId, str]
    places: dict[RunId, tuple[int, int]]
    earlier: dict[RunId, tuple[tuple[int, int], ...]]


def _text(queue: Queue) -> str:
    # `asdict` would copy thousands of elements, one by one.
    values = {name: getattr(queue, name) for name in Queue.__dataclass_fields__}
    values["elements"] = {run_id: [getattr(item, key) for key in _ELEMENT] for run_id, item in queue.elements.items()}
    values["twins"] = {run_id: [asdict(item) for item in more] for run_id, more in queue.twins.items()}
    return json.dumps(values) + "\n"


def _last(results_dir: Path) -> Queue | None:
    """The answer that is kept beside the runs."""
    path = kept(results_dir)
    return _read(path) if path.exists() else None


def _read(path: Path) -> Queue | None:
    from sweeper.launch.slurm.scheduler import Element

    try:
        values: dict[str, Any] = read_json(path)
        elements = {run_id: dict(zip(_ELEMENT, item, strict=True)) for run_id, item in values.pop("elements").items()}
        checked = adapter(dict[RunId, Element]).validate_python(elements)
        twins = adapter(dict[RunId, tuple[Element, ...]]).validate_python(values.pop("twins"))
        return Queue(elements=checked, twins=twins, **asdict(adapter(_Kept).validate_python(values)))
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None  # taken away this moment, or of an earlier version
