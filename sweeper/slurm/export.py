"""What a launch would submit, written down for a site where people submit by hand."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from sweeper.runs import RunDir, locked
from sweeper.slurm import scheduler
from sweeper.slurm.chunk import Chunk, folder
from sweeper.slurm.script import script
from sweeper.slurm.snapshot import freeze
from sweeper.slurm.submit import grouped, throttle
from sweeper.spec import RunSpec


def export(specs: Sequence[RunSpec], results_dir: Path, out: Path | None) -> list[Path]:
    """Freeze specs and code, and write one batch script an array; nothing is submitted.

    Jobs of these scripts are found in SLURM's queue by name like any other. Where SLURM is not on this machine, its
    default MaxArraySize is taken.

    Args:
        specs: The runs.
        results_dir: Root of the results, as compute nodes see it.
        out: Folder that gets a copy of the scripts; None: they stay where launches keep theirs.

    Returns:
        The scripts, to be given to `sbatch`.
    """
    folder(results_dir).joinpath("logs").mkdir(parents=True, exist_ok=True)
    try:
        largest = scheduler.max_array_size()
    except scheduler.SchedulerError:
        largest = scheduler.DEFAULT_MAX_ARRAY_SIZE
    written = []
    with locked(folder(results_dir) / "lock", wait=True):
        for spec in specs:
            RunDir(results_dir=results_dir, run_id=spec.run_id).freeze(spec)
        code, shapes = freeze(results_dir), grouped(specs)
        arrays = sum(-(-len(members) // largest) for members in shapes.values())
        for shape, members in shapes.items():
            at_once = throttle(members, shape, arrays)
            for start in range(0, len(members), largest):
                chunk = Chunk.new([spec.run_id for spec in members[start : start + largest]], code=code)
                path = chunk.write(results_dir, shape, script(chunk, shape, results_dir, at_once=at_once))
                if out is not None:
                    out.mkdir(parents=True, exist_ok=True)
                    path = Path(shutil.copyfile(path, out / path.name))
                written.append(path)
    return written
