"""Where every run stands: its row, else SLURM's queue, else its folder."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweeper.progress import describe
from sweeper.results import read_row, row_path
from sweeper.runs import Heartbeat, RunDir, State, find_run
from sweeper.spec import RunId

if TYPE_CHECKING:
    from sweeper.slurm.scheduler import Element

Status = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """What SLURM says of a results folder's runs; asked at most twice, however many there are."""

    elements: "Mapping[RunId, Element]"
    endings: Mapping[RunId, str]  # of submitted runs that are in the queue no more and have no row
    error: str | None = None  # SLURM did not answer: then `endings` names the submitted runs

    @classmethod
    def ask(cls, results_dir: Path) -> "Queue":
        """Ask, if anything was ever submitted."""
        if not (results_dir / "slurm").is_dir():
            return cls(elements={}, endings={})
        from sweeper.slurm import scheduler
        from sweeper.slurm.submit import live, submitted

        try:
            elements = live(results_dir)
        except scheduler.SchedulerError as error:
            return cls(elements={}, endings=dict.fromkeys(submitted(results_dir), ""), error=str(error))
        # Not recorded and not in the queue: SLURM never got it, or it ended before anyone looked; the folder tells.
        gone = {
            run_id: where
            for run_id, where in submitted(results_dir).items()
            if run_id not in elements and where is not None
        }
        try:
            ended = scheduler.endings(sorted({job for job, _ in gone.values()}))
        except scheduler.SchedulerError as error:
            return cls(elements=elements, endings=dict.fromkeys(gone, f"ended; why is not known: {error}"))
        return cls(
            elements=elements,
            endings={run_id: ended.get(where, "ended; no account of it") for run_id, where in gone.items()},
        )

    def state(self, run_dir: RunDir) -> State:
        """The run's state, as far as the folder and SLURM tell."""
        state, element = run_dir.state(), self.elements.get(run_dir.run_id)
        if state in (State.done, State.running):
            return state
        if element is not None:
            return State.queued if element.state == "PENDING" else State.running
        if run_dir.run_id in self.endings and state is not State.failed:
            return State.interrupted if self.error is None else State.unknown
        return state

    def reason(self, run_id: RunId) -> str | None:
        """SLURM's words on a run; None: it has none."""
        element = self.elements.get(run_id)
        if element is not None:
            return f"{element.job}_{element.index} {element.state} ({element.reason})"
        return self.error if self.error and run_id in self.endings else self.endings.get(run_id)


def run_statuses(results_dir: Path, which: str | None) -> list[Status]:
    """State, progress and reason of the runs of a grid, of one run, or of all.

    Raises:
        RunFailedError: `which` is neither a grid nor a run.
    """
    queue = Queue.ask(results_dir)
    return [_status(RunDir(results_dir=results_dir, run_id=run_id), queue) for run_id in chosen(results_dir, which)]


def chosen(results_dir: Path, which: str | None) -> list[RunId]:
    """The runs of a grid, the one run of that name, or all.

    Raises:
        RunFailedError: `which` is neither a grid nor a run.
    """
    from sweeper.plan import grid_members

    if which is None:
        names = sorted(path.name for path in (results_dir / "runs").glob("*") if path.is_dir())
    elif (results_dir / "grids" / f"{which}.json").exists():
        names = grid_members(results_dir, which)
    else:
        names = [find_run(results_dir, which).run_id]
    return [RunId(name) for name in names]


def _status(run_dir: RunDir, queue: Queue) -> Status:
    state, attempts = queue.state(run_dir), run_dir.attempts()
    beat = attempts[-1].heartbeat() if attempts else None
    failure = run_dir.failure() if state is State.failed else None
    ended = queue.endings.get(run_dir.run_id) if queue.error is None else None
    diagnosis = run_dir.diagnosis(ended) if state in (State.failed, State.interrupted) else None
    return {
        "run_id": run_dir.run_id,
        "state": str(state),
        "attempts": len(attempts),
        "progress": asdict(beat) if beat else None,
        "pass@1": _pass_at_1(run_dir) if state is State.done else None,
        "reason": f"{failure.phase}: {failure.reason}" if failure else None,
        "failure_class": str(diagnosis.failure_class) if diagnosis else None,
        "evidence": diagnosis.evidence if diagnosis else None,
        "scheduler": queue.reason(run_dir.run_id) if state is not State.done else None,
        "log": str(attempts[-1].log) if attempts else None,
    }


def _pass_at_1(run_dir: RunDir) -> float | None:
    score = read_row(row_path(run_dir.results_dir, run_dir.run_id)).score()
    return score.at(1) if score else None


def status_text(statuses: Sequence[Status]) -> str:
    """One line a run, then the count of each state."""
    from tabulate import tabulate

    if not statuses:
        return "no runs yet; start some with: python -m sweeper +grid=model_scale -m"
    lines = [
        {"run": item["run_id"], "state": item["state"], "attempts": item["attempts"], "": _detail(item)}
        for item in statuses
    ]
    counts = Counter(item["state"] for item in statuses)
    total = ", ".join(f"{n} {state}" for state, n in counts.items())
    return f"{tabulate(lines, headers='keys', tablefmt='simple')}\n\n{total}"


def _detail(item: Status) -> str:
    kind = f"[{item['failure_class']}] " if item["failure_class"] not in (None, "unknown") else ""
    if item["reason"]:
        return f"{kind}{item['reason']} (log: {item['log']})"
    if item["pass@1"] is not None:
        return f"pass@1 {item['pass@1']:.3f}"
    words = [describe(Heartbeat(**item["progress"]))] if item["progress"] else []
    return kind + "; ".join([*words, *([item["scheduler"]] if item["scheduler"] else [])])
