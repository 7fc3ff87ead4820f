"""Progress of running jobs: live bars on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from rewards.terminal import guard, own, visible
from sweeper.host.amounts import duration
from sweeper.job.exit import EXIT_LOCKED, EXIT_NO_ROOM, EXIT_TERMINATED
from sweeper.rows.differences import labels
from sweeper.rows.row import read_row, row_path
from sweeper.runs.folder import RunDir
from sweeper.runs.progress import Progress, progress_of
from sweeper.runs.state import State, state_of
from sweeper.spec.run_id import handles

if TYPE_CHECKING:
    from rich.progress import TaskID


_WIDE = 110  # columns of a terminal that has room for bars beside what they say
_TELLING = 0.03  # of all runs: what is done says how fast it goes
EVERY = 60.0  # seconds between two lines of one run, where no phase begins


def reporter(run_dirs: Sequence[RunDir], results_dir: Path) -> "Reporter":
    """Bars where stderr is a terminal, else lines; of the runs that a launch has started or will start."""
    return (Bars if sys.stderr.isatty() else Reporter)(run_dirs, results_dir, sys.stderr)


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
    if code == EXIT_NO_ROOM:
        return f"stopped: no room on the disk of {run_dir.path}; make room, and the same command resumes it"
    if code == EXIT_TERMINATED:
        return "stopped; the same command resumes it"
    return f"interrupted (exit code {code}); see {run_dir.path / 'launch.log'}; the same command resumes it"


class Reporter:
    """Plain lines on `stream`: one per change of phase of a run, and one every `EVERY` seconds.

    Runs are called by what tells them apart; the line of a start names the handle that `why` and `logs` take.
    """

    def __init__(self, run_dirs: Sequence[RunDir], results_dir: Path, stream: TextIO) -> None:
        ids = [run_dir.run_id for run_dir in run_dirs]
        self._total, self._stream = len(ids), stream
        self._ended, self._began = 0, time.monotonic()
        self._last: dict[str, tuple[str, float]] = {}
        self._whole: dict[str, float] = {}
        self._training_left: dict[str, float] = {}
        self._labels, self._handles = labels(ids, results_dir), handles(ids)

    def started(self, run_dir: RunDir) -> None:
        """A job was started."""
        self._print(run_dir, f"started, {self._handles[run_dir.run_id]}")

    def beat(self, run_dir: RunDir) -> None:
        """A job is alive; called several times per second."""
        attempts = run_dir.attempts()
        if attempts and (beat := attempts[-1].heartbeat()):
            now = progress_of(attempts[-1], beat)
            self._whole[run_dir.run_id] = now.whole
            self._training_left[run_dir.run_id] = beat.seconds_left or 0.0
            self._tell(run_dir, now)

    def ended(self, run_dir: RunDir, code: int) -> None:
        """A job ended with an exit code."""
        self._ended += 1
        self._whole[run_dir.run_id] = 1.0
        self._training_left.pop(run_dir.run_id, None)
        self._print(run_dir, outcome(run_dir, code))

    @property
    def whole(self) -> float:
        """How much of all runs is done, 0 to 1: of each its share of its own way."""
        return sum(self._whole.values()) / max(1, self._total)

    def seconds_left(self) -> float | None:
        """Until the last run ends, at the pace so far; None: too little is done to say.

        Never less than a run says of its own training: what it found made already, as its base model, sets no pace.
        """
        if not _TELLING < self.whole < 1:
            return None
        at_this_pace = (time.monotonic() - self._began) * (1 - self.whole) / self.whole
        return max(at_this_pace, *self._training_left.values(), 0.0)

    def sweep_text(self) -> str:
        """Runs, percent and time left of the whole launch."""
        return ", ".join([f"{self._ended}/{self._total} runs", f"{self.whole:.0%}", *self._left()])

    def _left(self) -> list[str]:
        left = self.seconds_left()
        return [] if left is None else [f"about {_about(left)} left"]

    def _tell(self, run_dir: RunDir, now: Progress) -> None:
        phase, printed = self._last.get(run_dir.run_id, ("", 0.0))
        if now.phase != phase or time.monotonic() - printed >= EVERY:
            self._last[run_dir.run_id] = (now.phase, time.monotonic())
            self._print(run_dir, now.text)

    def _print(self, run_dir: RunDir, text: str) -> None:
        told = f"[{self.sweep_text()}] {self._labels[run_dir.run_id]}: {text}"
        print(told, file=self._stream, flush=True)


def _about(seconds: float) -> str:
    """A time to wait, to the minute."""
    return "a minute" if seconds < 90 else duration(60 * round(seconds / 60)).removesuffix("00s")


class Bars(Reporter):
    """A live bar per running job, above them one for the whole sweep."""

    def __init__(self, run_dirs: Sequence[RunDir], results_dir: Path, stream: TextIO) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Drawn

        super().__init__(run_dirs, results_dir, stream)
        # A name or a reason may read as Rich's markup, which makes links; bars are drawn below the screen.
        name, text = (TextColumn(f"{{task.{key}}}", markup=False) for key in ("description", "fields[text]"))
        console = Console(file=own(stream))
        is_wide = console.width >= _WIDE
        across = [BarColumn(bar_width=16)] if is_wide else []
        ends = [TimeElapsedColumn()] if is_wide else []
        self._progress = Drawn(name, *across, TaskProgressColumn(), text, *ends, console=console)
        self._progress.start()
        guard()  # Rich puts streams of its own before ours, so that what is printed meanwhile stands above the bars
        self._all = self._progress.add_task("sweep", total=1.0, text=self.sweep_text())
        self._tasks: dict[str, TaskID] = {}

    def sweep_text(self) -> str:
        """Runs and time left; the percent has a column of its own."""
        return ", ".join([f"{self._ended}/{self._total} runs", *self._left()])

    def started(self, run_dir: RunDir) -> None:
        """A job was started."""
        name = visible(self._labels[run_dir.run_id])
        self._tasks[run_dir.run_id] = self._progress.add_task(name, total=None, text="starting")

    def beat(self, run_dir: RunDir) -> None:
        """A job is alive; called several times per second."""
        super().beat(run_dir)
        self._progress.update(self._all, completed=self.whole, text=self.sweep_text())

    def ended(self, run_dir: RunDir, code: int) -> None:
        """A job ended with an exit code."""
        self._progress.remove_task(self._tasks.pop(run_dir.run_id))
        super().ended(run_dir, code)
        self._progress.update(self._all, completed=self.whole, text=self.sweep_text())
        if self._ended == self._total:
            self._progress.stop()

    def _tell(self, run_dir: RunDir, now: Progress) -> None:
        task = self._tasks[run_dir.run_id]
        total = None if now.share is None else 1.0
        self._progress.update(task, total=total, completed=now.share or 0.0, text=visible(now.text))

    def _print(self, run_dir: RunDir, text: str) -> None:
        told = visible(f"{self._labels[run_dir.run_id]}: {text}")
        self._progress.console.print(told, highlight=False, markup=False)
