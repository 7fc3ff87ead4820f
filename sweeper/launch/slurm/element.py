"""What runs on each node of an array element: `python -m sweeper.launch.slurm.element RESULTS_DIR CHUNK`."""

import os
import sys
from pathlib import Path

from sweeper.job.exit import EXIT_EXPIRED
from sweeper.job.run import run
from sweeper.launch.slurm import annotation
from sweeper.launch.slurm.array import Chunk
from sweeper.launch.slurm.script import requeue_mark


def main(results_dir: Path, name: str) -> int:
    """Execute the element's run or annotation; an attempt that met the time limit is queued again by its first node."""
    chunk = Chunk.read(results_dir, name)
    job = int(os.environ["SLURM_ARRAY_JOB_ID" if chunk.is_array else "SLURM_JOB_ID"])
    index = int(os.environ["SLURM_ARRAY_TASK_ID"]) if chunk.is_array else 0
    first = os.environ.get("SLURM_PROCID", "0") == "0"
    if first and chunk.job(results_dir) is None:  # submitted by hand, or its submitter was killed
        chunk.remember(results_dir, job)
    is_annotation = name.startswith(annotation.PREFIX)
    code = annotation.run(results_dir, name) if is_annotation else run(results_dir, chunk.run_ids[index])
    if code == EXIT_EXPIRED and first:
        mark = requeue_mark(results_dir, f"{job}_{index}")
        print(f"the time limit is near: to be queued again as {mark.name}", flush=True)
        mark.parent.mkdir(exist_ok=True)
        mark.touch()
    return code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
