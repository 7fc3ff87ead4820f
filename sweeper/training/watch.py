"""The progress of an attempt: heartbeats while it computes, an end to what makes none."""

import statistics
import time
from pathlib import Path

from sweeper.host.errors import StalledError
from sweeper.rows.curve import read_curve
from sweeper.rows.curve_point import CurvePoint
from sweeper.runs.attempt import Attempt, Heartbeat
from sweeper.spec.run import RunSpec
from sweeper.training import step_time
from sweeper.training.engine_weights import refuse_other


class Watch:
    """Turns verl's growing metrics file into heartbeats, and ends what makes no progress."""

    def __init__(self, spec: RunSpec, attempt: Attempt, host: str, pid: int) -> None:
        self._spec, self._attempt, self._host, self._pid = spec, attempt, host, pid
        self.name, self._size = "data", -1  # the phase; a run's first until one is published
        self._began = self._last = time.monotonic()
        self._seconds: list[float] = []  # of this attempt's steps
        self.step = 0  # the last that is logged, of this attempt
        self.startup_s: float | None = None  # from starting verl to the beginning of its first step

    def phase(self, name: str) -> None:
        """Publish that a phase has begun."""
        self.name, self._size = name, -1
        self._began = self._last = time.monotonic()
        self._beat(name, [])

    def tick(self) -> None:
        """Publish training progress if the metrics file has grown.

        Raises:
            StalledError: it has not for longer than `step_time.patience`.
            OtherWeightsError: a step was sampled from other weights than the actor's.
        """
        path = self._attempt.metrics
        if self._has_grown(path):
            curve = read_curve([path]) if self._size else []
            self._beat("train", curve)
            refuse_other(self._spec, curve)
            return
        silent, patience = time.monotonic() - self._last, step_time.patience(self._spec, self._seconds)
        if patience is not None and silent > patience:
            usual = (
                f"its median step took {statistics.median(self._seconds):.3g} s" if self._seconds else "it made none"
            )
            raise StalledError(
                f"no training step finished in {silent:.0f} s; {usual} (cluster.stalled_after_minutes="
                f"{self._spec.cluster.stalled_after_minutes:g}, stalled_after_steps="
                f"{self._spec.cluster.stalled_after_steps:g})"
            )

    def listen(self) -> None:
        """Look after a phase without training steps, which prints its progress.

        Raises:
            StalledError: it has printed nothing for `cluster.stalled_after_minutes`.
        """
        silent, patience = time.monotonic() - self._last, step_time.patience(self._spec, ())
        if not self._has_grown(self._attempt.log) and patience is not None and silent > patience:
            raise StalledError(
                f"{self.name} printed nothing for {silent:.0f} s (cluster.stalled_after_minutes="
                f"{self._spec.cluster.stalled_after_minutes:g})"
            )

    def _has_grown(self, path: Path) -> bool:
        size = path.stat().st_size if path.exists() else 0
        if size == self._size:
            return False
        self._size, self._last = size, time.monotonic()
        return True

    def _beat(self, phase: str, curve: list[CurvePoint]) -> None:
        trained = [point for point in curve if point.reward is not None]
        if self.startup_s is None and trained and trained[0].seconds is not None:
            self.startup_s = time.monotonic() - self._began - sum(point.seconds or 0.0 for point in trained)
        self.step = trained[-1].step if trained else self.step
        measured = [point.val_pass1 for point in curve if point.val_pass1 is not None]
        seconds = self._seconds = [point.seconds for point in trained if point.seconds is not None]
        left = None
        if trained and seconds:
            left = statistics.median(seconds) * (self._spec.total_steps - trained[-1].step)
        self._attempt.beat(
            Heartbeat(
                phase=phase,
                step=trained[-1].step if trained else None,
                total_steps=self._spec.total_steps,
                reward=trained[-1].reward if trained else None,
                val_pass1=measured[-1] if measured else None,
                seconds_left=left,
                time=time.time(),
                pid=self._pid,
                host=self._host,
                without_signal=trained[-1].groups.without_signal if trained and trained[-1].groups else None,
            )
        )
