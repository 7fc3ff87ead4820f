"""Runs over two nodes with addresses, host names and processes of their own, with a real Ray across them."""

import os
import signal
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from sweeper.launch.slurm.ledger import live
from sweeper.launch.slurm.submit import submit
from sweeper.rows.row import read_rows
from sweeper.runs.folder import RunDir
from sweeper.runs.state import State
from sweeper.spec.run import RunSpec
from tests.slurm.conftest import standin
from tests.slurm.lab import Lab, all_are, states
from tests.waiting import wait_until

pytestmark = [pytest.mark.slurm, pytest.mark.nightly]


def spread(seed: int, seconds: float = 0.0) -> RunSpec:
    """A run of two nodes that starts its Ray."""
    one = standin(f"seed={seed}", "model.resources.nodes=2", "cluster.memory_gb_per_gpu=4")
    setup = (*one.cluster.setup, "export STANDIN_RAY=1", f"export STANDIN_RAY_SECONDS={seconds}")
    return replace(one, cluster=replace(one.cluster, setup=setup))


def test_two_jobs_that_share_two_nodes_each_have_a_ray_of_their_own_across_them(machines: Lab, tmp_path: Path) -> None:
    specs = [spread(seed, seconds=5) for seed in range(2)]
    submit(specs, tmp_path)
    assert all_are(tmp_path, State.done, 240), states(tmp_path)
    assert len(list(read_rows(tmp_path))) == 2
    found = []
    for spec in specs:
        (attempt,) = RunDir(results_dir=tmp_path, run_id=spec.run_id).attempts()
        ray = attempt.read("ray")
        assert ray is not None
        nodes = sorted(ray["nodes"], key=lambda node: str(node["host"]))
        assert [node["host"] for node in nodes] == ["n1", "n2"]
        assert len({node["address"] for node in nodes}) == 2
        assert all(node["address"].startswith("10.77.") for node in nodes)
        assert ray["head"].rpartition(":")[0] in {node["address"] for node in nodes}
        assert {node["variable"] for node in nodes} == {"1"}
        found.append((ray["head"], {node["job"] for node in nodes}))
    assert found[0][0] != found[1][0]  # ports of their own
    assert len(found[0][1] | found[1][1]) == 2
    assert not list(tmp_path.glob("runs/*/ray-*.json"))


def test_the_death_of_one_rank_ends_the_job_at_once_and_leaves_no_process(machines: Lab, tmp_path: Path) -> None:
    spec = spread(3, seconds=600)
    submit([spec], tmp_path)
    run_dir = RunDir(results_dir=tmp_path, run_id=spec.run_id)
    assert wait_until(lambda: bool(run_dir.attempts()) and (run_dir.attempts()[0].path / "ray.json").exists(), 120)
    (element,) = live(tmp_path).values()
    ranks = {process.environ().get("SLURM_PROCID"): process for process in elements(tmp_path)}
    assert set(ranks) == {"0", "1"}
    assert processes_of(machines, element.job)
    os.kill(ranks["1"].pid, signal.SIGKILL)
    assert wait_until(lambda: not live(tmp_path), 45)
    assert states(tmp_path) == {spec.run_id: State.interrupted}
    assert wait_until(lambda: not processes_of(machines, element.job), 15), processes_of(machines, element.job)
    assert list(read_rows(tmp_path)) == []


def elements(results: Path) -> list[psutil.Process]:
    """The processes of a results folder's jobs, as srun started them."""
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if "sweeper.launch.slurm.element" in (words := process.info["cmdline"] or [])
        and str(results) in words
        and "srun" not in words[0]
    ]


def processes_of(machines: Lab, job: int) -> list[str]:
    """What is left of a job on any node."""
    found = []
    for process in machines.processes():
        with suppress(psutil.NoSuchProcess):
            if process.environ().get("SLURM_ARRAY_JOB_ID") == str(job):
                found.append(" ".join(process.cmdline()))
    return found
