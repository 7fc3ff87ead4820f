"""Submits what is missing, once."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from sweeper.results import Status, read_row, row_path
from sweeper.run_id import RunId
from sweeper.runs import RunDir, locked
from sweeper.slurm import canary, scheduler
from sweeper.slurm.chunk import Chunk, chunks, folder
from sweeper.slurm.scheduler import Element, QueueFullError, SchedulerError
from sweeper.slurm.script import script
from sweeper.slurm.shape import Shape, shape_of
from sweeper.slurm.snapshot import freeze
from sweeper.slurm_queue import kept
from sweeper.spec import RunSpec

FREEZERS = 16  # specs written at once


@dataclass(slots=True)
class Submission:
    """What came of a submission; every run without a result is in one of the three."""

    submitted: dict[RunId, str] = field(default_factory=dict)  # element, as in squeue
    queued: list[RunId] = field(default_factory=list)  # was in the queue already
    left: list[RunId] = field(default_factory=list)  # a limit was reached: the same command submits them later
    limit: str | None = None  # SLURM's words on it


def live(results_dir: Path) -> dict[RunId, Element]:
    """The runs of a results folder that are in the queue, each with its element.

    Chunks whose job id was not recorded, because the submitter was killed, are recorded now.

    Raises:
        SchedulerError: squeue did not answer.
    """
    known = {chunk.name: chunk for chunk in chunks(results_dir)}
    found: dict[RunId, Element] = {}
    recorded: set[str] = set()
    for element in scheduler.queue() if known else ():
        chunk = known.get(element.name)
        if chunk is None or element.index >= len(chunk.run_ids):
            continue
        if chunk.name not in recorded:
            recorded.add(chunk.name)
            if chunk.job(results_dir) is None:
                chunk.remember(results_dir, element.job)
        found[chunk.run_ids[element.index]] = element
    return found


def submit(specs: Sequence[RunSpec], results_dir: Path, *, with_canary: bool = False) -> Submission:
    """Freeze every spec and the code, and queue the runs that are not queued yet.

    One submitter at a time: a second waits, and then finds the first one's jobs in the queue.

    Args:
        specs: The runs.
        results_dir: Root of the results.
        with_canary: One run of a shape goes first, the others are held until it has taken a training step.

    Raises:
        SchedulerError: SLURM does not answer, or refuses what is asked of it. Nothing is submitted that cannot be
            found again.
    """
    done = Submission()
    folder(results_dir).joinpath("logs").mkdir(parents=True, exist_ok=True)
    with locked(folder(results_dir) / "lock", wait=True) as lock:
        here = live(results_dir)
        new = []
        for spec in specs:
            if spec.run_id in here:
                done.queued.append(spec.run_id)
            elif not _is_measured(results_dir, spec.run_id):  # it may have ended since the caller looked
                new.append(spec)
        if new:
            # Each waits for its own file to reach the disk, or the server of a shared file system.
            with ThreadPoolExecutor(FREEZERS) as pool:
                list(pool.map(lambda spec: RunDir(results_dir=results_dir, run_id=spec.run_id).freeze(spec), new))
            try:
                _submit_new(new, results_dir, done, lock, with_canary)
            finally:
                kept(results_dir).unlink(missing_ok=True)
        with suppress(SchedulerError):  # what it is for is done already, and the canary's job tries as well
            canary.release(results_dir)
    return done


def grouped(specs: Sequence[RunSpec]) -> dict[Shape, list[RunSpec]]:
    """Runs by shape, in their order."""
    shapes: dict[Shape, list[RunSpec]] = {}
    for spec in specs:
        shapes.setdefault(shape_of(spec), []).append(spec)
    return shapes


def throttle(members: Sequence[RunSpec], shape: Shape, arrays: int) -> int:
    """Runs of one array that may be active at once: a ceiling holds over all arrays, so each gets its part of it."""
    ceiling = members[0].cluster.max_gpus
    return max(1, ceiling // arrays // shape.gpus) if ceiling else len(members)


def _submit_new(specs: Sequence[RunSpec], results_dir: Path, done: Submission, lock: int, with_canary: bool) -> None:
    code, largest, shapes = freeze(results_dir), scheduler.max_array_size(), grouped(specs)
    arrays = sum(-(-len(members) // largest) for members in shapes.values())
    for shape, members in shapes.items():
        at_once = throttle(members, shape, arrays)
        waiting = [spec.run_id for spec in members]
        first = canary.choose(results_dir, shape, members) if with_canary else None
        if first in waiting:
            waiting.remove(first)
            limit = _submit_chunk([first], shape, results_dir, code, at_once, done, lock, first)
            if limit is not None:
                done.limit = limit
                done.left += [first, *waiting]
                continue
        size = largest
        while waiting:
            part = waiting[:size]
            limit = _submit_chunk(part, shape, results_dir, code, at_once, done, lock, first)
            if limit is None:
                waiting = waiting[size:]
            elif len(part) > 1:
                size = len(part) // 2  # a smaller array may still fit
            else:
                done.limit = limit
                done.left += waiting
                break


def _submit_chunk(
    run_ids: Sequence[RunId],
    shape: Shape,
    results_dir: Path,
    code: Path,
    at_once: int,
    done: Submission,
    lock: int,
    first: RunId | None,
) -> str | None:
    """Submit one array; the words of the limit that refused it, if one did."""
    chunk = Chunk.new(run_ids, code=code, canary=first)
    known = () if first is None or first not in run_ids else (first,)
    before, after = canary.script_lines(results_dir, run_ids, known)
    text = script(chunk, shape, results_dir, at_once=at_once, before=before, after=after)
    path = chunk.write(results_dir, shape, text)
    if chunk.canary is not None and not chunk.is_held:
        canary.set_free(results_dir, chunk.name)
    try:
        job = scheduler.submit(path, lock=lock)
    except QueueFullError as error:
        chunk.forget(results_dir)
        return str(error)
    # Any other error is passed on with the chunk left: it may be queued all the same, under a name that `live` finds.
    chunk.remember(results_dir, job)
    done.submitted |= {run_id: f"{job}_{index}" for index, run_id in enumerate(run_ids)}
    return None


def _is_measured(results_dir: Path, run_id: RunId) -> bool:
    row = row_path(results_dir, run_id)
    return row.exists() and read_row(row).status is Status.completed


def step_log(results_dir: Path, run_id: RunId) -> list[str]:
    """What SLURM's own programs wrote of a run's last element: why it was killed, if they did it."""
    where = submitted(results_dir).get(run_id)
    logs = sorted((folder(results_dir) / "logs").glob(f"{where[0]}_{where[1]}_*_log.out")) if where else []
    return [line for path in logs for line in path.read_text(errors="replace").splitlines() if line.strip()]


def submitted(results_dir: Path) -> dict[RunId, tuple[int, int] | None]:
    """The last element (array job, index) of each run without a row that was ever submitted.

    None: its submitter was killed before it wrote the job's id down, or before SLURM got the job.
    """
    found: dict[RunId, tuple[int, int] | None] = {}
    rows = row_path(results_dir, "").parent
    with_row = {path.stem for path in rows.glob("*.json")}
    for chunk in chunks(results_dir):
        job = chunk.job(results_dir)
        for index, run_id in enumerate(chunk.run_ids):
            if run_id not in with_row:
                last = found.get(run_id)
                found[run_id] = last if job is None else max(last or (0, 0), (job, index))
    return found
