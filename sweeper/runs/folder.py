"""The folder of one run, and its attempts.

    runs/<run_id>/
      spec.json  verl_overrides.txt      what runs, immutable
      adjustment.json                    settings of later attempts, outside its identity
      attempts/001/{log.txt, metrics.jsonl, heartbeat.json, exit.json, env.json}
      checkpoints/  val/                 shared by attempts, so that verl resumes from them

Where a run stands follows from them: `sweeper.runs.state`.
"""

import json
import os
import stat
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_prep.files.lock import is_locked
from sweeper.host.amounts import duration
from sweeper.host.errors import DamagedError, RunFailedError
from sweeper.host.files import undamaged, write_atomic
from sweeper.rows.failure_class import FailureClass
from sweeper.rows.row import Failure, ResultRow, Status, read_row, row_path
from sweeper.runs.triage import Diagnosis, Ending, classify, tail
from sweeper.spec.run_id import SPEC_CURE, RunId

if TYPE_CHECKING:
    from sweeper.spec.run import RunSpec

_LISTED = 8  # runs that an error names
_SILENT_S = 3600.0  # a job of which nothing is seen for longer is taken for dead where its lock cannot be asked
_MOVED_AWAY = "move what is there away, and launch the run again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """What a job is doing now."""

    phase: str
    step: int | None
    total_steps: int
    reward: float | None  # mean training reward of the last step
    val_pass1: float | None
    seconds_left: float | None  # of training, from the median step time
    time: float  # Unix seconds
    pid: int
    host: str

    def __str__(self) -> str:
        """One line: phase and for how long, or step, reward, time left."""
        if self.phase != "train" or self.step is None:
            what = "train: starting verl" if self.phase == "train" else self.phase
            return f"{what}, {duration(max(0.0, time.time() - self.time))}"
        parts = [f"step {self.step}/{self.total_steps}"]
        parts += [f"reward {self.reward:.3f}"] if self.reward is not None else []
        parts += [f"val pass@1 {self.val_pass1:.3f}"] if self.val_pass1 is not None else []
        parts += [f"{duration(self.seconds_left)} left"] if self.seconds_left is not None else []
        return ", ".join(parts)


# What the files of an attempt hold at least.
_KEYS = {"heartbeat": tuple(Heartbeat.__dataclass_fields__), "exit": ("status", "phase"), "env": ("time",)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try at a run; the logs of earlier tries are kept."""

    path: Path

    @property
    def number(self) -> int:
        """1 for the first try."""
        return int(self.path.name)

    @property
    def log(self) -> Path:
        """Everything the job and its children printed."""
        return self.path / "log.txt"

    @property
    def metrics(self) -> Path:
        """Verl's file logger: one JSON object a line, `step` and `data`."""
        return self.path / "metrics.jsonl"

    def write(self, name: str, value: dict[str, Any]) -> None:
        """Write `name`.json atomically."""
        write_atomic(self.path / f"{name}.json", json.dumps(value, indent=1, sort_keys=True) + "\n")

    def read(self, name: str) -> dict[str, Any] | None:
        """What `write` wrote; None: nothing.

        Raises:
            DamagedError: it is not what was written.
        """
        path = self.path / f"{name}.json"
        if not path.exists():
            return None
        with undamaged(path, cure="remove it: all else that is known of this attempt stays"):
            value: dict[str, Any] = json.loads(path.read_text())
            if missing := [key for key in _KEYS.get(name, ()) if key not in value]:
                raise KeyError(*missing)
            return value

    def beat(self, heartbeat: Heartbeat) -> None:
        """Publish what the job is doing."""
        self.write("heartbeat", asdict(heartbeat))

    def heartbeat(self) -> Heartbeat | None:
        """The last published heartbeat."""
        value = self.read("heartbeat")
        return None if value is None else Heartbeat(**{key: value[key] for key in _KEYS["heartbeat"]})

    def seconds(self) -> float:
        """Wall seconds from its start to its last sign of life, however it ended."""
        env, last = self.read("env"), self.heartbeat()
        return 0.0 if last is None or env is None else max(0.0, last.time - env["time"])


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDir:
    """The folder of one run under a results folder."""

    results_dir: Path
    run_id: RunId

    @property
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

        return adjustment.applied(RunSpec.read(self.spec_path), adjustment.read(self.path))

    def attempts(self) -> list[Attempt]:
        """All tries, oldest first.

        Raises:
            DamagedError: a file is where their folder, or the run's, should be.
        """
        folder, paths = self.path / "attempts", list[Path]()
        # `status` asks this of thousands of runs; a glob takes three times as long.
        with undamaged(folder, cure=_MOVED_AWAY), suppress(FileNotFoundError):
            paths = sorted(folder.iterdir())
        return [Attempt(path=path) for path in paths if path.name[0].isdigit()]

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
                is_young = time.time() - max(path.lstat().st_mtime for path in files) < _SILENT_S
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

    def damage(self) -> DamagedError | None:
        """What is wrong with its row, or with a file of its folder; None: nothing."""
        try:
            self.row()
            names = self._names()
            if self.lock.name in names:
                with undamaged(self.lock, cure="remove it"), suppress(FileNotFoundError):
                    if not stat.S_ISREG(self.lock.lstat().st_mode):
                        raise OSError("it is no file")
            if self.spec_path.name in names:
                with undamaged(self.spec_path, cure=SPEC_CURE):
                    json.loads(self.spec_path.read_text())["spec_version"]
            for attempt in self.attempts() if "attempts" in names else []:
                for name in _KEYS:
                    attempt.read(name)
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
        return classify(Ending(status=end["status"] if end else None, scheduler=scheduler, step_log=step_log, log=log))


def known_runs(results_dir: Path) -> list[RunId]:
    """Every run of a results folder that has a folder or a row, in the order of their ids."""
    found: set[str] = set()
    with suppress(FileNotFoundError), os.scandir(results_dir / "rows") as entries:
        found |= {entry.name.removesuffix(".json") for entry in entries if entry.name.endswith(".json")}
    with suppress(FileNotFoundError), os.scandir(results_dir / "runs") as entries:
        found |= {entry.name for entry in entries if Path(entry).is_dir()}  # a link to itself is none
    return sorted(map(RunId, found))


def find_run(results_dir: Path, text: str, grids: Sequence[str] = ()) -> RunDir:
    """The run whose id starts or ends with `text`, as people type it.

    Args:
        results_dir: Where it is.
        text: The beginning or the end of its id, or all of it.
        grids: Names that were tried before, told where no run fits.

    Raises:
        RunFailedError: no run, or several.
    """
    known = known_runs(results_dir)
    hits = [text] if text in known else [name for name in known if name.startswith(text) or name.endswith(text)]
    if len(hits) != 1:
        of = hits or known
        shown = [*of[:_LISTED], *([f"and {len(of) - _LISTED} more"] if len(of) > _LISTED else [])]
        no_grid = f", and no grid (there: {', '.join(grids)})" if grids else ""
        listing = "\n  ".join(shown)
        raise RunFailedError(f"{text!r} names {len(hits)} runs in {results_dir}{no_grid}; known:\n  {listing}")
    return RunDir(results_dir=results_dir, run_id=RunId(hits[0]))
