"""The text of a job array, rendered by submitit."""

import shlex
import sys
from pathlib import Path

from sweeper.slurm.chunk import Chunk, folder
from sweeper.slurm.shape import Shape


def script(chunk: Chunk, shape: Shape, results_dir: Path, *, at_once: int) -> str:
    """What `sbatch` gets.

    submitit renders it; its executor does not submit it, because it writes a job's pickle after `sbatch`: killed in
    between, it leaves jobs that find nothing to do and fail.

    Args:
        chunk: The runs.
        shape: Their resources.
        results_dir: Root of the results.
        at_once: Elements that may run at the same time, at least 1.
    """
    from submitit.slurm.slurm import _make_sbatch_string

    command = [sys.executable, "-m", "sweeper.slurm.element", str(results_dir), chunk.name]
    # First on the path, so that it wins over an installed copy; and the job's folder, because `python -m` looks there
    # before the path, and Ray's workers do too: from a checkout they would load what is edited meanwhile.
    setup = [*shape.setup, f"export PYTHONPATH={shlex.quote(chunk.code)}${{PYTHONPATH:+:$PYTHONPATH}}"]
    return _make_sbatch_string(
        command=shlex.join(command),
        folder=folder(results_dir) / "logs",
        job_name=chunk.name,
        partition=shape.partition,
        account=shape.account,
        qos=shape.qos,
        time=shape.minutes,
        nodes=shape.nodes,
        ntasks_per_node=1,
        gpus_per_node=shape.gpus_per_node or None,
        cpus_per_task=shape.cpus_per_node,
        mem=None if shape.memory_gb is None else f"{shape.memory_gb}GB",
        signal_delay_s=shape.signal_seconds,
        setup=setup,
        comment=f"{chunk.name} {results_dir}",
        array_parallelism=at_once,
        map_count=len(chunk.run_ids),
        wckey=None,  # type: ignore[arg-type]  # leaves the flag out: not every cluster has such keys
        stderr_to_stdout=True,
        additional_parameters={"requeue": True, "chdir": chunk.code},
        # One node's failure ends the others, so that no GPU waits for what will not come.
        srun_args=["--kill-on-bad-exit=1"],
    )
