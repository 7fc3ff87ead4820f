"""The folder of one run, and its attempts.

    runs/<run_id>/
      spec.json  verl_overrides.txt      what runs, immutable
      adjustment.json                    settings of later attempts, outside its identity
      attempts/001/                      one try (`sweeper.runs.attempt`)
      checkpoints/  val/                 shared by attempts, so that verl resumes from them

Where a run stands follows from them: `sweeper.runs.state`.
"""

import difflib
import os
import stat
import time
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from data_prep.files.lock import is_locked
from rewards.bounded_file import read_json
from sweeper.host.errors import DamagedError, RunFailedError
from sweeper.host.files import undamaged, write_atomic
from sweeper.rows.failure_class import FailureClass
from sweeper.rows.row import Failure, ResultRow, Status, read_row, row_path
from sweeper.rows.seen_files import SeenFiles
from sweeper.runs.attempt import Attempt
from sweeper.runs.triage import Diagnosis, Ending, classify, tail
from sweeper.spec.run_id import SPEC_CURE, RunId, hash_of

if TYPE_CHECKING:
    from sweeper.spec.run import RunSpec

_LISTED = 10  # runs that an error names
_NEAR = 0.6  # likeness from which a name is taken for what was meant
SILENT_S = 3600.0  # a job of which nothing is seen for longer is taken for dead where its lock cannot be asked
_MOVED_AWAY = "move what is there away, and launch the run again"


@dataclass(frozen=True, kw_only=True)
class RunDir:
    """The folder of one run under a results folder."""

    results_dir: Path
    run_id: RunId

    @cached_property  # a plan or `status` asks for it several times of each of thousands of runs
    def path(self) -> Path:
        """`runs/<run_id>`."""
        return Path(self.results_dir, "runs", self.run_id)

    @property
    def spec_path(self) -> Path:
        """The frozen specification."""
        return self.path / "spec.json"

    @property
    def overrides_path(self) -> Path:
        """Verl's overrides, one per line, as the last attempt used them."""
        return self.path / "verl_overrides.txt"

    @property
    def checkpoints(self) -> Path:
        """Verl's `trainer.default_local_dir`."""
        return self.path / "checkpoints"

    def freeze(self, spec: "RunSpec") -> None:
        """Write `spec.json`; a run that has begun keeps the one it has, so editing YAML changes nothing of it."""
        if not self.spec_path.exists() or not self.attempts():
            write_atomic(self.spec_path, spec.to_json())

    def spec(self) -> "RunSpec":
        """What the next attempt runs: the frozen spec with what was adjusted since."""
        from sweeper.runs import adjustment
        from sweeper.spec.run import RunSpec

        frozen, changes = RunSpec.read(self.spec_path), adjustment.read(self.path)
        with undamaged(self.path / adjustment.FILE, cure=adjustment.CURE) if changes else nullcontext():
            return adjustment.applied(frozen, changes)

    def attempts(self) -> list[Attempt]:
        """All tries, oldest first.

        Raises:
            DamagedError: a file is where their folder, or the run's, should be.
        """
        folder, paths = self.path / "attempts", list[Path]()
        # `status` asks this of thousands of runs; a glob takes three times as long.
        with undamaged(folder, cure=_MOVED_AWAY), suppress(FileNotFoundError):
            paths = sorted(folder.iterdir())
        return [Attempt(path=path) for path in paths if path.name.isdecimal()]

    def new_attempt(self) -> Attempt:
        """Open the next attempt; only the holder of the lock may call this."""
        earlier = self.attempts()
        path = self.path / "attempts" / f"{(earlier[-1].number if earlier else 0) + 1:03d}"
        path.mkdir(parents=True)
        return Attempt(path=path)

    @property
    def lock(self) -> Path:
        """Held by the job of the run as long as it lives."""
        return self.path / "lock"

    @property
    def cancelled(self) -> Path:
        """There once `cancel` was asked for the run: a launcher that has it in line does not start it."""
        return self.path / "cancelled"

    def is_there(self) -> bool:
        """Whether anything lies where its folder goes, be it none that can be looked into."""
        try:
            return bool(os.lstat(self.path))
        except OSError as error:
            return not isinstance(error, FileNotFoundError)

    def is_locked(self) -> bool:
        """Whether a job is alive on this run; of another user's by its signs of life, for its lock is theirs alone."""
        try:
            return is_locked(self.lock)
        except PermissionError:
            return self._shows_life()

    def _shows_life(self) -> bool:
        """Whether the last attempt has not recorded its end, and wrote something within the hour."""
        with suppress(OSError, DamagedError):
            for last in self.attempts()[-1:]:
                files = [last.path, *last.path.iterdir()]
                is_young = time.time() - max(path.lstat().st_mtime for path in files) < SILENT_S
                return is_young and last.path / "exit.json" not in files
        return False

    def failure(self) -> Failure | None:
        """Why the run failed, if it did."""
        row = self.row()
        return row.failure if row else None

    def row(self) -> ResultRow | None:
        """The run's row; None: none yet, or a later attempt than that of a failed row has begun."""
        path = row_path(self.results_dir, self.run_id)
        if not path.exists():
            return None
        row = read_row(path)
        if row.status is Status.failed and row.timing is not None and len(self.attempts()) > row.timing.attempts:
            return None
        return row

    def damage(self, sound_specs: SeenFiles | None = None) -> DamagedError | None:
        """What is wrong with its row, or with a file of its folder; None: nothing."""
        try:
            self.row()
            return self.folder_damage(sound_specs)
        except DamagedError as error:
            return error

    def folder_damage(self, sound_specs: SeenFiles | None = None) -> DamagedError | None:
        """What is wrong with a file of its folder; None: nothing. Specs found sound before are not read again."""
        try:
            names = self._names()
            if self.lock.name in names:
                with undamaged(self.lock, cure="remove it"), suppress(FileNotFoundError):
                    if not stat.S_ISREG(self.lock.lstat().st_mode):
                        raise OSError("it is no file")
            if self.spec_path.name in names:
                with undamaged(self.spec_path, cure=SPEC_CURE):
                    about = self.spec_path.stat()
                    if sound_specs is None or sound_specs.get(self.run_id, about) is None:
                        read_json(self.spec_path)["spec_version"]
                        if sound_specs is not None:
                            sound_specs.put(self.run_id, about, ())
            for attempt in self.attempts() if "attempts" in names else []:
                attempt.require_whole()
        except DamagedError as error:
            return error
        return None

    def _names(self) -> list[str]:
        """Of the files in its folder: one question in place of one for each, for `status` looks at thousands of runs.

        Raises:
            DamagedError: a file is where the folder should be.
        """
        names = list[str]()
        with undamaged(self.path, cure=_MOVED_AWAY), suppress(FileNotFoundError), os.scandir(self.path) as entries:
            names = [entry.name for entry in entries]
        return names

    def diagnosis(self, scheduler: str | None = None, step_log: Sequence[str] = ()) -> Diagnosis | None:
        """Why the run has no result and no job, with what SLURM and its programs said; None: it never began."""
        failure = self.failure()
        if failure is not None:
            return Diagnosis(
                failure_class=failure.failure_class or FailureClass.unknown, evidence=failure.evidence or failure.reason
            )
        attempts = self.attempts()
        if not attempts and scheduler is None:
            return None
        end = attempts[-1].read("exit") if attempts else None
        # A job that recorded its end knows why; of one that was killed the log may.
        log = tail(attempts[-1].log) if attempts and end is None else []
        status, cause = (end["status"], end.get("cause")) if end else (None, None)
        return classify(Ending(status=status, cause=cause, scheduler=scheduler, step_log=step_log, log=log))


