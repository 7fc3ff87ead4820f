"""Loaded by every Python of a test's job (`cluster.setup` puts this folder on its path): a run's work without verl.

Only `sweeper.slurm.element` is changed: its run counts steps, `STANDIN_STEP_SECONDS` each, and saves each of them. What
surrounds the work (lock, attempts, signals, rows, exit codes) is the product's own.
"""

import json
import os
import sys
import time


def _replace() -> None:
    from sweeper import job
    from sweeper.errors import RunFailedError

    def phases(run_dir, spec, attempt, measured):  # type: ignore[no-untyped-def]
        measured.phase = "train"
        run_dir.checkpoints.mkdir(exist_ok=True)
        attempt.write("standin", {"sweeper": job.__file__, "from_step": run_dir.trained_steps()})
        if spec.seed == 13:
            raise RunFailedError("seed 13 brings bad luck")
        for step in range(run_dir.trained_steps() + 1, spec.total_steps + 1):
            time.sleep(float(os.environ.get("STANDIN_STEP_SECONDS", "0.1")))
            (run_dir.checkpoints / f"global_step_{step}").mkdir(exist_ok=True)
            job.write_atomic(run_dir.checkpoints / "latest_checkpointed_iteration.txt", str(step))
            with attempt.metrics.open("a") as file:
                file.write(json.dumps({"step": step, "data": {"critic/score/mean": 0.5}}) + "\n")

    job._phases = phases


if "sweeper.slurm.element" in sys.orig_argv:
    _replace()
