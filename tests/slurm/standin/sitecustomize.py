"""Loaded by every Python of a test's job (`cluster.setup` puts this folder on its path): a run's work without verl.

Only the phases of `sweeper.job` are replaced: a run counts steps, `STANDIN_STEP_SECONDS` each, and saves each of them.
What surrounds the work (lock, attempts, signals, rows, exit codes) is the product's own. The module is changed when the
job itself imports it: imported from here it would come from another place on the path than in a job without stand-in.
"""

import importlib.util
import json
import os
import sys
import time


class _Finder:
    @classmethod
    def find_spec(cls, name, *_):  # type: ignore[no-untyped-def]
        if name != "sweeper.job":
            return None
        sys.meta_path.remove(cls)
        spec = importlib.util.find_spec(name)
        execute = spec.loader.exec_module

        def execute_and_replace(module):  # type: ignore[no-untyped-def]
            execute(module)
            _replace(module)

        spec.loader.exec_module = execute_and_replace
        return spec


def _replace(job):  # type: ignore[no-untyped-def]
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
    sys.meta_path.insert(0, _Finder)
