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
from sweeper.rows.differences import short_name, shown
from sweeper.rows.grid_file import Member, grids, readable
from sweeper.runs.attempt import Heartbeat
from sweeper.runs.state import State

KEPT_SECONDS = 1.0  # of an answer: several windows ask for the same
_AHEAD = (State.new, State.queued, State.running, State.interrupted)  # what a sweep still has to do


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
                except (SweeperError, OSError) as error:
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
        labels, members = _places(self.results_dir)
        keys = list(dict.fromkeys(key for of in labels.values() for choice in of.values() for key in choice))
        runs = [_run(item, labels.get(item["run_id"], {}), keys) for item in statuses]
        return {
            "problem": None,
            "read": time.time(),
            "folder": str(self.results_dir),
            "grids": {name: [short_name(key, keys) for key in axes] for name, axes in _axes(labels).items()},
            "damaged": [*map(str, damaged), *queue.damaged],
            "slurm": queue.error,
            "totals": _totals(statuses, members),
            "runs": runs,
        }


def _places(results_dir: Path) -> tuple[dict[str, dict[str, dict[str, str]]], dict[str, Member]]:
    """The labels of each run on the axes of each grid that it is in, and the run as a point of one."""
    labels: dict[str, dict[str, dict[str, str]]] = {}
    members: dict[str, Member] = {}
    for grid in readable(results_dir, grids(results_dir)):
        for member in grid.members:
            choice = dict(zip(grid.axes, member.choice or (), strict=False))
            labels.setdefault(member.run_id, {})[grid.name] = choice
            members.setdefault(member.run_id, member)
    return labels, members


def _axes(labels: Mapping[str, Mapping[str, Mapping[str, str]]]) -> dict[str, list[str]]:
    found: dict[str, dict[str, None]] = {}
    for of in labels.values():
        for grid, choice in of.items():
            found.setdefault(grid, {}).update(dict.fromkeys(choice))
    return {grid: list(keys) for grid, keys in sorted(found.items())}


def _run(item: Status, labels: Mapping[str, Mapping[str, str]], keys: Sequence[str]) -> dict[str, Any]:
    """One run: a measurement that was not made is null."""
    beat = Heartbeat(**item["progress"]) if item["progress"] else None
    choice = {key: label for of in labels.values() for key, label in of.items()} if labels else item["choice"] or {}
    in_training = beat is not None and beat.phase == "train" and beat.step is not None
    is_alive = item["state"] == State.running
    return {
        "id": item["run_id"],
        "state": item["state"],
        "grids": sorted(labels),
        "axes": {short_name(key, keys): shown(label) for key, label in choice.items() if label},
        "phase": str(beat) if beat and is_alive else None,
        "step": beat.step if beat and in_training else None,
        "steps": beat.total_steps if beat else None,
        "reward": beat.reward if beat else None,
        "pass1": item["pass@1"],
        "left": beat.seconds_left if beat and in_training and is_alive else None,
        "spent": item["device_hours"],
        "planned": item["planned_device_hours"],
        "tries": item["attempts"],
        "class": item["failure_class"],
        "why": item["reason"] or item["evidence"],
        "slurm": item["scheduler"],
    }


def _totals(statuses: Sequence[Status], members: Mapping[str, Member]) -> dict[str, Any]:
    """Runs by state, device-hours, and when the last run ends."""
    spent = [item["device_hours"] for item in statuses if item["device_hours"] is not None]
    planned = [item["planned_device_hours"] for item in statuses]
    seconds, basis = seconds_left(statuses, members)
    return {
        "states": Counter(item["state"] for item in statuses),
        "spent": sum(spent) if spent else None,
        "planned": None if None in planned or not planned else sum(planned),
        "left": seconds,
        "basis": basis,
    }


def seconds_left(statuses: Sequence[Status], members: Mapping[str, Member]) -> tuple[float | None, str]:
    """Seconds until the last run ends, if as many devices stay busy as are now; and on what that rests.

    A run takes what was planned of it, or what finished ones took on average, less what it has taken. None: nothing
    runs, or something is not known; the words say what.
    """
    ahead = [item for item in statuses if item["state"] in _AHEAD]
    running = [item for item in ahead if item["state"] == State.running]
    if not running:
        return None, "nothing is running" if ahead else "nothing is left to run"
    busy = [members[item["run_id"]].devices if item["run_id"] in members else None for item in running]
    ended = [item["device_hours"] for item in statuses if item["state"] == State.done and item["device_hours"]]
    mean = sum(ended) / len(ended) if ended else None
    wholes = [mean if item["planned_device_hours"] is None else item["planned_device_hours"] for item in ahead]
    if None in busy:
        return None, "not known: of a running run nobody wrote down how many devices it has"
    if None in wholes:
        return None, "not known: no run has finished, and their durations were not planned"
    hours = sum(
        max(0.0, (whole or 0.0) - (item["device_hours"] or 0.0)) for whole, item in zip(wholes, ahead, strict=True)
    )
    own = [item["progress"]["seconds_left"] or 0.0 for item in running if item["progress"]]
    devices = sum(number or 0 for number in busy)
    is_planned = all(item["planned_device_hours"] is not None for item in ahead)
    of = "the plan" if is_planned else f"the mean of {len(ended)} finished"
    return max([hours * 3600 / devices, *own]), f"by {of}, {devices} busy now"
