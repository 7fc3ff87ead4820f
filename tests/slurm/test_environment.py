"""What reaches a job's environment, and what is never written down anywhere."""

import hashlib
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from sweeper.launch.slurm.ledger import live
from sweeper.launch.slurm.submit import submit
from sweeper.plan.refusals import check
from sweeper.runs.folder import RunDir
from sweeper.runs.state import State
from sweeper.spec.run import RunSpec
from tests.slurm.lab import Lab, all_are
from tests.waiting import wait_until

pytestmark = pytest.mark.slurm
# Of a shell in an allocation: none of them is one that SLURM sets for a job like ours.
ALLOCATION = {
    "SLURM_JOB_ID": "99999",
    "SLURM_TRES_PER_TASK": "gres:gpu:4",
    "SLURM_MEM_PER_NODE": "9999999",
    "SLURM_HINT": "nomultithread",
    "SBATCH_TIMELIMIT": "1",
    "SQUEUE_FORMAT": "%i",
    "RAY_ADDRESS": "10.0.0.1:6379",
    "OMP_NUM_THREADS": "96",
}
SECRET, ALSO, MARK = "hunter2-0123456789", "hunter3-0123456789", "harmless-0123456789"


def holding(folder: Path, text: str) -> list[str]:
    """Files below a folder in which a text occurs."""
    found = subprocess.run(["grep", "-rlaF", "-D", "skip", text, str(folder)], capture_output=True, text=True)
    return found.stdout.splitlines()


def test_a_secret_reaches_the_run_and_is_in_no_file_and_in_no_record_of_slurm(
    make: Callable[..., RunSpec], lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results, private = tmp_path / "results", tmp_path / "private"
    private.write_text(f"WANDB_API_KEY={SECRET}\n")
    private.chmod(0o600)
    # The shell that submits has secrets too, and a variable that its jobs are to get.
    monkeypatch.setenv("WANDB_API_KEY", ALSO)
    monkeypatch.setenv("HF_TOKEN", ALSO)
    monkeypatch.setenv("HF_HOME", MARK)
    # sbatch lets these win over what a script states.
    monkeypatch.setenv("SBATCH_EXPORT", "ALL")
    monkeypatch.setenv("SBATCH_JOB_NAME", "mine")
    one = make("seed=1", step_seconds=1.5)
    spec = replace(one, cluster=replace(one.cluster, secrets_file=str(private)))
    submit([spec], results)
    assert all_are(results, State.running, 60)
    (element,) = live(results).values()
    records = lab.ask("scontrol", "show", "job", "-dd", str(element.job))
    # While the job runs, SLURM keeps its script and its environment; the mark shows that this is where to look.
    assert any("environment" in path for path in holding(lab.folder, MARK))
    for text in (SECRET, ALSO):
        assert holding(lab.folder, text) == []
        assert text not in records
    assert all_are(results, State.done, 60)
    records = lab.ask("sacct", "-P", "-j", str(element.job), "-o", "ALL")
    for text in (SECRET, ALSO):
        assert holding(results, text) + holding(lab.folder, text) == []
        assert text not in records
    (attempt,) = RunDir(results_dir=results, run_id=spec.run_id).attempts()
    ran = attempt.read("standin")
    assert ran is not None
    assert ran["key"] == hashlib.sha256(SECRET.encode()).hexdigest()
    assert "HF_HOME" in ran["variables"]
    assert "HF_TOKEN" not in ran["variables"]
    assert "PYTEST_CURRENT_TEST" not in ran["variables"]


def test_options_of_the_user_reach_slurm_and_variables_of_an_allocation_do_not(
    make: Callable[..., RunSpec], lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ALLOCATION.items():
        monkeypatch.setenv(name, value)
    one = make(
        "seed=1",
        "cluster.sbatch={gres: gpu:h100:1, mem-per-cpu: 200M}",
        "cluster.cpus_per_gpu=2",
        "cluster.check_memory=false",
        step_seconds=2,
    )
    check(one, family="tiny")
    results = tmp_path / "50%j of %x"  # patterns of SLURM's in the name of a log
    submit([one], results)
    assert all_are(results, State.running, 60)
    (element,) = live(results).values()
    job = lab.ask("scontrol", "show", "job", str(element.job))
    for words in ("TresPerNode=gres:gpu:h100:1", "MinMemoryCPU=200M", "CPUs/Task=2", "TimeLimit=01:00:00"):
        assert words in job
    assert all_are(results, State.done, 60)
    (attempt,) = RunDir(results_dir=results, run_id=one.run_id).attempts()
    assert [path.name for path in (results / "slurm" / "logs").iterdir()] != []
    ran = attempt.read("standin")
    assert ran is not None
    assert "CUDA_VISIBLE_DEVICES" in ran["variables"]  # of the GPU that gres asks for, in the step too
    assert set(ran["variables"]) & (ALLOCATION.keys() - {"SLURM_JOB_ID"}) == set()


def test_a_secrets_file_that_was_opened_to_others_meanwhile_fails_the_job(
    make: Callable[..., RunSpec], tmp_path: Path
) -> None:
    private = tmp_path / "private"
    private.write_text(f"WANDB_API_KEY={SECRET}\n")
    private.chmod(0o644)
    one = make("seed=1")
    spec = replace(one, cluster=replace(one.cluster, secrets_file=str(private)))
    submit([spec], tmp_path)
    log = tmp_path / "slurm" / "logs"
    assert wait_until(lambda: any("chmod 600" in path.read_text() for path in log.glob("*.out")), 60)
    assert not list(tmp_path.glob("rows/*.json"))
