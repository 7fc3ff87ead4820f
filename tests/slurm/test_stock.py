"""Hydra's own launchers: they work, and what they do not keep."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sweeper.launch.slurm.snapshot import PACKAGES
from sweeper.rows.row import read_rows
from sweeper.runs.folder import RunDir
from sweeper.spec.run import RunSpec
from sweeper.spec.run_id import RunId
from tests.slurm.lab import Lab
from tests.waiting import wait_until

pytestmark = pytest.mark.slurm
STANDIN = Path(__file__).parent / "standin"
RUN = ("model=tiny-40k", "training.total_steps=3", "-m")


def command(results: Path, launcher: str, *more: str) -> list[str]:
    own = [f"results_dir={results}", f"hydra/launcher={launcher}", "hydra/sweeper=basic"]
    if launcher == "submitit_slurm":
        own += ["hydra.launcher.partition=gpu", f"hydra.launcher.setup=['export PYTHONPATH={STANDIN}']"]
    return [sys.executable, "-m", "sweeper", *RUN, *own, *more]


@pytest.mark.parametrize("launcher", ["submitit_local", "submitit_slurm"])
def test_points_started_by_hydras_own_launcher_end_in_rows(launcher: str, lab: Lab, tmp_path: Path) -> None:
    lab.empty()
    env = os.environ | {"PYTHONPATH": str(STANDIN)}
    done = subprocess.run(command(tmp_path, launcher, "seed=0,1"), capture_output=True, text=True, env=env, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [row.steps for row in read_rows(tmp_path)] == [3, 3]


def test_what_is_edited_while_a_job_of_hydras_own_launcher_waits_reaches_it(lab: Lab, tmp_path: Path) -> None:
    """The same edits leave our jobs as they were: tests/slurm/test_frozen.py."""
    lab.empty()
    checkout, results = tmp_path / "checkout", tmp_path / "results"
    for name in (*PACKAGES, "conf"):
        shutil.copytree(Path(name), checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
    lab.ask("scontrol", "update", "PartitionName=gpu", "State=DOWN")
    try:
        launcher = subprocess.Popen(command(results, "submitit_slurm", "seed=1"), cwd=checkout)
        assert wait_until(lambda: lab.ask("squeue", "-h") != "", 120)
        config = checkout / "conf" / "algorithm" / "grpo.yaml"
        edited, n = re.subn(r"rollout_n: \d+", "rollout_n: 5", config.read_text())
        assert n == 1
        config.write_text(edited)
        with (checkout / "sweeper" / "job" / "run.py").open("a") as file:
            file.write("\nPath('edited').touch()\n")
    finally:
        lab.ask("scontrol", "update", "PartitionName=gpu", "State=UP")
    assert launcher.wait(timeout=180) == 0
    (row,) = read_rows(results)
    found = RunSpec.read(RunDir(results_dir=results, run_id=RunId(row.run_id)).spec_path)
    assert found.algorithm.rollout_n == 5
    assert (checkout / "edited").exists()
