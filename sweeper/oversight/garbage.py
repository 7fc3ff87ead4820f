"""What a results folder holds that nobody needs any more: `python -m sweeper gc`.

Of runs that are done, all checkpoints but the last; code that was frozen for runs that are all done, and their arrays'
files; what a killed writer or merge left half-written. Never a row, counts, a spec, a log, metrics, or anything of a
run that is not done, nor anything behind a link: it may be somebody's who knows nothing of this. Only tells, unless
`--yes` is given.
"""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from data_prep.files.lock import LockedError, locked
from sweeper.host.errors import DamagedError
from sweeper.host.files import is_leftover
from sweeper.launch.slurm.array import chunks, folder
from sweeper.launch.slurm.queue import Queue
from sweeper.rows.row import Status
from sweeper.runs.folder import RunDir
from sweeper.spec.run_id import RunId
from sweeper.training import checkpoint

DAY = 86400.0  # a temporary file that is younger may still be written
_IN_RUNS = ("", "attempts/*/", "checkpoints/", "checkpoints/*/actor/", "checkpoint_counts/")
# Where files and folders are made whole.
_WRITTEN = (
    "*",
    *(
        f"{folder}/*"
        for folder in (
            "rows",
            "grids",
            "slurm",
            "code",
            "models",
            "weights",
            "base",
            "annotations",
            "reports",
            "rewards",
            "agents",
        )
    ),
    *("data/*", "data/*/*"),
    *(f"runs/*/{folder}*" for folder in _IN_RUNS),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Garbage:
    """One file or folder that may go."""

    root: Path  # the results folder
    path: Path
    why: str
    size: int  # bytes
    run: RunDir | None = None  # whose lock must be free

    def remove(self) -> bool:
        """Delete it; False: its run is alive after all, or there is a link on the way to it now, and it stays."""
        if link_to(self.path, self.root) is not None:
            return False
        if self.run is None:
            _delete(self.path)
            return True
        try:
            with locked(self.run.lock, wait=False):
                _delete(self.path)
        except LockedError:
            return False
        return True


def find(
    results_dir: Path, queue: Queue, damaged: list[DamagedError], *, now: float, links: set[Path] | None = None
) -> list[Garbage]:
    """Everything that may go at a time (Unix seconds); where SLURM does not answer, nothing that its jobs may need.

    `damaged` gets an error for each file that cannot be read; what it may be about stays. `links` gets those that lead
    to something that may go but for them.
    """
    from sweeper.rows.row_cache import briefs

    done = {run_id for run_id, brief in briefs(results_dir, damaged).items() if brief.status is Status.completed}
    done -= queue.elements.keys()
    found = [
        *_checkpoints(results_dir, done, damaged),
        *([] if queue.error or queue.damaged else _arrays(results_dir, done)),
        *_half_written(results_dir, now),
        *_merged(results_dir, done, now),
    ]
    on_the_way = [link_to(item.path, results_dir) for item in found]
    if links is not None:
        links |= set(filter(None, on_the_way))
    return [item for item, link in zip(found, on_the_way, strict=True) if link is None]


def link_to(path: Path, root: Path) -> Path | None:
    """The first link on the way from a folder to what lies below it, the last name included; None: there is none.

    A half-written file may be a link itself, which alone goes.
    """
    names = [root / name for name in path.relative_to(root).parents][:-1]
    way = [*reversed(names), *([] if is_leftover(path) else [path])]
    return next((place for place in way if place.is_symlink()), None)


def _checkpoints(results_dir: Path, done: set[RunId], damaged: list[DamagedError]) -> Iterator[Garbage]:
    for run_id in sorted(done):
        run_dir = RunDir(results_dir=results_dir, run_id=run_id)
        try:
            last = checkpoint.at(run_dir.checkpoints, checkpoint.trained_steps(run_dir.checkpoints))
        except DamagedError as error:
            damaged.append(error)
            continue
        if not last.is_dir() or run_dir.is_locked():  # what is the last one is not known
            continue
        for path in (*checkpoint.saved(run_dir.checkpoints), *checkpoint.all_thinned(run_dir.checkpoints)):
            if path != last:
                why = f"checkpoint of a run that is done; {last.name} stays"
                yield _garbage(results_dir, path, why, run_dir)


def _arrays(results_dir: Path, done: set[RunId]) -> Iterator[Garbage]:
    """Arrays of which every run is done, and frozen code that no other array names."""
    needed = set()
    for chunk in chunks(results_dir):
        if not done.issuperset(chunk.run_ids):
            needed.add(Path(chunk.code).name)
            continue
        for path in sorted(folder(results_dir).glob(f"{chunk.name}.*")):
            yield _garbage(results_dir, path, "array of runs that are all done")
    for path in sorted((results_dir / "code").glob("*")):
        if path.is_dir() and not is_leftover(path) and path.name not in needed:
            yield _garbage(results_dir, path, "frozen code that no unfinished run needs")


def _half_written(results_dir: Path, now: float) -> Iterator[Garbage]:
    for place in _WRITTEN:
        for path in sorted(filter(is_leftover, results_dir.glob(place))):
            with suppress(FileNotFoundError):  # its writer lives, and has just finished
                if now - _last_change(path) > DAY:
                    yield _garbage(results_dir, path, "left half-written by a process that was killed")


def _merged(results_dir: Path, done: set[RunId], now: float) -> Iterator[Garbage]:
    """What a killed merge left, and checkpoints of what others took the place of, where the run is done."""
    from sweeper.oversight.merge.take import REPLACED, abandoned

    for path in abandoned(results_dir):
        if now - path.lstat().st_mtime > DAY:
            yield _garbage(results_dir, path, "left by a merge that was killed; the folders it read have it still")
    for run_id in sorted(done):
        for path in sorted((results_dir / "runs" / run_id / REPLACED).glob("*/checkpoints")):
            run = RunDir(results_dir=results_dir, run_id=run_id)
            yield _garbage(results_dir, path, "checkpoints of what a merge replaced; the run is done", run)


def _garbage(root: Path, path: Path, why: str, run: RunDir | None = None) -> Garbage:
    size = sum(item.lstat().st_size for item in _below(path) if item.is_symlink() or not item.is_dir())
    return Garbage(root=root, path=path, why=why, size=size, run=run)


def _last_change(path: Path) -> float:
    """Unix seconds; of a folder, that of the newest thing in it."""
    return max(item.lstat().st_mtime for item in _below(path))


def _below(path: Path) -> list[Path]:
    """A file, or a folder and what is in it; of a link nothing but the link."""
    return [path] if path.is_symlink() else [path, *path.rglob("*")]


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
