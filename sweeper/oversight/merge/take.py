"""One run brought whole into a results folder, whatever is killed when.

    runs/.<run_id>.merging      being copied; a later merge, or `gc`, takes it away
    runs/.<run_id>.merged       whole; what was here of the run moves into it, as `replaced/<n>`, and it takes its place
    rows/<run_id>.json          written last

So a run is as it was, or whole but for its row, or whole, and the same merge finishes it. Nothing that is here is
deleted: `gc` says what of `replaced` may go.
"""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from data_prep.files.lock import locked
from rewards.bounded_file import read_text
from sweeper.host.errors import ResultsError
from sweeper.host.files import whole, write_atomic
from sweeper.launch.slurm.queue import Queue
from sweeper.oversight.garbage import link_to
from sweeper.oversight.merge.plain_copy import copy_file, copy_folder, found_in
from sweeper.oversight.merge.side import CHECKPOINTS, STAYS, Side, side_of
from sweeper.rows.row import has_result, row_path
from sweeper.runs.folder import RunDir
from sweeper.runs.state import State
from sweeper.spec.run_id import RunId
from sweeper.training import checkpoint

REPLACED = "replaced"
_FILLING, _WHOLE = ".merging", ".merged"


def finish_earlier(results_dir: Path) -> None:
    """Of merges that were killed: what is whole takes its place where that is empty, the rest goes.

    The caller holds the lock of merges.
    """
    for path in _left(results_dir):
        place = path.with_name(path.name[1:].removesuffix(_FILLING).removesuffix(_WHOLE))
        if path.name.endswith(_WHOLE) and not RunDir(results_dir=results_dir, run_id=RunId(place.name)).is_there():
            path.rename(place)
        else:
            shutil.rmtree(path)


def abandoned(results_dir: Path) -> Iterator[Path]:
    """What merges that were killed left, and no run needs."""
    for path in _left(results_dir):
        if path.name.endswith(_FILLING) or (path.parent / path.name[1:].removesuffix(_WHOLE)).exists():
            yield path


def _left(results_dir: Path) -> list[Path]:
    runs = results_dir / "runs"
    return sorted(
        path for end in (_FILLING, _WHOLE) for path in runs.glob(f".*{end}") if path.is_dir() and not path.is_symlink()
    )


def last_checkpoint(run_dir: RunDir) -> Path | None:
    """The folder of its last whole checkpoint; None: there is none, or it lies behind a link."""
    folder = run_dir.checkpoints
    if link_to(folder, run_dir.results_dir) is not None or not folder.is_dir():
        return None
    steps = checkpoint.trained_steps(folder)
    last = checkpoint.at(folder, steps)
    return last if steps and last.is_dir() and not last.is_symlink() else None


def with_weights(last: Path) -> list[Path]:
    """A run's last checkpoint, and beside it the plain weights of steps that are, or were, to be evaluated."""
    return [last, *(path for path in checkpoint.all_thinned(last.parent) if not path.is_symlink())]


def room_of(folder: Path) -> int:
    """Bytes of a folder on the disk.

    Raises:
        ResultsError: there is a link in it, or something that is no file.
    """
    return sum(found.room for found in found_in(folder))


def take(theirs: Side, results_dir: Path, expected: Side | None, queue: Queue, *, with_checkpoint: bool) -> None:
    """Bring a run.

    Args:
        theirs: As it is in the folder that is merged.
        results_dir: Where it goes.
        expected: As it was here when its verdict was found; None: it was not here.
        queue: What SLURM said of the runs here.
        with_checkpoint: Whether its last checkpoint comes too.

    Raises:
        ResultsError: it, or what is here of it, is not any more what the verdict was about; or a link is in its folder.
        LockedError: a job is at what is here of it.
        OSError: no room, or no right.
    """
    source, target = theirs.run_dir, RunDir(results_dir=results_dir, run_id=theirs.run_dir.run_id)
    with ExitStack() as around:
        if target.is_there():
            around.enter_context(locked(target.lock, wait=False))
        _require_the_same(expected, _without_lock(target, queue), "here")
        is_less = expected is not None and expected.state is State.done and not _brings_more(theirs, expected)
        staged = None
        if with_checkpoint or not is_less:
            staged = _staged(source, target, with_checkpoint=with_checkpoint)
        if source.is_locked():
            raise ResultsError("a job has begun there meanwhile")
        _require_the_same(theirs, _without_lock(source, queue), "there")
        if staged is not None:
            _put(staged, target, goes_on=theirs.state is not State.done)
    _write_row(theirs, results_dir)


def _without_lock(run_dir: RunDir, queue: Queue) -> Side | None:
    """The run as it is now; that this process holds its lock says nothing of it."""
    return side_of(run_dir.results_dir, run_dir.run_id, queue, is_foreign=False)


def _require_the_same(before: Side | None, now: Side | None, where: str) -> None:
    def told(side: Side | None) -> object:
        return None if side is None else (side.row, side.history, side.came)

    if told(before) != told(now):
        raise ResultsError(f"it has changed {where} meanwhile; merge again")


def _staged(source: RunDir, target: RunDir, *, with_checkpoint: bool) -> Path | None:
    """A whole copy of the run's folder beside its place; None: the run has a row alone, there and here."""
    if not source.is_there() and not target.is_there():
        return None
    filling = target.path.with_name(f".{target.run_id}{_FILLING}")
    filling.mkdir(parents=True)
    try:
        if source.is_there():
            copy_folder(source.path, filling, without=STAYS)
        if with_checkpoint and (last := last_checkpoint(source)) is not None:
            for folder in with_weights(last):
                place = filling / CHECKPOINTS / folder.name
                place.mkdir(parents=True)
                copy_folder(folder, place)
            checkpoint.mark(filling / CHECKPOINTS, checkpoint.step_of(last))
        return filling.rename(target.path.with_name(f".{target.run_id}{_WHOLE}"))
    except BaseException:
        shutil.rmtree(filling, ignore_errors=True)
        raise


def _brings_more(theirs: Side, ours: Side) -> bool:
    return len(theirs.history) > len(ours.history)


def _put(staged: Path, target: RunDir, *, goes_on: bool) -> None:
    """Let a whole copy take its place; a run that `goes_on` from what is here keeps the checkpoints that it has."""
    if target.is_there():
        earlier = staged / REPLACED
        earlier.mkdir(exist_ok=True)
        taken = {path.name for path in earlier.iterdir()}
        number = next(n for n in range(1, len(taken) + 2) if str(n) not in taken)
        target.path.rename(earlier / str(number))
        if goes_on and not (staged / CHECKPOINTS).exists() and (earlier / str(number) / CHECKPOINTS).is_dir():
            (earlier / str(number) / CHECKPOINTS).rename(staged / CHECKPOINTS)
    staged.rename(target.path)


def _write_row(theirs: Side, results_dir: Path) -> None:
    run_id = theirs.run_dir.run_id
    for there in theirs.measured:
        here = row_path(results_dir, run_id).with_name(there.name)
        if there.is_file() and not here.exists():
            with whole(here) as temporary:
                copy_file(there, temporary)
    there = row_path(theirs.run_dir.results_dir, run_id)
    if there.exists() and not has_result(results_dir, run_id):
        write_atomic(row_path(results_dir, run_id), read_text(there))
