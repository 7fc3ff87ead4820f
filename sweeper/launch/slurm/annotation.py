"""A measurement of pass rates as a job of its own.

    annotations/annotate-<name>.json       what is measured, written before `sbatch`
    annotations/annotate-<name>.done.json  the files, or why there are none; written by the job

The job's name is a digest of what is measured, so the same command finds its job in the queue.
"""

import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TypeVar

from data_prep.files.lock import locked
from data_prep.spec import DataError
from rewards.bounded_file import read_json, read_text
from sweeper.evaluation.annotation import Annotated, Annotation, annotate
from sweeper.evaluation.kept_blocks import SUFFIX
from sweeper.host import environment, limits
from sweeper.host.errors import RunFailedError, SweeperError
from sweeper.host.files import open_results, undamaged, write_atomic
from sweeper.host.process import adopt_orphans
from sweeper.host.secret import hidden
from sweeper.inputs.data import prepared
from sweeper.job.exit import EXIT_EXPIRED, EXIT_FAILED, EXIT_TERMINATED, cause_of_warning
from sweeper.launch.slurm import accounting, scheduler
from sweeper.launch.slurm.array import Chunk, folder, in_json
from sweeper.launch.slurm.scheduler import Element, SchedulerError
from sweeper.launch.slurm.script import script
from sweeper.launch.slurm.shape import shape_of
from sweeper.launch.slurm.snapshot import freeze
from sweeper.rows.failure_class import FailureClass
from sweeper.runs.triage import Ending, classify, tail
from sweeper.spec.run_id import RunId

PREFIX = "annotate-"
_SECONDS = 5.0
_T = TypeVar("_T")
_AGAIN = "the same command tells how it stands, with --wait it follows"


def submitted(annotation: Annotation, results_dir: Path, *, wait: bool, say: Callable[[str], None]) -> Annotated | None:
    """The files if they are there; else a job is submitted, unless one is queued or running already.

    With `wait` the job is followed to its end; else None says that there is one. `say` is told what happens.

    Raises:
        DataError: the data cannot be prepared; nothing was submitted.
        SchedulerError: SLURM refuses, or does not answer.
        RunFailedError: the job that was waited for ended without files; why.
    """
    name = PREFIX + annotation.name
    chunk = _ensure(annotation, name, results_dir, say)
    if chunk is None:
        return _done(results_dir, name)
    state = None
    while wait:
        element = _element(results_dir, name)  # before the files: a job that is gone has written them
        done = _done(results_dir, name)
        if done is not None:
            return done
        if element is None:
            raise RunFailedError(_why(chunk, results_dir))
        if element.state != state:
            state = element.state
            say(f"{time.strftime('%H:%M:%S')} {state.lower()}")
        time.sleep(_SECONDS)
    return None


def _ensure(annotation: Annotation, name: str, results_dir: Path, say: Callable[[str], None]) -> Chunk | None:
    """The job's chunk; None if the files are there."""
    with locked(folder(results_dir) / "lock", wait=True) as lock:
        found = _element(results_dir, name)
        if found is not None:
            say(f"job {found.job} ({name}) is {found.state.lower()}; {_AGAIN}")
            return Chunk.read(results_dir, name)
        if _done(results_dir, name) is not None:
            return None
        _refuse_elsewhere(results_dir, name)
        prepared(annotation.spec, results_dir, tokenizer=None)
        _outcome(results_dir, name).unlink(missing_ok=True)
        write_atomic(results_dir / "annotations" / f"{name}.json", annotation.to_json())
        shape = replace(shape_of(annotation.spec), nodes=1)  # one node samples
        code = freeze(results_dir)
        chunk = Chunk(
            name=name,
            run_ids=(RunId(name),),
            code=str(code.folder),
            digest=code.digest,
            shape=in_json(shape),
            cluster=scheduler.configuration().cluster,
            user=os.getuid(),
        )
        (folder(results_dir) / "logs").mkdir(parents=True, exist_ok=True)
        path = chunk.write(results_dir, script(chunk, shape, results_dir))
        job = scheduler.submit(path, lock=lock)
        chunk.remember(results_dir, job)
        say(f"submitted job {job} ({name}); {_AGAIN}")
        return chunk


