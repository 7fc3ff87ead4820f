"""Four runs of one grid, each in another state, as the dashboard's tests read them."""

from pathlib import Path

from sweeper.plan.plan import save_grid
from sweeper.rows.row import Failure, write_row
from sweeper.runs.attempt import Heartbeat
from sweeper.runs.folder import RunDir
from tests.sweeper.points import plan
from tests.sweeper.rows import row

STATES = ("done", "failed", "interrupted", "new")


def four_runs(results: Path, *, hostile: str) -> dict[str, RunDir]:
    """Two models x two seeds below a results folder, by state; the words of failure and log are hostile.

    The interrupted one ended in step 3 of 40, and has logged no metrics yet.
    """
    found = plan(results, "model=tiny-40k,tiny-130k", "seed=0,1")
    save_grid(found, results)
    specs = [run.spec for run in found.runs if run.spec is not None]
    runs = dict(zip(STATES, (RunDir(results_dir=results, run_id=spec.run_id) for spec in specs), strict=True))
    for run, spec in zip(runs.values(), specs, strict=True):
        run.freeze(spec)
    write_row(results, row(specs[0]))
    write_row(results, row(specs[1], failure=Failure(phase="train", reason=f"no memory {hostile}", log="x/log.txt")))
    attempt = runs["interrupted"].new_attempt()
    attempt.write("env", {"time": 1000.0, "host": "n1"})
    beat = {"phase": "train", "step": 3, "total_steps": 40, "reward": 0.25, "val_pass1": None, "seconds_left": 90.0}
    attempt.beat(Heartbeat(**beat, time=4600.0, pid=1, host="n1"))  # type: ignore[arg-type]
    attempt.log.write_text(f"first\nstep 1\r step 2\r\n{hostile}\n")
    return runs
