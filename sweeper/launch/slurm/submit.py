"""Submits what is missing, once."""

from collections import Counter
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from data_prep.files.lock import locked
from sweeper.host.amounts import number_of
from sweeper.launch.slurm import canary, ledger, scheduler
from sweeper.launch.slurm.array import Chunk, chunks, folder, in_json
from sweeper.launch.slurm.ceiling import Ceiling, Live, Wanted, places
from sweeper.launch.slurm.ledger import Jobs
from sweeper.launch.slurm.queue import kept
from sweeper.launch.slurm.scheduler import NoSlurmError, QueueFullError, RefusedError, SchedulerError
from sweeper.launch.slurm.script import script
from sweeper.launch.slurm.shape import Shape, shape_of
from sweeper.launch.slurm.snapshot import freeze
from sweeper.rows.row import has_result
from sweeper.runs.folder import RunDir
from sweeper.spec.run import RunSpec
from sweeper.spec.run_id import RunId

FREEZERS = 16  # specs written at once


@dataclass(slots=True)
class Submission:
    """What came of a submission; every run without a result is in one of them."""

    submitted: dict[RunId, str] = field(default_factory=dict)  # element, as in squeue
    queued: list[RunId] = field(default_factory=list)  # was in the queue already
    left: list[RunId] = field(default_factory=list)  # a limit was reached: the same command submits them later
    limit: str | None = None  # SLURM's words on it
    refused: dict[RunId, str] = field(default_factory=dict)  # SLURM's words on what it will never accept
    unseen: dict[RunId, str] = field(default_factory=dict)  # may have jobs that SLURM does not tell of here
    held: dict[RunId, RunId] = field(default_factory=dict)  # jobs of the folder that a dead canary holds, with that run
    lost: list[RunId] = field(default_factory=list)  # sbatch was asked for them, and its answer did not come


def submit(specs: Sequence[RunSpec], results_dir: Path, *, with_canary: bool = False) -> Submission:
    """Freeze every spec and the code, and queue the runs that are not queued yet.

    One submitter at a time: a second waits, and then finds the first one's jobs in the queue. With a canary, one run of
    a shape goes first, and the others are held until it has taken a training step.

    Raises:
        RefusedError: SLURM refuses all that is asked of it.
        SchedulerError: it does not answer. Nothing is submitted that cannot be found again.
    """
    done = Submission()
    folder(results_dir).joinpath("logs").mkdir(parents=True, exist_ok=True)
    with locked(folder(results_dir) / "lock", wait=True) as lock:
        known = chunks(results_dir)  # nobody else writes one while the lock is held
        here = ledger.ask(results_dir, known)
        new = []
        for spec in specs:
            if spec.run_id in here.elements:
                done.queued.append(spec.run_id)
            elif spec.run_id in here.unseen:
                done.unseen[spec.run_id] = here.unseen[spec.run_id]
            elif not has_result(results_dir, spec.run_id):  # it may have ended since the caller looked
                new.append(spec)
        if new:
            # Each waits for its own file to reach the disk, or the server of a shared file system.
            with ThreadPoolExecutor(FREEZERS) as pool:
                list(pool.map(lambda spec: RunDir(results_dir=results_dir, run_id=spec.run_id).freeze(spec), new))
            try:
                _submit_new(new, results_dir, known, here, done, lock, with_canary)
            except SchedulerError as error:
                if not done.lost:
                    raise
                raise SchedulerError(_midway(error, done, len(new))) from error
            finally:
                kept(results_dir).unlink(missing_ok=True)
        with suppress(SchedulerError):  # what it is for is done already, and the canary's job tries as well
            canary.release(results_dir, known)
        done.held = _held_for_good(results_dir, known, {*here.elements, *here.unseen, *done.submitted, *done.left})
    if done.refused and not (done.submitted or done.queued or done.left):
        raise RefusedError("; ".join(dict.fromkeys(done.refused.values())))
    return done


