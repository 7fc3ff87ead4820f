"""Runs over several nodes: here two on one machine, each with its own Ray worker and the variables of a SLURM step."""

import os
import stat
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from sweeper.host.errors import RunFailedError
from sweeper.rows.row import Status, read_row, row_path
from sweeper.runs.folder import RunDir
from sweeper.training import ray_nodes, ray_token
from sweeper.training.ray_nodes import Node, Share
from tests.sweeper.points import spec
from tests.waiting import wait_until

pytestmark = pytest.mark.verl

TWO_NODES = spec(
    "cluster=slurm",
    "cluster.device=cpu",
    "model=tiny-40k",
    "model.warm_start.steps=20",
    "model.warm_start.n_examples=1280",
    "model.resources.nodes=2",
    "data_scale=n64",
    "training.total_steps=2",
    "eval.n_samples=4",
    "eval.ks=[1,4]",
    "eval.problems_per_domain=4",
    "eval.val_problems_per_domain=4",
)


def start(results: Path, rank: int, nodes: int = 2) -> "subprocess.Popen[bytes]":
    step = {"SLURM_PROCID": str(rank), "SLURM_STEP_NUM_NODES": str(nodes), "SLURM_JOB_ID": "77"}
    command = [sys.executable, "-m", "sweeper.job.run", str(results), TWO_NODES.run_id]
    return subprocess.Popen(command, env=os.environ | step, start_new_session=True)


def frozen(results: Path) -> RunDir:
    run_dir = RunDir(results_dir=results, run_id=TWO_NODES.run_id)
    run_dir.freeze(TWO_NODES)
    return run_dir


def test_the_nodes_of_a_job_train_one_model_together(tmp_path: Path) -> None:
    run_dir = frozen(tmp_path)
    nodes = [start(tmp_path, rank) for rank in range(2)]
    assert [node.wait(timeout=500) for node in nodes] == [0, 0]
    row = read_row(row_path(tmp_path, TWO_NODES.run_id))
    assert row.status is Status.completed
    assert row.steps == 2  # the metrics are where the row looks for them
    assert row.provenance is not None
    assert row.provenance.n_devices == 2
    assert (run_dir.checkpoints / "global_step_2" / "actor" / "model_world_size_2_rank_1.pt").is_file()
    assert len(run_dir.attempts()) == 1  # the second node made none of its own
    assert not Node(rank=0, count=2, job="77-0").meeting(run_dir.path).exists()


def test_a_job_of_too_few_nodes_says_so_in_its_row(tmp_path: Path) -> None:
    frozen(tmp_path)
    assert start(tmp_path, 0, nodes=1).wait(timeout=60) == 1
    failure = read_row(row_path(tmp_path, TWO_NODES.run_id)).failure
    assert failure is not None
    assert "has 1 nodes, but model.resources.nodes=2" in failure.reason


def test_a_node_that_never_joins_ends_the_wait_and_the_token_stays_private(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_nodes, "JOIN_SECONDS", 6.0)
    node = Node(rank=0, count=2, job="1-0")
    modes = []

    def watch() -> None:
        wait_until(node.meeting(tmp_path).exists, 30)
        modes.append(stat.S_IMODE(node.meeting(tmp_path).stat().st_mode))

    watching = threading.Thread(target=watch)
    watching.start()
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="rl-ray-") as scratch,  # short: Ray's socket paths have 107 characters
        pytest.raises(RunFailedError, match=r"of 2 nodes .* not all joined .* last answer: 1"),
        ray_nodes.cluster(
            node,
            tmp_path,
            Share(cpus=1, gpus=0),
            variables=ray_token.new(),
            scratch=Path(scratch),
            log=tmp_path / "log",
        ),
    ):
        pass
    watching.join()
    assert modes == [0o600]
    assert time.monotonic() - began < 90
    assert not node.meeting(tmp_path).exists()
