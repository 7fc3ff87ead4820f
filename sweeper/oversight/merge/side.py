"""One run as one results folder has it: where it stands, and what tells its history from another's."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rewards.bounded_file import parsed, read_text
from sweeper.host.amounts import duration
from sweeper.host.errors import DamagedError, SweeperError
from sweeper.host.files import undamaged
from sweeper.host.machine import hostname
from sweeper.launch.slurm.queue import Queue
from sweeper.oversight.garbage import link_to
from sweeper.oversight.merge.plain_copy import found_in
from sweeper.rows.row import ROW_CURE, ResultRow, counts_paths, read_row, row_path
from sweeper.runs.attempt import Attempt
from sweeper.runs.folder import SILENT_S, RunDir
from sweeper.runs.state import State
from sweeper.spec.run_id import RunId

CHECKPOINTS = "checkpoints"
STAYS = ("lock", "cancelled", CHECKPOINTS)  # of a run's folder
_LIVE = (State.running, State.queued, State.unknown)


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A run in one folder.

    Attributes:
        run_dir: Where.
        state: Its own, as `sweeper.runs.state` decides.
        fault: Why nothing is done with it; None: it is whole, and nobody is at it.
        row: What its row's file holds; None: there is none.
        result: The row as it counts; None: none, or an attempt has begun since.
        history: What tells each attempt from every other: where and when it began.
        came: How far the last attempt is: whether it recorded its end, and its last sign of life, in Unix seconds.
        room: Bytes of its row, counts and folder on the disk, without checkpoints; of a folder to copy from.
    """

    run_dir: RunDir
    state: State
    fault: str | None = None
    row: Mapping[str, Any] | None = None
    result: ResultRow | None = None
    history: tuple[Mapping[str, Any], ...] = ()
    came: tuple[bool, float] = (False, 0.0)
    room: int = 0

    @property
    def measured(self) -> list[Path]:
        """Files of its per-problem counts, its base model's included."""
        return counts_paths(self.run_dir.results_dir, self.run_dir.run_id)


def side_of(results_dir: Path, run_id: RunId, queue: Queue, *, is_foreign: bool) -> Side | None:
    """A run as a folder has it; None: it has not.

    Args:
        results_dir: The folder.
        run_id: Of the run.
        queue: What SLURM says of the folder's runs.
        is_foreign: Whether the folder is one to copy from, in which no link is followed.
    """
    run_dir = RunDir(results_dir=results_dir, run_id=run_id)
    row_file = row_path(results_dir, run_id)
    if not run_dir.is_there() and not row_file.is_symlink() and not row_file.exists():
        return None
    try:
        if is_foreign:
            _refuse_links(run_dir)
        found = queue.state(run_dir)
        if found is State.damaged:
            return Side(run_dir=run_dir, state=found, fault=f"it is damaged: {run_dir.damage()}")
        return _read(run_dir, found, queue, is_foreign=is_foreign)
    except (SweeperError, OSError) as error:
        return Side(run_dir=run_dir, state=State.damaged, fault=str(error))


def _read(run_dir: RunDir, state: State, queue: Queue, *, is_foreign: bool) -> Side:
    row_file, fault = row_path(run_dir.results_dir, run_dir.run_id), None
    row = result = None
    if row_file.exists():
        if (told := read_row(row_file).run_id) != run_dir.run_id:
            raise DamagedError(f"{row_file} is damaged: it holds the row of {told}; remove it, or name it so")
        result = run_dir.row()
        with undamaged(row_file, cure=ROW_CURE):
            row = parsed(read_text(row_file))
    attempts = run_dir.attempts() if run_dir.is_there() else []
    if run_dir.spec_path.exists():
        from sweeper.spec.run import RunSpec

        if (other := RunSpec.read(run_dir.spec_path).run_id) != run_dir.run_id:
            fault = f"{run_dir.spec_path} is the spec of another run, {other}"
    if state in _LIVE:
        fault = _why_live(run_dir, state, queue)
    elif state is not State.done and queue.damaged:
        fault = f"whether it has a job is not known: {queue.damaged[0]}"
    elif state is not State.done and is_foreign and attempts:
        fault = fault or _may_live(attempts[-1], time.time())
    room = 0
    if is_foreign:
        at = run_dir.results_dir, run_dir.run_id
        beside = (row_file, *counts_paths(*at))
        room = sum(path.lstat().st_blocks * 512 for path in beside if path.exists())
        room += sum(found.room for found in found_in(run_dir.path, without=STAYS)) if run_dir.is_there() else 0
    return Side(
        run_dir=run_dir,
        state=state,
        fault=fault,
        row=row,
        result=result,
        history=tuple(map(_began, attempts)),
        came=_came(attempts[-1]) if attempts else (False, 0.0),
        room=room,
    )


def _refuse_links(run_dir: RunDir) -> None:
    row_file = row_path(run_dir.results_dir, run_dir.run_id)
    for path in (row_file, run_dir.path, run_dir.spec_path, run_dir.path / "attempts"):
        if link := link_to(path, run_dir.results_dir):
            raise DamagedError(f"{link} is a link, which is not followed; put what it leads to in its place")


def _why_live(run_dir: RunDir, state: State, queue: Queue) -> str:
    said = queue.reason(run_dir.run_id)
    about = f" ({said})" if said else ""
    if state is State.unknown:
        return f"whether it has a job is not known{about}"
    return f"it is {state}{about}: merge it when it is over, or cancel it first"


def _may_live(last: Attempt, now: float) -> str | None:
    """Of a folder that was copied from another machine, where no lock can be asked."""
    env = last.read("env") or {}
    if last.read("exit") is not None or env.get("host") in (None, hostname()):
        return None
    silent = now - _came(last)[1]
    if silent < SILENT_S:
        return (
            f"it gave a sign of life {duration(max(0.0, silent))} before now on {env['host']}, and has recorded no "
            f"end: it may run there still; merge it when it is over, or {duration(SILENT_S)} after its last sign"
        )
    return None


def _began(attempt: Attempt) -> Mapping[str, Any]:
    env = attempt.read("env")
    if env is not None:
        return env
    return {"log": attempt.log.lstat().st_size if attempt.log.exists() else None}  # it was killed at its start


def _came(attempt: Attempt) -> tuple[bool, float]:
    alive, beat = attempt.read("alive"), attempt.heartbeat()
    signs = [*([float(alive["time"])] if alive else []), *([beat.time] if beat else [])]
    return attempt.read("exit") is not None, max(signs, default=0.0)