def _midway(error: SchedulerError, done: Submission, n_runs: int) -> str:
    """What became of the runs of a submission that ended because sbatch's answer was lost."""
    rest = n_runs - len(done.submitted) - len(done.lost) - len(done.left) - len(done.refused)
    parts = [
        f"{len(done.submitted)} are queued" if done.submitted else "none is known to be queued",
        f"of {len(done.lost)} SLURM alone knows",
        *([f"{len(done.left)} found no room"] if done.left else []),
        *([f"{len(done.refused)} were refused ({next(iter(done.refused.values()))})"] if done.refused else []),
        *([f"{rest} were not asked for"] if rest else []),
    ]
    return (
        f"{error}. Of {number_of(n_runs, 'run')} {', '.join(parts)}. The same command goes on: it finds in the queue "
        "what arrived there, and submits the rest"
    )


def _held_for_good(results_dir: Path, known: Sequence[Chunk], alive: Collection[RunId]) -> dict[RunId, RunId]:
    """Runs among those that are `alive` whose canary is not, and took no step; each with it."""
    held = {run_id: first for run_id, first in canary.waiting(results_dir, known).items() if run_id in alive}
    dead = {first for first in held.values() if first not in alive and not canary.trained(results_dir, first)}
    return {run_id: first for run_id, first in held.items() if first in dead}


def grouped(specs: Sequence[RunSpec]) -> dict[Shape, list[RunSpec]]:
    """Runs by shape, in their order."""
    shapes: dict[Shape, list[RunSpec]] = {}
    for spec in specs:
        shapes.setdefault(shape_of(spec), []).append(spec)
    return shapes


@dataclass(frozen=True, slots=True)
class Batch:
    """Runs that become one array."""

    shape: Shape
    run_ids: tuple[RunId, ...]
    canary: RunId | None = None  # the run that they wait for, or the one that is in it
    is_awaited: bool = False  # a canary is in it

    @property
    def wanted(self) -> Wanted:
        """What it asks of the ceiling."""
        return Wanted(gpus=self.shape.gpus, runs=len(self.run_ids), is_awaited=self.is_awaited)


def batches(
    specs: Sequence[RunSpec],
    largest: int,
    results_dir: Path,
    known: Sequence[Chunk],
    *,
    with_canary: bool,
    alive: Collection[RunId] = (),
) -> list[Batch]:
    """The arrays of runs, of at most `largest` each, in the order of submission: canaries, then the widest.

    Of a shape without arrays each run is a batch of its own. `alive` are the runs that have jobs.
    """
    canaries = {chunk.canary for chunk in known}
    found = []
    for shape, members in grouped(specs).items():
        waiting = [spec.run_id for spec in members]
        first = canary.choose(results_dir, known, shape, members, alive) if with_canary else None
        for run_id in [run_id for run_id in waiting if run_id == first or run_id in canaries]:
            waiting.remove(run_id)
            found.append(Batch(shape, (run_id,), run_id, is_awaited=True))
        size = largest if shape.arrays else 1
        for start in range(0, len(waiting), size):
            found.append(Batch(shape, tuple(waiting[start : start + size]), first))
    return sorted(found, key=lambda batch: (not batch.is_awaited, -batch.shape.gpus))


