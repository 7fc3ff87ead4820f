"""What of the shell that starts or submits runs reaches them."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from sweeper.host import environment
from sweeper.launch.slurm import scheduler
from sweeper.launch.slurm.export import Script, commands
from sweeper.runs.folder import RunDir
from tests.sweeper.points import spec

STANDIN = Path(__file__).parents[1] / "slurm" / "standin"
# Of a shell inside an allocation, with settings of other programs' and of a user's.
INHERITED = {
    "SLURM_JOB_ID": "77",
    "SLURM_PROCID": "1",
    "SLURM_STEP_NUM_NODES": "4",
    "SLURM_CPU_BIND": "quiet,mask_cpu:0x3",
    "SLURM_MEM_PER_NODE": "4096",
    "SLURMD_NODENAME": "n7",
    "SBATCH_TIMELIMIT": "1",
    "SBATCH_ACCOUNT": "other",
    "SQUEUE_FORMAT": "%i",
    "SACCT_FORMAT": "jobid",
    "PMI_RANK": "1",
    "RAY_ADDRESS": "10.0.0.1:6379",
    "RAY_memory_monitor_refresh_ms": "0",
    "OMP_NUM_THREADS": "96",
    "MKL_NUM_THREADS": "96",
    "HYDRA_FULL_ERROR": "0",
    "VLLM_ATTENTION_BACKEND": "TORCH_SDPA",
    "VERL_FILE_LOGGER_ROOT": "/elsewhere",
    "WANDB_RUN_ID": "another",
    "WANDB_RUN_GROUP": "another",
    "MLFLOW_RUN_ID": "another",
    "TENSORBOARD_DIR": "/elsewhere",
    "ROCR_VISIBLE_DEVICES": "3",
    "HIP_VISIBLE_DEVICES": "3",
    "RANK": "1",
    "MASTER_ADDR": "n9",
    "PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True",
}
WANTED = {
    "WANDB_API_KEY": "0123456789",
    "WANDB_MODE": "offline",
    "WANDB_BASE_URL": "https://wandb.site",
    "MLFLOW_TRACKING_URI": "https://mlflow.site",
    "HF_HOME": "/hf",
    "https_proxy": "http://proxy:3128",
    "LD_LIBRARY_PATH": "/opt/lib",
    "MODULEPATH": "/opt/modules",
    "CUDA_VISIBLE_DEVICES": "3",
    "NCCL_SOCKET_IFNAME": "ib0",
    "SLURM_CONF": "/etc/slurm/slurm.conf",
}


class Launched(NamedTuple):
    """A run's job started by the program in a shell that allows 256 open files; its phases are a stand-in's."""

    variables: set[str]  # of the job
    said: str  # by the program
    open_files: tuple[int, int]  # that the job may have: soft and hard


def launched(results: Path, *overrides: str, **variables: str) -> Launched:
    points = ("model=tiny-40k", "training.total_steps=1", *overrides)
    command = ["bash", "-c", 'ulimit -Sn 256; exec "$@"', "bash", sys.executable, "-m", "sweeper", *points]
    shell = os.environ | {"PYTHONPATH": str(STANDIN), "STANDIN_STEP_SECONDS": "0"} | variables
    done = subprocess.run([*command, f"results_dir={results}"], env=shell, capture_output=True, text=True, timeout=300)
    (run,) = (results / "runs").iterdir()
    (attempt,) = RunDir(results_dir=results, run_id=spec(*points).run_id).attempts()
    ran = attempt.read("standin")
    assert run.name == spec(*points).run_id
    assert ran is not None, done.stdout + done.stderr
    soft, hard = ran["open_files"]
    return Launched(set(ran["variables"]), done.stdout, (soft, hard))


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Launched:
    """One whose cluster names a variable and a file of secrets."""
    private = tmp_path_factory.mktemp("one") / "private"
    private.write_text("MY_SERVICE_KEY=0123456789\n")
    private.chmod(0o600)
    settings = ("cluster.environment=[OMP_NUM_THREADS]", f"cluster.secrets_file={private}")
    return launched(private.with_name("results"), *settings, OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")


def test_a_run_on_this_machine_gets_nothing_of_an_allocation_or_of_other_programs_settings(tmp_path: Path) -> None:
    found, said, _ = launched(tmp_path, **INHERITED, **WANTED)
    assert found & set(INHERITED) == set()  # had it been a rank, it would have waited for the first
    assert set(WANTED) - found == {"SLURM_CONF"} - found
    (line,) = [line for line in said.splitlines() if line.startswith("not passed from this shell to jobs")]
    for word in ("SLURM_* (5)", "RAY_ADDRESS", "OMP_NUM_THREADS", "WANDB_RUN_ID", "cluster.environment=[NAME]"):
        assert word in line
    for word in ("WANDB_MODE", "HF_HOME", "LD_LIBRARY_PATH"):
        assert word not in line


def test_a_run_on_this_machine_gets_what_its_cluster_names(one: Launched) -> None:
    assert "OMP_NUM_THREADS" in one.variables
    assert "MKL_NUM_THREADS" not in one.variables
    (line,) = [line for line in one.said.splitlines() if line.startswith("not passed from this shell to jobs")]
    assert "MKL_NUM_THREADS" in line
    assert "OMP_NUM_THREADS" not in line


def test_a_run_on_this_machine_reads_its_file_of_secrets(one: Launched) -> None:
    assert "MY_SERVICE_KEY" in one.variables


def test_a_run_may_have_as_many_open_files_as_anybody(one: Launched) -> None:
    soft, hard = one.open_files
    assert soft == hard > 256


@pytest.mark.parametrize("command", ["sbatch", "squeue", "sacct", "scancel", "scontrol", "sinfo"])
def test_no_variable_is_an_option_of_slurms_commands(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / command).write_text("#!/bin/sh\nenv\n")
    (tmp_path / command).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    for name, value in (INHERITED | WANTED).items():
        monkeypatch.setenv(name, value)
    found = {line.partition("=")[0] for line in scheduler.ask([command]).splitlines()}
    assert {name for name in found if name.startswith(("SLURM", "SBATCH", "SQUEUE", "SACCT", "PMI"))} == {"SLURM_CONF"}
    assert {"PATH", "HF_HOME"} <= found


def test_a_job_on_slurm_gets_what_is_named_and_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    named = spec("cluster=slurm").cluster.environment
    shell = INHERITED | WANTED
    found = environment.exported(shell, named)
    assert set(found) & set(INHERITED) == set()
    assert {"HF_HOME", "https_proxy", "WANDB_MODE", "MLFLOW_TRACKING_URI"} <= set(found)
    assert "WANDB_API_KEY" not in found  # a secret: cluster.secrets_file
    assert "https_proxy" not in environment.exported(shell | {"https_proxy": "http://me:hunter2@proxy:3128"}, named)


@pytest.mark.parametrize(
    ("shell", "said"),
    [
        ({"PATH": "/bin", "HOME": "/home/me", "TERM": "xterm"}, None),
        ({"HF_HOME": "/hf", "SLURM_CONF": "/etc/slurm.conf"}, None),
        ({"SBATCH_ACCOUNT": "other"}, "SBATCH_* (1)"),
        ({"PYTHONPATH": "/mine"}, "PYTHONPATH"),
        ({"LD_LIBRARY_PATH": "/opt"}, "cluster.setup"),
        ({"HF_TOKEN": "hf_0123456789"}, "cluster.secrets_file"),
        ({"CUDA_VISIBLE_DEVICES": "0"}, "CUDA_VISIBLE_DEVICES"),
        ({"https_proxy": "http://me:hunter2@proxy"}, "https_proxy"),
    ],
)
def test_what_stays_behind_on_the_way_to_slurm_is_said_by_name_and_without_its_value(
    shell: Mapping[str, str], said: str | None
) -> None:
    found = environment.left_behind(shell, spec("cluster=slurm").cluster.environment, on_slurm=True)
    if said is None:
        assert found is None
    else:
        assert said in str(found)
        assert not any(value in str(found) for value in shell.values() if len(value) > 1)


def test_scripts_that_are_submitted_by_hand_from_an_allocation_are_told_to_drop_its_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = Script(tmp_path / "sweep-1.sh", ())
    assert commands([script]) == [f"sbatch {script.path}"]
    for name in ("SLURM_CPU_BIND", "SBATCH_TIMELIMIT", "SLURM_CONF"):
        monkeypatch.setenv(name, "1")
    assert commands([script]) == ["unset SBATCH_TIMELIMIT SLURM_CPU_BIND", f"sbatch {script.path}"]


def test_gpus_have_one_name_in_a_job() -> None:
    for variables, left in (
        (
            {"CUDA_VISIBLE_DEVICES": "0", "ROCR_VISIBLE_DEVICES": "0", "HIP_VISIBLE_DEVICES": "0"},
            "CUDA_VISIBLE_DEVICES",
        ),
        ({"ROCR_VISIBLE_DEVICES": "0"}, "ROCR_VISIBLE_DEVICES"),
    ):
        environment.name_gpus_once(variables)
        assert set(variables) == {left}


@pytest.mark.parametrize("name", ["PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_ALLOC_CONF"])
def test_a_job_has_no_allocator_that_a_sleeping_vllm_cannot_be_freed_with(name: str) -> None:
    variables = {name: "expandable_segments:True,max_split_size_mb:128"}
    environment.settle(variables)
    assert variables == {name: "max_split_size_mb:128"}
    variables = {name: "expandable_segments:True", "RAY_ADDRESS": "10.0.0.1:6379", "ROCR_VISIBLE_DEVICES": "0"}
    environment.settle(variables | {"CUDA_VISIBLE_DEVICES": "0"})
    environment.settle(variables)
    assert variables == {"ROCR_VISIBLE_DEVICES": "0"}


def test_what_a_setup_loaded_on_the_node_does_not_reach_a_runs_programs(tmp_path: Path) -> None:
    run = spec("model=tiny-40k", "training.total_steps=1")
    run_dir = RunDir(results_dir=tmp_path, run_id=run.run_id)
    run_dir.freeze(run)
    loaded = {
        "CUDA_VISIBLE_DEVICES": "",
        "ROCR_VISIBLE_DEVICES": "0",
        "RAY_ADDRESS": "10.0.0.1:6379",
        "PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True",
    }
    shell = os.environ | {"PYTHONPATH": str(STANDIN), "STANDIN_STEP_SECONDS": "0"} | loaded
    command = [sys.executable, "-m", "sweeper.job.run", str(tmp_path), run.run_id]
    subprocess.run(command, env=shell, check=True, timeout=300)
    (attempt,) = run_dir.attempts()
    ran = attempt.read("standin")
    assert ran is not None
    assert set(ran["variables"]) & set(loaded) == {"CUDA_VISIBLE_DEVICES"}


def test_what_is_compiled_lies_in_a_folder_of_the_run(tmp_path: Path) -> None:
    found = environment.caches(tmp_path)
    named = {"VLLM_CACHE_ROOT", "TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR", "FLASHINFER_WORKSPACE_BASE"}
    assert named <= set(found)
    assert all(Path(value).parent == tmp_path for value in found.values())
    assert len(set(found.values())) == len(found)