def known_runs(results_dir: Path) -> list[RunId]:
    """Every run of a results folder that has a folder or a row, in the order of their ids."""
    found: set[str] = set()
    with suppress(FileNotFoundError), os.scandir(results_dir / "rows") as entries:
        found |= {entry.name.removesuffix(".json") for entry in entries if entry.name.endswith(".json")}
    with suppress(FileNotFoundError), os.scandir(results_dir / "runs") as entries:
        for entry in entries:
            with suppress(OSError):  # a link to itself
                if entry.name[0] != "." and entry.is_dir():  # hidden: a run that is being merged
                    found.add(entry.name)
    return sorted(map(RunId, found))


def find_run(results_dir: Path, text: str | None, grids: Sequence[str] = ()) -> RunDir:
    """The run whose id starts or ends with `text`, as people type it.

    Args:
        results_dir: Where it is.
        text: The beginning or the end of its id, all of it, or the beginning of its hash (`run_id.handles`);
            None: it was not said, and the error lists what there is.
        grids: Names that were tried before, told where no run fits.

    Raises:
        RunFailedError: no run, or several.
    """
    known = known_runs(results_dir)
    if text is None:
        raise RunFailedError(
            f"which run? {results_dir} has {'these' if known else 'none'}:\n  {_listing(known)}".rstrip(": \n")
        )
    hits = [text] if text in known else [name for name in known if name.startswith(text) or name.endswith(text)]
    hits = hits or [name for name in known if text and hash_of(name).startswith(text)]
    if len(hits) != 1:
        of = hits or sorted(known, key=lambda name: -_likeness(name, text))
        no_grid = f", and no grid (there: {', '.join(grids)})" if grids else ""
        near = max(
            [*grids, *{name.rpartition("-")[0]: name for name in of}],
            key=lambda name: _likeness(name, text),
            default="",
        )
        hint = f"; did you mean {near}?" if near and not hits and _likeness(near, text) >= _NEAR else ";"
        those = "they are" if hits else "the nearest"
        raise RunFailedError(
            f"{text!r} names {len(hits)} runs in {results_dir}{no_grid}{hint} {those}:\n  {_listing(of)}"
        )
    return RunDir(results_dir=results_dir, run_id=RunId(hits[0]))


def _listing(run_ids: Sequence[str]) -> str:
    more = [f"and {len(run_ids) - _LISTED} more"] if len(run_ids) > _LISTED else []
    return "\n  ".join([*run_ids[:_LISTED], *more])


def _likeness(run_id: str, text: str) -> float:
    """Of a name, or of its beginning or end, to what was typed, 0 to 1."""
    parts = run_id, run_id[: len(text)], run_id[-len(text) :]
    return max(difflib.SequenceMatcher(None, part, text).ratio() for part in parts)
