"""Pass rates measured by a job on a real SLURM."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from data_prep.choosing.annotations import read_pass_rates
from sweeper.launch.slurm import scheduler
from sweeper.spec.run import RunSpec
from tests.slurm.lab import Lab
from tests.sweeper.conftest import SHAPE_OVERRIDES, tiny_model
from tests.waiting import wait_until

pytestmark = pytest.mark.slurm
__all__ = ["tiny_model"]


def command(results: Path, model: Path, *arguments: str) -> list[str]:
    overrides = ("cluster=slurm", "cluster.device=cpu", "model.source=hub", f"model.path={model}", "data_scale=n64")
    more = (
        "model.warm_start.steps=0",
        "cluster.cpus_per_gpu=null",
        "cluster.memory_gb_per_gpu=3",
        f"results_dir={results}",
        *SHAPE_OVERRIDES,
        *arguments,
    )
    return [sys.executable, "-m", "data_prep", "annotate", *overrides, *more]


def test_pass_rates_come_from_one_job_that_goes_on_after_its_time_limit(
    make: Callable[..., RunSpec], lab: Lab, tmp_path: Path, tiny_model: Path
) -> None:
    out = tmp_path / "rates.parquet"
    asked = command(tmp_path, tiny_model, "--n", "4", f"--out={out}")

    def ask(*more: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run([*asked, *more], capture_output=True, text=True)

    first = ask()
    assert first.returncode == 0, first.stderr
    assert "submitted job" in first.stderr
    again = ask()
    assert again.returncode == 0, again.stderr
    assert "submitted" not in again.stderr
    (element,) = scheduler.queue()
    assert wait_until((tmp_path / "annotations" / "tiny-130k-train.log").exists, 60)
    lab.ask("scancel", "--signal=USR2", f"{element.job}_0")
    assert wait_until(lambda: [item.state for item in scheduler.queue()] == ["PENDING"], 60)
    with subprocess.Popen([*asked, "--wait"], stdout=subprocess.PIPE, text=True) as waiting:

        def ended() -> bool:
            lab.hurry()
            return waiting.poll() is not None

        assert wait_until(ended, 120)
        assert waiting.stdout is not None
        told = waiting.stdout.read()
    assert waiting.returncode == 0
    assert "64 problems x 4 samples" in told
    assert len(read_pass_rates((str(out),))["tiny-130k_pass_rate"]) == 64
    assert wait_until(lambda: not scheduler.queue(), 30)
    assert ask().stdout == told  # from the files: nothing is submitted
    assert not scheduler.queue()


def test_a_job_that_cannot_measure_says_why(make: Callable[..., RunSpec], tmp_path: Path, tiny_model: Path) -> None:
    for path in tiny_model.iterdir():
        if path.name != "model.safetensors":
            (tmp_path / "broken").mkdir(exist_ok=True)
            (tmp_path / "broken" / path.name).write_bytes(path.read_bytes())
    done = subprocess.run(command(tmp_path, tmp_path / "broken", "--wait"), capture_output=True, text=True)
    assert done.returncode == 2
    assert "safetensors" in done.stderr
