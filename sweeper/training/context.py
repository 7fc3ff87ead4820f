"""One attempt at a run while it lives: what each of its phases needs."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sweeper.host.process import Children
from sweeper.runs.attempt import Attempt
from sweeper.runs.folder import RunDir
from sweeper.spec.run import RunSpec
from sweeper.training.ray_nodes import Node
from sweeper.training.watch import Watch


@dataclass(frozen=True, slots=True, kw_only=True)
class JobContext:
    """An attempt, on the node that executes its phases.

    Attributes:
        spec: What the run is.
        run_dir: The run's folder.
        attempt: This attempt's own.
        watch: Knows the phase and publishes it; the only part that changes.
        children: Who computes, under the eyes of `watch.listen`.
        node: This machine's place in the job.
        started_at: When the attempt began (`now`).
        began: The same by `time.monotonic()`, less the seconds of the attempts before it.
    """

    spec: RunSpec
    run_dir: RunDir
    attempt: Attempt
    watch: Watch
    children: Children
    node: Node
    started_at: str
    began: float

    @property
    def results(self) -> Path:
        """Root of the results."""
        return self.run_dir.results_dir

    @property
    def phase(self) -> str:
        """The phase that runs; before the first, the first."""
        return self.watch.name

    def enter(self, phase: str) -> None:
        """Begin a phase."""
        self.watch.phase(phase)
        print(f"== {now()} {phase}", flush=True)

    def seconds(self) -> float:
        """Wall seconds of all attempts so far."""
        return time.monotonic() - self.began


def now() -> str:
    """The time as rows and logs have it: ISO 8601, UTC, whole seconds."""
    return stamp(time.time())


def stamp(seconds: float) -> str:
    """Unix seconds as `now` writes them."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
