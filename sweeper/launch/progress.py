"""Progress of running jobs: live bars on a terminal, plain lines elsewhere."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from rewards.terminal import guard, own, visible
from sweeper.host.amounts import duration
from sweeper.job.exit import EXIT_LOCKED, EXIT_TERMINATED
from sweeper.rows.differences import named, swept
from sweeper.rows.row import read_row, row_path
from sweeper.runs.attempt import Heartbeat
from sweeper.runs.folder import RunDir
from sweeper.runs.state import State, state_of

if TYPE_CHECKING:
    from rich.progress import TaskID


EVERY = 15.0  # seconds


def reporter(total: int, results_dir: Path) -> "Reporter":
    """Bars where stderr is a terminal, else lines."""
    return (Bars if sys.stderr.isatty() else Reporter)(total, results_dir, sys.stderr)


def outcome(run_dir: RunDir, code: int) -> str:
    """One line on how a job ended, from its row."""
    state = state_of(run_dir)
    path = row_path(run_dir.results_dir, run_dir.run_id)
    if state is State.done:
        row = read_row(path)
        base, trained = row.score(base=True), row.score()
        first, last = (score.at(1) if score else None for score in (base, trained))
        measured = f"pass@1 {first:.3f} -> {last:.3f}" if first is not None and last is not None else "measured"
        took = f" in {duration(row.timing.total_s)}" if row.timing and row.timing.total_s else ""
        return f"done{took}, {measured}"
    if state is State.failed:
        failure = read_row(path).failure
        return f"FAILED in {failure.phase}: {failure.reason} (log: {failure.log})" if failure else "FAILED"
    if state is State.damaged:
        return f"{run_dir.damage()}"
    if code == EXIT_LOCKED:
        return "is running in another process, which this launch leaves it to; see: python -m sweeper status"
    if code == EXIT_TERMINATED:
        return "stopped; the same command resumes it"
    return f"interrupted (exit code {code}); see {run_dir.path / 'launch.log'}; the same command resumes it"


class Reporter:
    """Plain lines on `stream`: one per change of phase, and one every `EVERY` seconds of training.

    Beside a run's id stands what the grids of the results folder say of it.
    """

    def __init__(self, total: int, results_dir: Path, stream: TextIO) -> None:
        self._total, self._stream = total, stream
        self._ended = 0
        self._last: dict[str, tuple[str, float]] = {}
        self._swept = swept(results_dir)

    def started(self, run_dir: RunDir) -> None:
        """A job was started."""
        self._print(run_dir, "started")

    def beat(self, run_dir: RunDir) -> None:
        """A job is alive; called several times per second."""
        attempts = run_dir.attempts()
        if attempts and (beat := attempts[-1].heartbeat()):
            self._tell(run_dir, beat)

    def ended(self, run_dir: RunDir, code: int) -> None:
        """A job ended with an exit code."""
        self._ended += 1
        self._print(run_dir, outcome(run_dir, code))

    def _tell(self, run_dir: RunDir, beat: Heartbeat) -> None:
        phase, printed = self._last.get(run_dir.run_id, ("", 0.0))
        if beat.phase != phase or time.monotonic() - printed >= EVERY:
            self._last[run_dir.run_id] = (beat.phase, time.monotonic())
            self._print(run_dir, str(beat))

    def _named(self, run_dir: RunDir) -> str:
        return named(run_dir.run_id, self._swept.get(run_dir.run_id))

    def _print(self, run_dir: RunDir, text: str) -> None:
        print(f"[{self._ended}/{self._total}] {self._named(run_dir)}: {text}", file=self._stream, flush=True)


class Bars(Reporter):
    """A live bar per running job, above them one for the whole sweep."""

    def __init__(self, total: int, results_dir: Path, stream: TextIO) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        super().__init__(total, results_dir, stream)
        # A name or a reason may read as Rich's markup, which makes links; bars are drawn below the screen.
        name, text = (TextColumn(f"{{task.{key}}}", markup=False) for key in ("description", "fields[text]"))
        self._progress = Progress(name, BarColumn(), text, TimeElapsedColumn(), console=Console(file=own(stream)))
        self._progress.start()
        guard()  # Rich puts streams of its own before ours, so that what is printed meanwhile stands above the bars
        self._all = self._progress.add_task("sweep", total=total, text=f"0/{total} runs")
        self._tasks: dict[str, TaskID] = {}

    def started(self, run_dir: RunDir) -> None:
        """A job was started."""
        name = visible(self._named(run_dir))
        self._tasks[run_dir.run_id] = self._progress.add_task(name, total=None, text="starting")

    def ended(self, run_dir: RunDir, code: int) -> None:
        """A job ended with an exit code."""
        self._progress.remove_task(self._tasks.pop(run_dir.run_id))
        super().ended(run_dir, code)
        self._progress.update(self._all, completed=self._ended, text=f"{self._ended}/{self._total} runs")
        if self._ended == self._total:
            self._progress.stop()

    def _tell(self, run_dir: RunDir, beat: Heartbeat) -> None:
        total = beat.total_steps if beat.phase == "train" else None
        task = self._tasks[run_dir.run_id]
        self._progress.update(task, total=total, completed=beat.step or 0, text=visible(str(beat)))

    def _print(self, run_dir: RunDir, text: str) -> None:
        told = visible(f"{self._named(run_dir)}: {text}")
        self._progress.console.print(told, highlight=False, markup=False)
