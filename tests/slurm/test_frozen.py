"""What waits in the queue is what was submitted, whatever is edited meanwhile.

Hydra's own launcher does not keep that: tests/slurm/test_stock.py.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sweeper.launch.slurm.snapshot import PACKAGES
from sweeper.rows.row import read_rows
from sweeper.runs.folder import RunDir
from sweeper.runs.state import State
from sweeper.spec.run import RunSpec
from tests.slurm.lab import SUBMIT, Lab, all_are

pytestmark = pytest.mark.slurm
Make = Callable[..., RunSpec]


def test_editing_the_checkout_one_submits_from_changes_nothing_that_waits(make: Make, lab: Lab, tmp_path: Path) -> None:
    checkout, results = tmp_path / "checkout", tmp_path / "results"
    for name in (*PACKAGES, "conf"):
        shutil.copytree(Path(name), checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
    spec = make("seed=1")
    run_dir = RunDir(results_dir=results, run_id=spec.run_id)
    run_dir.freeze(spec)
    lab.ask("scontrol", "update", "PartitionName=gpu", "State=DOWN")
    try:
        # From inside the checkout, as people do: there `python -m` looks in the current folder before anything else.
        subprocess.run([sys.executable, "-c", SUBMIT, str(results)], cwd=checkout, check=True)
        (checkout / "sweeper" / "job" / "run.py").write_text("raise SystemExit('edited while the job waited')\n")
        (checkout / "conf" / "model" / "tiny-40k.yaml").write_text("name: edited\n")
        (checkout / "conf" / "algorithm" / "grpo.yaml").unlink()
    finally:
        lab.ask("scontrol", "update", "PartitionName=gpu", "State=UP")
    assert all_are(results, State.done, 60), (results / "slurm" / "logs").glob("*")
    (attempt,) = run_dir.attempts()
    ran = attempt.read("standin")
    (row,) = read_rows(results)
    assert ran is not None
    assert row.provenance is not None
    assert ran["sweeper"] == str(results / "code" / str(row.provenance.code_digest) / "sweeper" / "job" / "run.py")
    assert RunSpec.read(run_dir.spec_path) == spec
