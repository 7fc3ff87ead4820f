"""Batch scripts for sites where people submit by hand."""

import subprocess
import sys
from pathlib import Path

import pytest

from sweeper.launch.slurm import scheduler
from sweeper.launch.slurm.array import chunks
from sweeper.rows.row import read_rows
from sweeper.runs.state import State
from tests.slurm.lab import SMALL, Lab, all_are, states

pytestmark = pytest.mark.slurm
HERE = Path(__file__).parent


def test_jobs_submitted_by_hand_from_exported_scripts_are_followed_like_any_other(lab: Lab, tmp_path: Path) -> None:
    lab.empty()
    results, out = tmp_path / "results", tmp_path / "scripts"
    setup = f"export PYTHONPATH={HERE / 'standin'}", "export STANDIN_STEP_SECONDS=0.5"
    overrides = ["cluster=slurm", "cluster.device=cpu", "model=tiny-40k", "training.total_steps=3", "seed=0,1"]
    overrides += [*SMALL, f"cluster.setup={list(setup)}", f"results_dir={results}"]
    command = [sys.executable, "-m", "sweeper", "export-sbatch", *overrides, "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (script,) = out.iterdir()
    assert done.stdout.splitlines()[-1] == f"sbatch {script}"
    assert scheduler.queue() == []
    assert set(states(results).values()) == {State.new}
    job = lab.ask("sbatch", "--parsable", "--begin=now+1hour", str(script)).strip()  # it waits while we look
    assert set(states(results).values()) == {State.queued}
    again = subprocess.run([sys.executable, "-m", "sweeper", "plan", *overrides], capture_output=True, text=True)
    assert "2 queued" in again.stdout
    lab.ask("scontrol", "update", f"JobId={job}", "StartTime=now")
    assert all_are(results, State.done, 90)
    assert len(list(read_rows(results))) == 2
    (array,) = chunks(results)
    assert array.job(results) is not None


def test_shellcheck_finds_nothing_in_the_batch_scripts(lab: Lab) -> None:
    scripts = sorted(Path("tests/sweeper/golden").glob("sbatch_*.sh"))
    assert len(scripts) == 4
    done = subprocess.run(["shellcheck", "--exclude=SC1091", *scripts], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
