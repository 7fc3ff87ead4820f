"""What a launch would submit, written down for a site where people submit by hand."""

import os
import shlex
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from data_prep.files.lock import locked
from rewards.bounded_file import read_text
from sweeper.host.environment import unsetting
from sweeper.host.files import write_atomic
from sweeper.launch.slurm import scheduler
from sweeper.launch.slurm.array import Chunk, chunks, folder, in_json
from sweeper.launch.slurm.ceiling import Ceiling, places
from sweeper.launch.slurm.script import script
from sweeper.launch.slurm.snapshot import Frozen, freeze
from sweeper.launch.slurm.submit import Batch, batches
from sweeper.runs.folder import RunDir
from sweeper.spec.run import RunSpec


@dataclass(frozen=True, slots=True)
class Script:
    """A batch script, and those that must have ended before its jobs begin."""

    path: Path
    after: tuple[Path, ...]


def export(specs: Sequence[RunSpec], results_dir: Path, out: Path | None) -> list[Script]:
    """Freeze specs and code, and write one batch script per array, to be given to `sbatch` in this order.

    Nothing is submitted. Exported again, the same runs get new scripts in the place of the old ones. An export that
    fails leaves nothing. `out` gets a copy of the scripts.

    Jobs of these scripts are found in SLURM's queue by name like any other. Where SLURM is not on this machine, its
    default MaxArraySize is taken. The ceiling of GPUs holds over these scripts, if they are submitted as told; what is
    queued already is not looked at.
    """
    folder(results_dir).joinpath("logs").mkdir(parents=True, exist_ok=True)
    largest = 1
    if any(spec.cluster.arrays for spec in specs):
        try:
            largest = scheduler.max_array_size()
        except scheduler.NoArraysError:
            raise
        except scheduler.SchedulerError:
            largest = scheduler.DEFAULT_MAX_ARRAY_SIZE
    with locked(folder(results_dir) / "lock", wait=True), ExitStack() as undo:
        for spec in specs:
            run_dir = RunDir(results_dir=results_dir, run_id=spec.run_id)
            if not run_dir.path.exists():
                undo.callback(shutil.rmtree, run_dir.path, ignore_errors=True)
            run_dir.freeze(spec)
        code, known = freeze(results_dir), chunks(results_dir)
        new = batches(specs, largest, results_dir, known, with_canary=False)
        written = _written(specs, new, results_dir, out, code, undo)
        undo.pop_all()  # everything is written: nothing is taken back
        names, runs = {item.path.stem for item in written}, {spec.run_id for spec in specs}
        for chunk in known:  # of what a person did submit SLURM has the script, and its jobs read the `.json`
            is_waiting = chunk.is_exported and chunk.job(results_dir) is None
            if is_waiting and chunk.name not in names and not runs.isdisjoint(chunk.run_ids):
                (folder(results_dir) / f"{chunk.name}.sh").unlink(missing_ok=True)
    return written


def _written(
    specs: Sequence[RunSpec], new: Sequence[Batch], results_dir: Path, out: Path | None, code: Frozen, undo: ExitStack
) -> list[Script]:
    """The scripts of some arrays, written; what takes them away again is left in `undo`."""
    written: list[Script] = []
    ceiling = Ceiling.of(specs)
    for batch, place in zip(new, places([item.wanted for item in new], ceiling), strict=True):
        about = {"code": str(code.folder), "digest": code.digest, "shape": in_json(batch.shape)}
        chunk = Chunk.exported(results_dir, batch.run_ids, gpus=batch.shape.gpus, **about, **place.width)
        if not (folder(results_dir) / f"{chunk.name}.json").exists():
            undo.callback(chunk.forget, results_dir)
        path = chunk.write(results_dir, script(chunk, batch.shape, results_dir))
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
            if not (out / path.name).exists():
                undo.callback((out / path.name).unlink, missing_ok=True)
            text, path = read_text(path), out / path.name
            write_atomic(path, text)
        written.append(Script(path, tuple(written[item].path for item in place.after if isinstance(item, int))))
    return written


def commands(scripts: Sequence[Script]) -> list[str]:
    """The shell lines that submit them, from this shell."""
    names = {item.path: f"job{number}" for number, item in enumerate(scripts, 1)}
    awaited = {path for item in scripts for path in item.after}
    lines = unsetting(os.environ) if scripts else []
    for item in scripts:
        after = "".join(f":${names[path]}" for path in item.after)
        command = " ".join(["sbatch", *([f"--dependency=afterany{after}"] if after else [])])
        path = shlex.quote(str(item.path))
        lines.append(
            f"{names[item.path]}=$({command} --parsable {path})" if item.path in awaited else f"{command} {path}"
        )
    return lines
