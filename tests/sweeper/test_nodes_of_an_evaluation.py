"""An evaluation over two nodes: two processes of a job on this machine, with the variables of a SLURM step."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from data_prep.materialise import materialise
from sweeper.evaluation.measure import measure
from sweeper.host.call import Call
from sweeper.host.errors import RunFailedError
from sweeper.host.machine import Device
from sweeper.host.process import Children
from sweeper.inputs.data import data_spec
from sweeper.runs.folder import RunDir
from sweeper.training.ray_nodes import Node
from tests.sweeper.points import spec
from tests.waiting import wait_until

RUN = spec(
    "cluster=slurm",
    "cluster.device=cpu",
    "model.resources.nodes=2",
    "eval.n_samples=1024",
    "eval.ks=[1,4]",
    "eval.problems_per_domain=3",
    "eval.val_problems_per_domain=2",
    "data_scale=n64",
)
FIRST = Node(rank=0, count=2, job="77-0")


class Job:
    """The folder of a run, and the second node of its job."""

    def __init__(self, results: Path) -> None:
        self.run_dir = RunDir(results_dir=results, run_id=RUN.run_id)
        self.run_dir.freeze(RUN)
        step = {"SLURM_PROCID": "1", "SLURM_STEP_NUM_NODES": "2", "SLURM_JOB_ID": "77"}
        command = [sys.executable, "-m", "sweeper.job.run", str(results), RUN.run_id]
        self.second = subprocess.Popen(command, env=os.environ | step, start_new_session=True)

    @property
    def call(self) -> Call:
        return FIRST.call(self.run_dir.path)

    @property
    def told_by_the_second(self) -> str:
        log = self.run_dir.path / "nodes" / "77-0-1.txt"
        return log.read_text() if log.exists() else ""

    def hold_the_first(self, folder: Path) -> bool:
        """Let the first node deal and no more until the second has taken something; whether it has."""
        has_taken = any(int(deal.read_text().split()[0]) for deal in folder.glob("*.deal"))
        for child in psutil.Process().children():
            if child.pid != self.second.pid:
                if has_taken:
                    child.resume()
                elif any(folder.glob("*.deal")):
                    child.suspend()
        return has_taken


def counts(
    out: Path, model: Path, data: Path, *, call: Call | None = None, tick: Callable[[], None] | None = None
) -> str:
    """What the first node counts, alone or with those it calls."""
    children = Children(device=Device.cpu, threads=1, log=out.with_suffix(".log"), call=call, on_tick=tick)
    measure(RUN, children, out.parent, model=model, data=data, out=out, seed=0)
    return out.read_text()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return materialise(data_spec(RUN), tmp_path_factory.mktemp("data")).evaluation


@pytest.fixture(scope="module")
def alone(tiny_model: Path, data: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    return counts(tmp_path_factory.mktemp("alone") / "counts.jsonl", tiny_model, data)


@pytest.fixture
def job(tmp_path: Path) -> Iterator[Job]:
    job = Job(tmp_path / "results")
    yield job
    FIRST.end(job.run_dir.path).touch()
    try:
        job.second.wait(timeout=60)
    finally:
        job.second.kill()


def test_both_nodes_of_a_job_measure_and_count_what_one_counts_alone(
    job: Job, alone: str, tiny_model: Path, data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "counts" / "counts.jsonl"
    log = out.with_suffix(".log")

    def one_after_the_other() -> None:
        """The second is stopped with what it took, until the first has measured something as well."""
        if job.hold_the_first(out.parent):
            os.killpg(job.second.pid, signal.SIGCONT if "evaluated " in log.read_text() else signal.SIGSTOP)

    assert counts(out, tiny_model, data, call=job.call, tick=one_after_the_other) == alone
    assert "evaluated " in job.told_by_the_second
    assert not job.call.path.exists()
    files = sorted(path.name for path in out.parent.iterdir())
    assert files == ["counts.jsonl", "counts.log", "counts.samples.jsonl"]


@pytest.mark.nightly
def test_what_a_node_took_with_it_when_it_died_is_missed_and_measured_by_the_next_start(
    job: Job, alone: str, tiny_model: Path, data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "counts" / "counts.jsonl"

    def kill() -> None:
        if job.hold_the_first(out.parent):
            job.second.kill()

    with pytest.raises(RunFailedError, match="problems were dealt and not measured: a process on another node"):
        counts(out, tiny_model, data, call=job.call, tick=kill)
    assert not out.exists()
    assert counts(out, tiny_model, data) == alone
    assert "goes on after" in out.with_suffix(".log").read_text()


def test_a_node_leaves_its_work_when_the_call_is_off_and_answers_the_next(job: Job) -> None:
    command = [sys.executable, "-c", "import time, sys; print('at work', sys.argv[1], flush=True); time.sleep(600)"]
    with job.call.out(command, {}):
        assert wait_until(lambda: "at work --node=1" in job.told_by_the_second, 60)
    with job.call.out([sys.executable, "-c", "print('next')"], {}):
        assert wait_until(lambda: "next" in job.told_by_the_second, 60)