def run(results_dir: Path, name: str) -> int:
    """Execute the job on its node; returns the process's exit code."""
    environment.settle(os.environ)
    limits.raise_all()
    open_results(results_dir)
    annotation, began = read(results_dir, name), time.time()
    adopt_orphans()
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGUSR2, _stop)
    try:
        done = annotate(annotation, results_dir)
    except SystemExit as stop:
        was_late = stop.code == EXIT_EXPIRED and (
            cause_of_warning(annotation.spec, os.environ, began=began) is FailureClass.timeout
        )
        if was_late and not _came_further(annotation, results_dir, name):  # a preemption is no failure
            hours = annotation.spec.model.resources.hours
            return _failed(
                results_dir, name, f"measured no block of problems in model.resources.hours={hours:g}, twice; raise it"
            )
        return int(str(stop.code))
    except (SweeperError, DataError) as error:
        return _failed(results_dir, name, str(error))
    write_atomic(_outcome(results_dir, name), json.dumps({"file": str(done.file), "counts": str(done.counts)}) + "\n")
    return 0


def read(results_dir: Path, name: str) -> Annotation:
    """What a job measures."""
    path = results_dir / "annotations" / f"{name}.json"
    with undamaged(path, cure="remove it and ask for the annotation again"):
        return Annotation.from_json(read_text(path))


def _stop(signum: int, frame: FrameType | None) -> None:
    del frame
    raise SystemExit(EXIT_EXPIRED if signum == signal.SIGUSR2 else EXIT_TERMINATED)


def _failed(results_dir: Path, name: str, why: str) -> int:
    why = hidden(why)
    print(f"error: {why}", flush=True)
    write_atomic(_outcome(results_dir, name), json.dumps({"error": why}) + "\n")
    return EXIT_FAILED


def _came_further(annotation: Annotation, results_dir: Path, name: str) -> bool:
    """Whether there is more than when an attempt last met the time limit; remembers what there is."""
    blocks = (results_dir / "base").glob(f"{annotation.spec.model.name}-*{SUFFIX}")
    size, path = sum(block.stat().st_size for block in blocks), results_dir / "annotations" / f"{name}.size"
    before = _told(path, int) if path.exists() else -1
    write_atomic(path, f"{size}\n")
    return size != before


def _element(results_dir: Path, name: str) -> Element | None:
    """The job of that name: this user's, or that of whoever submitted it here."""
    is_known = (folder(results_dir) / f"{name}.json").exists()
    users = {Chunk.read(results_dir, name).user} if is_known else set()
    found = scheduler.queue(user for user in users if user is not None)
    return next((element for element in found if name in (element.mark, element.name)), None)


def _refuse_elsewhere(results_dir: Path, name: str) -> None:
    """Refuse to submit what another cluster may have in its queue.

    Raises:
        SchedulerError: it does, and nothing says that the job ended.
    """
    path = folder(results_dir) / f"{name}.json"
    if not path.exists() or _outcome(results_dir, name).exists():
        return
    chunk, here = Chunk.read(results_dir, name), scheduler.configuration().cluster
    if chunk.cluster and here and chunk.cluster != here:
        raise SchedulerError(
            f"job {chunk.job(results_dir)} ({name}) went to cluster {chunk.cluster}, and this machine asks {here}: "
            f"look from there; if it is gone, remove {path}, and it is submitted here"
        )


def _outcome(results_dir: Path, name: str) -> Path:
    return results_dir / "annotations" / f"{name}.done.json"


def _told(path: Path, kind: type[_T]) -> _T:
    with undamaged(path, cure="remove it: the annotation is asked for again"):
        value = read_json(path)
        if not isinstance(value, kind):
            raise TypeError(f"it holds a {type(value).__name__}")
        return value


def _done(results_dir: Path, name: str) -> Annotated | None:
    path = _outcome(results_dir, name)
    told = _told(path, dict) if path.exists() else {}
    files = {key: Path(file) for key, file in told.items() if key != "error"}
    return Annotated(**files) if files and all(file.exists() for file in files.values()) else None


def _why(chunk: Chunk, results_dir: Path) -> str:
    """Why a job that is gone left no files: its own words, else SLURM's."""
    path = _outcome(results_dir, chunk.name)
    if path.exists():
        return str(_told(path, dict).get("error", f"{path} names files that are gone"))
    job = chunk.job(results_dir)
    try:
        accounts = accounting.endings({} if job is None else {job: chunk.name})
        known = "not known to SLURM" if job is None else accounting.account_of(accounts, job, 0)
    except SchedulerError:
        known = None
    ending = known or "SLURM keeps no account of it"
    logs = sorted((folder(results_dir) / "logs").glob(f"{job}_0_*_log.out"))
    words = classify(Ending(scheduler=ending, step_log=[line for log in logs for line in tail(log)])).evidence
    return (
        f"job {job} ({chunk.name}) ended without a result: {words or ending}. See {folder(results_dir)}/logs/{job}_0_*"
    )
