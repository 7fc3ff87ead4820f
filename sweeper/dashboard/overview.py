"""All runs of a results folder as the first page shows them: where each stands, and what all of them take."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

from rewards.program import words
from sweeper.dashboard.words import told_in
from sweeper.host.errors import DamagedError, SweeperError
from sweeper.launch.slurm.queue import Queue
from sweeper.oversight.status import Seen, Status, run_statuses
from sweeper.oversight.time_left import seconds_left
from sweeper.rows.differences import short_name, shown
from sweeper.rows.grid_file import places
from sweeper.runs.attempt import Heartbeat
from sweeper.runs.state import State
from sweeper.spec.run_id import RunId

KEPT_SECONDS = 1.0  # of an answer: several windows ask for the same


class Overview:
    """What `status` tells, read anew when it is asked for; one process asks for it from several threads."""

    def __init__(self, results_dir: Path) -> None:
        self.results_dir = results_dir
        self._lock, self._seen = Lock(), Seen()
        self._queue: Queue | None = None
        self._answer: dict[str, Any] = {}
        self._until = 0.0

    def read(self) -> dict[str, Any]:
        """The page's data, as JSON has them; `problem` says why there are none. Nothing is written, nor raised."""
        with self._lock:
            if time.monotonic() >= self._until:
                try:
                    self._answer = told_in(self._read())
                except Exception as error:  # whatever lies there: the page says so, and looks again
                    self._answer = {"problem": told_in(words(error)), "runs": [], "read": time.time()}
                self._until = time.monotonic() + KEPT_SECONDS
            return self._answer

    def lately(self) -> dict[str, Any]:
        """What was last read, if anything was: which runs there are changes seldom."""
        return self._answer if self._answer.get("runs") else self.read()

    def run(self, run_id: str) -> dict[str, Any] | None:
        """What is known of one run; None: it is none."""
        return next((item for item in self.read()["runs"] if item["id"] == run_id), None)

    def _read(self) -> dict[str, Any]:
        if not self.results_dir.is_dir():
            raise SweeperError(
                f"{self.results_dir} is gone: there is no such folder now; runs that go on make it again"
            )
        self._queue = queue = Queue.watched(self.results_dir, self._queue)
        damaged: list[DamagedError] = []
        statuses = run_statuses(self.results_dir, None, queue, damaged, self._seen)
        labels = places(self.results_dir)
        keys = list(dict.fromkeys(key for of in labels.values() for choice in of.values() for key in choice))
        runs = [_run(item, labels.get(RunId(item["run_id"]), {}), keys) for item in statuses]
        return {
            "problem": None,
            "read": time.time(),
            "folder": str(self.results_dir),
            "grids": {name: [short_name(key, keys) for key in axes] for name, axes in _axes(labels).items()},
            "damaged": [*map(str, damaged), *queue.damaged],
            "slurm": queue.error,
            "totals": _totals(statuses),
            "runs": runs,
        }


def _axes(labels: Mapping[RunId, Mapping[str, Mapping[str, str]]]) -> dict[str, list[str]]:
    found: dict[str, dict[str, None]] = {}
    for of in labels.values():
        for grid, choice in of.items():
            found.setdefault(grid, {}).update(dict.fromkeys(choice))
    return {grid: list(keys) for grid, keys in sorted(found.items())}


def _run(item: Status, labels: Mapping[str, Mapping[str, str]], keys: Sequence[str]) -> dict[str, Any]:
    """One run: a measurement that was not made is null."""
    beat = Heartbeat(**item["progress"]) if item["progress"] else None
    choice = {key: label for of in labels.values() for key, label in of.items()} if labels else item["choice"] or {}
    step = beat.step if beat and beat.phase == "train" else item["steps"]
    share = item.get("share")
    if share is None and beat and step is not None and beat.total_steps > 0:
        share = step / beat.total_steps
    return {
        "id": item["run_id"],
        "state": item["state"],
        "grids": sorted(labels),
        "axes": {short_name(key, keys): shown(label) for key, label in choice.items() if label},
        "phase": item.get("doing"),
        "share": share,
        "step": step,
        "steps": beat.total_steps if beat else item["steps"],
        "reward": beat.reward if beat else item["reward"],
        "pass1": item["pass@1"],
        "left": beat.seconds_left if beat and step is not None and item["state"] == State.running else None,
        "spent": item["device_hours"],
        "planned": item["planned_device_hours"],
        "tries": item["attempts"],
        "class": item["failure_class"],
        "why": item["reason"] or item["evidence"],
        "slurm": item["scheduler"],
    }


def _totals(statuses: Sequence[Status]) -> dict[str, Any]:
    """Runs by state, device-hours and what they cost, and when the last run ends."""
    spent = [item["device_hours"] for item in statuses if item["device_hours"] is not None]
    planned = [item["planned_device_hours"] for item in statuses]
    paid = Counter[str]()
    for item in statuses:
        if item.get("cost") is not None:
            paid[item["currency"]] += item["cost"]
    left = seconds_left(statuses)
    states = Counter(item["state"] for item in statuses)
    unknown = (
        "not known yet: no run is done, and not every one was planned"
        if states[State.running]
        else "nothing is running"
    )
    return {
        "states": states,
        "spent": sum(spent) if spent else None,
        "planned": None if None in planned or not planned else sum(planned),
        "cost": ", ".join(f"{currency} {amount:,.2f}" for currency, amount in paid.items()),
        "left": left,
        "basis": unknown if left is None else "if as many stay at work as are now",
    }
