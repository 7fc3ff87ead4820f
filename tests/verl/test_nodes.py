"""Runs over several nodes: here two on one machine, each with its own Ray worker and the variables of a SLURM step."""

import json
import os
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
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


@pytest.mark.nightly
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
    monkeypatch.setattr(ray_nodes, "JOIN_SECONDS", 6.0)  # on a busy machine the head may not have answered by then
    node = Node(rank=0, count=2, job="1-0")
    modes = []

    def watch() -> None:
        wait_until(node.meeting(tmp_path).exists, 30)
        modes.append(stat.S_IMODE(node.meeting(tmp_path).stat().st_mode))

    watching = threading.Thread(target=watch)
    watching.start()
    with (
        tempfile.TemporaryDirectory(prefix="rl-ray-") as scratch,  # short: Ray's socket paths have 107 characters
        pytest.raises(RunFailedError, match=r"of 2 nodes .* not all joined .* last answer: (1$|ConnectionError)"),
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
    assert not node.meeting(tmp_path).exists()


_USES_RAY = """
import json, sys, time, ray
ray.init(logging_level="ERROR", log_to_driver=False)
nodes = sorted(node["NodeID"] for node in ray.nodes() if node["Alive"])
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy as On
where = ray.remote(lambda: ray.get_runtime_context().get_node_id())
ran = [ray.get(where.options(scheduling_strategy=On(node, soft=False)).remote()) for node in nodes]
print(json.dumps({"nodes": nodes, "ran": ran}), flush=True)
sys.stdin.read()  # its workers stay while their ports are looked at
"""


_IS_ANOTHER_NODE = """
import sys; from pathlib import Path; from sweeper.training.ray_nodes import Node, Share, serve
folder = Path(sys.argv[1]); node = Node(rank=1, count=2, job="1-0")
sys.exit(serve(node, folder, Share(cpus=1, gpus=0), between=lambda: None, log=folder / "log"))
"""


@contextmanager
def run_on_two_nodes(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """A head and another node, as two runs on the same two nodes have them, and a process that uses them."""
    folder.mkdir()
    head, share, log = Node(rank=0, count=2, job="1-0"), Share(cpus=1, gpus=0), folder / "log"
    other = subprocess.Popen([sys.executable, "-c", _IS_ANOTHER_NODE, str(folder)])
    try:
        with (
            tempfile.TemporaryDirectory(prefix="rl-ray-") as scratch,
            ray_nodes.cluster(
                head, folder, share, variables=ray_token.new(), scratch=Path(scratch), log=log
            ) as variables,
            subprocess.Popen(
                [sys.executable, "-c", _USES_RAY],
                env=os.environ | variables,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            ) as using,
        ):
            yield using
    finally:
        head.end(folder).touch()
        code = other.wait(timeout=60)
    assert code == 0


def listens_on(run: "subprocess.Popen[str]") -> set[int]:
    """The ports of all processes of a run's Ray, known by its token."""
    token, found = psutil.Process(run.pid).environ()["RAY_AUTH_TOKEN"], set()
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # it has ended meanwhile
            if process.environ().get("RAY_AUTH_TOKEN") == token:
                found |= {one.laddr.port for one in process.net_connections("tcp") if one.status == psutil.CONN_LISTEN}
    return found


@pytest.mark.nightly
def test_two_runs_that_share_two_nodes_have_no_port_in_common(tmp_path: Path) -> None:
    with run_on_two_nodes(tmp_path / "one") as one, run_on_two_nodes(tmp_path / "two") as two:
        told = []
        for run in (one, two):
            assert run.stdout is not None
            told.append(json.loads(run.stdout.readline()))
        assert [len(run["nodes"]) for run in told] == [2, 2]
        assert [run["ran"] for run in told] == [run["nodes"] for run in told]  # workers on both nodes of each
        assert not set(told[0]["nodes"]) & set(told[1]["nodes"])
        first, second = listens_on(one), listens_on(two)
        assert min(len(first), len(second)) > 5  # of the processes that are up by now
        assert not first & second
        assert not {port for port in first | second if port in (8265, 6379) or 10001 <= port <= 19999}
