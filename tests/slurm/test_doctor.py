"""A cluster's profile against a real SLURM."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sweeper.cli.main import main
from sweeper.grid.project import MARKER
from sweeper.oversight import checkup, neighbours
from sweeper.oversight.check import Verdict
from sweeper.spec.run import RunSpec
from tests.slurm.lab import SMALL, Lab
from tests.sweeper.points import over, spec
from tests.waiting import wait_until

pytestmark = pytest.mark.slurm
# What tests/slurm/up makes: four nodes of 8 GPUs, 16 CPUs and 64 GB.
FITTING = ("cluster=slurm", "cluster.max_nodes=4", "cluster.device=cpu", *SMALL, "model=tiny-40k")


def wrongs(one: RunSpec, results: Path) -> list[str]:
    checks = list(checkup.site([one], results))
    return [f"{check.name}: {check.found} -> {check.cure}" for check in checks if check.verdict is Verdict.wrong]


def test_a_fitting_profile_is_right_and_a_job_tells_what_it_finds(lab: Lab, tmp_path: Path) -> None:
    lab.empty()
    command = [sys.executable, "-m", "sweeper", "doctor", *FITTING, f"results_dir={tmp_path}", "--job", "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    checks = json.loads(done.stdout)["data"]
    assert done.returncode == 0, checks
    # What this machine leaves open to its other users is its own.
    right = [check for check in checks if check["verdict"] != "open" and check["name"] != "results_dir"]
    assert {check["verdict"] for check in right} == {"ok"}
    assert {check["name"] for check in checks if check["verdict"] == "open"} >= {
        "partition gpu for others",
        "/tmp of jobs",
    }
    on_node = [check["name"].split()[0] for check in right if " on " in check["name"]]
    on_node = [name for name in on_node if name not in (*neighbours.MEANS, "neighbours")]
    assert on_node == ["Python", "packages", "CPUs", "limits", "/dev/shm", "TMPDIR", "sandbox", "results_dir"]
    assert wait_until(lambda: lab.ask("squeue", "-h") == "", 60)  # an ended job is COMPLETING for a while
    assert list((tmp_path / "slurm").glob("doctor*")) == []


def test_a_profile_is_written_from_what_a_real_cluster_says(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    del lab
    (tmp_path / MARKER).touch()
    monkeypatch.chdir(tmp_path)
    assert main(["cluster-init", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["data"]
    assert told["path"] == str(tmp_path / "conf" / "cluster" / "lab.yaml")
    assert {key: value for key, value in told["settings"].items() if value is not None} == {
        "partition": "gpu", "gpu_type": "H100", "gpus_per_node": 8, "max_nodes": 4, "cpus_per_gpu": 2,
        "memory_gb_per_gpu": 7,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("cluster.partition=h100", "no partition 'h100'; there are gpu, scavenge -> set cluster.partition"),
        ("cluster.gpus_per_node=4", "nodes have 8 GPUs, the profile says 4 -> set cluster.gpus_per_node=8"),
        ("cluster.max_nodes=16", "it has 4 nodes, the profile says 16 -> set cluster.max_nodes=4"),
        ("cluster.gpu_type=A100", "its GPUs are h100, the profile says A100 -> set cluster.gpu_type=H100"),
        ("cluster.account=nobodys", "nobodys is not yours; yours: lab"),
        ("cluster.qos=gold", "gold is not allowed; yours: normal -> set cluster.qos"),
        ("cluster.cpus_per_gpu=32", "0 of its nodes have what a run asks for: 1 GPUs, 32 CPUs"),
        ("cluster.memory_gb_per_gpu=100", "0 of its nodes have what a run asks for: 1 GPUs, 1 CPUs and 100 GB"),
        ("model.resources.nodes=5", "4 of its nodes have what a run asks for"),
    ],
)
def test_what_does_not_fit_is_told_with_the_key_to_change(override: str, told: str, lab: Lab, tmp_path: Path) -> None:
    found = wrongs(spec(*over(FITTING, (override,))), tmp_path)
    assert any(told in line for line in found), found


def test_a_model_that_needs_longer_than_its_partition_allows_is_told(
    make: Callable[..., RunSpec], lab: Lab, tmp_path: Path
) -> None:
    one = spec(*FITTING, "cluster.partition=scavenge", "model.resources.hours=24")
    lab.ask("scontrol", "update", "PartitionName=scavenge", "MaxTime=0-02:30:00")
    try:
        told = wrongs(one, tmp_path)[0]
    finally:
        lab.ask("scontrol", "update", "PartitionName=scavenge", "MaxTime=UNLIMITED")
    assert "jobs end after 2.5 h, and a model asks for 24 h -> set model.resources.hours=2.5" in told


def test_where_slurm_does_not_answer_only_that_is_told(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("squeue", "scontrol", "sacct"):
        (tmp_path / name).write_text("#!/bin/sh\necho 'Unable to contact slurm controller' >&2\nexit 1\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    found = {check.name: check.verdict for check in checkup.site([spec(*FITTING)], tmp_path)}
    assert found == {
        "SLURM": Verdict.ok,
        "squeue": Verdict.wrong,
        "sacct": Verdict.unknown,
        "scontrol": Verdict.wrong,
        "cluster": Verdict.unknown,
    }
