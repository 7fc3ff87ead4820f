"""What was ever submitted from a results folder, and where it is in SLURM's queue."""

from collections.abc import Sequence
from pathlib import Path

from rewards.bounded_file import last_bytes
from sweeper.host.files import undamaged
from sweeper.launch.slurm import scheduler
from sweeper.launch.slurm.array import Chunk, chunks, folder
from sweeper.launch.slurm.scheduler import Element
from sweeper.rows.row import row_path
from sweeper.spec.run_id import RunId


def live(results_dir: Path, known: Sequence[Chunk] | None = None, *, records: bool = True) -> dict[RunId, Element]:
    """The runs of a results folder that are in the queue, each with its element; `known` are its chunks, once read.

    Chunks whose job id was not recorded, because the submitter was killed, are recorded now, if it `records` at all.

    Raises:
        SchedulerError: squeue did not answer.
    """
    by_name = {chunk.name: chunk for chunk in (chunks(results_dir, []) if known is None else known)}
    found: dict[RunId, Element] = {}
    recorded: set[str] = set()
    for element in scheduler.queue() if by_name else ():
        chunk = by_name.get(element.name)
        if chunk is None or element.index >= len(chunk.run_ids):
            continue
        if records and chunk.name not in recorded:
            recorded.add(chunk.name)
            if chunk.job(results_dir) is None:
                chunk.remember(results_dir, element.job)
        found[chunk.run_ids[element.index]] = element
    return found


def submitted(results_dir: Path, known: Sequence[Chunk] | None = None) -> dict[RunId, tuple[int, int] | None]:
    """The last element (array job, index) of each run without a row that was ever submitted.

    What was exported for a person to submit counts from the moment at which SLURM is seen to have it.
    None: its submitter was killed before it wrote the job's id down, or before SLURM got the job.
    """
    found: dict[RunId, tuple[int, int] | None] = {}
    rows = row_path(results_dir, "").parent
    with_row = {path.stem for path in rows.glob("*.json")}
    for chunk in chunks(results_dir, []) if known is None else known:
        job = chunk.job(results_dir)
        if job is None and chunk.is_exported:
            continue
        for index, run_id in enumerate(chunk.run_ids):
            if run_id not in with_row:
                last = found.get(run_id)
                found[run_id] = last if job is None else max(last or (0, 0), (job, index))
    return found


def step_log(results_dir: Path, run_id: RunId) -> list[str]:
    """What SLURM's own programs wrote of a run's last element, the last MiB: why it was killed, if they did it.

    Raises:
        DamagedError: there is something else than a file of theirs.
    """
    where = submitted(results_dir).get(run_id)
    logs = sorted((folder(results_dir) / "logs").glob(f"{where[0]}_{where[1]}_*_log.out")) if where else []
    said = []
    for path in logs:
        with undamaged(path, cure="move it away"):
            said += last_bytes(path).decode(errors="replace").splitlines()
    return [line for line in said if line.strip()]