def _submit_new(
    specs: Sequence[RunSpec],
    results_dir: Path,
    known: list[Chunk],
    here: Jobs,
    done: Submission,
    lock: int,
    with_canary: bool,
) -> None:
    code = freeze(results_dir)
    site = scheduler.configuration()
    alive = here.elements.keys()
    largest = site.elements() if any(spec.cluster.arrays for spec in specs) else 1
    new = batches(specs, largest, results_dir, known, with_canary=with_canary, alive=alive)
    ceiling = Ceiling.of(specs)
    found = places([batch.wanted for batch in new], ceiling, _live(results_dir, known, here))
    last: list[list[int]] = []  # per array, the jobs that must have ended before what comes after it
    is_full = set[Shape]()  # of those without arrays: sbatch is not asked about each of a thousand runs
    never = dict[Shape, str]()
    for batch, place in zip(new, found, strict=True):
        after = [job for item in place.after for job in ([item.job] if isinstance(item, Live) else last[item])]
        last.append(after)
        waiting, size = list(batch.run_ids), len(batch.run_ids)
        if batch.canary in done.left or batch.shape in is_full:
            done.left += waiting
            continue
        why = never.get(batch.shape) or (done.refused.get(batch.canary) if batch.canary else None)
        if why is not None:
            done.refused |= dict.fromkeys(waiting, why)
            continue
        while waiting:
            part = waiting[:size]
            about = {"canary": batch.canary, "shape": in_json(batch.shape), "after": tuple(last[-1])}
            frozen = {"code": str(code.folder), "digest": code.digest, "cluster": site.cluster}
            chunk = Chunk.new(part, gpus=batch.shape.gpus, **frozen, **about, **place.width)
            try:
                job = _submit_chunk(chunk, batch.shape, results_dir, known, done, lock)
            except RefusedError as error:  # of this shape alone: the others may be accepted
                done.refused |= dict.fromkeys(waiting, str(error))
                if not batch.shape.arrays:
                    never[batch.shape] = str(error)
                break
            if job is not None:
                known.append(chunk)
                waiting = waiting[size:]
                # Parts of one array would be active side by side, each up to the whole throttle.
                last[-1] = [job] if ceiling else []
            elif len(part) > 1:
                size = len(part) // 2  # a smaller array may still fit
            else:
                done.left += waiting
                if not batch.shape.arrays:
                    is_full.add(batch.shape)
                break


def _live(results_dir: Path, known: Sequence[Chunk], here: Jobs) -> list[Live]:
    """The lanes in the queue: each array that none waits for, with those that it waits for itself."""
    left = Counter(element.job for element in here.all_elements())
    arrays = here.arrays
    held = set(canary.waiting(results_dir, known))
    awaited = {job for chunk in arrays.values() for job in chunk.after}
    found = []
    for last in sorted(arrays.keys() - awaited):
        lane, more = {last}, [last]
        while more:
            new = arrays.keys() & set(arrays[more.pop()].after)
            lane |= new
            more += new
        needed = sum(left[job] * arrays[job].gpus for job in lane)
        gpus = min(arrays[last].lane, needed)
        is_held = any(not held.isdisjoint(arrays[job].run_ids) for job in lane)
        chunk = arrays[last]
        runs = min(chunk.at_once if chunk.lane_runs is None else chunk.lane_runs, sum(left[job] for job in lane))
        found.append(Live(job=last, gpus=gpus, runs=runs, rounds=needed / gpus, is_held=is_held))
    return found


def _submit_chunk(
    chunk: Chunk, shape: Shape, results_dir: Path, known: Sequence[Chunk], done: Submission, lock: int
) -> int | None:
    """Submit one array; None: a limit refused it, whose words are in `done`."""
    before, after = canary.script_lines(results_dir, chunk.run_ids, {item.canary for item in (*known, chunk)})
    path = chunk.write(results_dir, script(chunk, shape, results_dir, before=before, after=after))
    if chunk.canary is not None and not chunk.is_held:
        canary.set_free(results_dir, chunk.name)
    try:
        job = scheduler.submit(path, lock=lock)
    except (RefusedError, NoSlurmError):
        chunk.forget(results_dir)
        raise
    except QueueFullError as error:
        chunk.forget(results_dir)
        done.limit = str(error)
        return None
    except SchedulerError:  # the chunk is left: it may be queued all the same, under a name that `live` finds
        done.lost += chunk.run_ids
        raise
    chunk.remember(results_dir, job)
    done.submitted |= {
        run_id: f"{job}_{index}" if shape.arrays else f"{job}" for index, run_id in enumerate(chunk.run_ids)
    }
    return job
