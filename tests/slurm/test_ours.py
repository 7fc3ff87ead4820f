"""Which jobs of a real SLURM are a results folder's: by number and user, whatever the shell or the job's name says."""

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sweeper.cli.main import main
from sweeper.launch.slurm import scheduler
from sweeper.launch.slurm.array import Chunk, chunks
from sweeper.launch.slurm.ledger import live
from sweeper.launch.slurm.queue import Queue
from sweeper.launch.slurm.submit import submit
from sweeper.runs.folder import RunDir
from sweeper.runs.state import State
from sweeper.spec.run import RunSpec
from tests.slurm.lab import Lab, states
from tests.waiting import wait_until

pytestmark = pytest.mark.slurm
Make = Callable[..., RunSpec]


@pytest.fixture
def drained(lab: Lab, make: Make) -> Iterator[Make]:
    """Jobs wait: the partition is down."""
    lab.ask("scontrol", "update", "PartitionName=gpu", "State=DOWN")
    yield make
    lab.ask("scontrol", "update", "PartitionName=gpu", "State=UP", "Hidden=NO")


def test_nothing_is_submitted_twice_whatever_the_shell_says_and_the_job_is_called(
    drained: Make, lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    specs = [drained(f"seed={seed}") for seed in range(2)]
    submit(specs, tmp_path)
    (job,) = {element.job for element in live(tmp_path).values()}
    for name in ("SQUEUE_STATES=RUNNING", "SQUEUE_PARTITION=scavenge", "SQUEUE_NAMES=x", "SQUEUE_ACCOUNT=x"):
        monkeypatch.setenv(*name.split("="))
    monkeypatch.setenv("LOGNAME", "nobody")
    lab.ask("scontrol", "update", f"JobId={job}", "Name=we kend\n|1")
    lab.ask("scontrol", "update", "PartitionName=gpu", "Hidden=YES")
    assert set(states(tmp_path).values()) == {State.queued}
    again = submit(specs, tmp_path)
    assert again.submitted == {}
    assert len(again.queued) == 2


def test_another_cluster_with_the_same_numbers_of_jobs_is_told_so(drained: Make, lab: Lab, tmp_path: Path) -> None:
    specs = [drained("seed=0")]
    submit(specs, tmp_path)
    (chunk,) = chunks(tmp_path)
    assert chunk.cluster == "lab"
    # As a cluster of another name sees it: the number is a job's of this user, under another name.
    (job,) = {element.job for element in live(tmp_path).values()}
    lab.ask("scontrol", "update", f"JobId={job}", "Name=another", "Comment=another")
    replace(chunk, cluster="elsewhere").write(tmp_path, "")
    assert states(tmp_path) == {specs[0].run_id: State.unknown}
    done = submit(specs, tmp_path)
    assert done.submitted == {}
    assert "on cluster elsewhere, and this machine asks lab" in done.unseen[specs[0].run_id]
    lab.ask("scancel", str(job))


def test_cancel_leaves_no_job_of_a_script_that_was_submitted_twice(
    drained: Make, lab: Lab, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    specs = [drained(f"seed={seed}") for seed in range(2)]
    submit(specs, tmp_path)
    (script,) = (tmp_path / "slurm").glob("sweep-*.sh")
    lab.ask("sbatch", str(script))
    assert len(scheduler.queue()) == 4
    queue = Queue.ask(tmp_path)
    for spec in specs:
        assert len(queue.all_elements(spec.run_id)) == 2
        assert main(["cancel", spec.run_id, "--results", str(tmp_path)]) == 0
    assert wait_until(lambda: not scheduler.queue(), 20)


def test_what_was_cancelled_is_submitted_again_while_its_node_is_still_cleaned_up(
    make: Make, lab: Lab, tmp_path: Path
) -> None:
    one = make("seed=0", step_seconds=60)
    setup = (*one.cluster.setup, "trap '' TERM", "trap 'sleep 20' EXIT")  # until SLURM kills it, after KillWait
    one = replace(one, cluster=replace(one.cluster, setup=setup))
    submit([one], tmp_path)
    assert wait_until(RunDir(results_dir=tmp_path, run_id=one.run_id).is_locked, 30)
    assert main(["cancel", one.run_id, "--results", str(tmp_path)]) == 0
    assert wait_until(lambda: [item.state for item in scheduler.queue()] == ["COMPLETING"], 10)
    assert wait_until(lambda: states(tmp_path)[one.run_id] is State.interrupted, 10)
    assert [item.state for item in scheduler.queue()] == ["COMPLETING"]
    assert list(submit([one], tmp_path).submitted) == [one.run_id]


@pytest.mark.nightly
def test_a_requeued_job_is_not_submitted_again_while_its_node_is_still_cleaned_up(
    make: Make, lab: Lab, tmp_path: Path
) -> None:
    one = make("seed=0", step_seconds=60)
    setup = (*one.cluster.setup, "trap '' TERM", "trap 'sleep 20' EXIT")
    one = replace(one, cluster=replace(one.cluster, setup=setup))
    submit([one], tmp_path)
    assert wait_until(RunDir(results_dir=tmp_path, run_id=one.run_id).is_locked, 30)
    (element,) = live(tmp_path).values()
    subprocess.run(["scontrol", "requeue", f"{element.job}_0"], check=True)
    for _ in range(20):
        assert submit([one], tmp_path).submitted == {}
        if wait_until(lambda: states(tmp_path)[one.run_id] is State.queued, 0.3):
            break
    assert Chunk.read(tmp_path, element.name).job(tmp_path) == element.job
