"""What runs on a compute node: `python -m sweeper.slurm.element RESULTS_DIR CHUNK`, once a node of an array element."""

import os
import subprocess
import sys
from pathlib import Path

from sweeper.job import EXIT_EXPIRED, run
from sweeper.slurm.chunk import Chunk


def main(results_dir: Path, name: str) -> int:
    """Execute the element's run; an attempt that met the time limit is queued again by its first node."""
    chunk = Chunk.read(results_dir, name)
    # SLURM names GPUs to all vendors' libraries at once; verl refuses to start when it finds both.
    if "CUDA_VISIBLE_DEVICES" in os.environ:
        os.environ.pop("ROCR_VISIBLE_DEVICES", None)
    code = run(results_dir, chunk.run_ids[int(os.environ["SLURM_ARRAY_TASK_ID"])])
    if code == EXIT_EXPIRED and os.environ.get("SLURM_PROCID", "0") == "0":
        element = f"{os.environ['SLURM_ARRAY_JOB_ID']}_{os.environ['SLURM_ARRAY_TASK_ID']}"
        print(f"the time limit is near: queued again as {element}", flush=True)
        subprocess.run(["scontrol", "requeue", element], check=False)
    return code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
