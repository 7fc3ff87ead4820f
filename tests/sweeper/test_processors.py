"""The processors of a node: what verl sets aside, what Ray is told of, what a job asks for."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from rewards.sandbox.cores import FOLDER_VARIABLE
from sweeper.host.errors import ConfigError
from sweeper.host.machine import Device
from sweeper.host.process import Children
from sweeper.job.run import begin
from sweeper.launch.slurm.shape import shape_of
from sweeper.oversight import room
from sweeper.oversight.check import Verdict
from sweeper.plan.refusals import check
from sweeper.rows.row import read_row, row_path
from sweeper.runs.folder import RunDir
from sweeper.spec.model import Resources
from sweeper.training import processors, ray_nodes
from sweeper.training import train as training
from sweeper.training.ray_nodes import share_of_node
from tests.sweeper.points import spec

GPU = ("model_family=qwen2.5", "cluster=slurm")


def cores(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(count)))


def test_what_is_counted_is_what_verl_and_its_queue_set_aside() -> None:
    import verl
    from omegaconf import OmegaConf
    from transfer_queue.controller import TransferQueueController
    from transfer_queue.storage.simple_storage import SimpleStorageUnit
    from verl.single_controller.ray.base import ResourcePoolManager

    assert ResourcePoolManager.__dataclass_fields__["max_colocate_count"].default == processors.BESIDE_A_GPU
    queue = OmegaConf.load(Path(verl.__path__[0]) / "trainer" / "config" / "transfer_queue" / "transfer_queue.yaml")
    assert queue.backend.SimpleStorage.num_data_storage_units == processors.STORAGE_UNITS[Device.cuda]
    for actor in (SimpleStorageUnit, TransferQueueController):
        assert actor._default_options["num_cpus"] == processors.CONTROLLER == 1


@pytest.mark.parametrize(("nodes", "gpus", "cpus"), [(1, 8, 34), (1, 4, 22), (1, 1, 13), (2, 8, 30), (16, 8, 27)])
def test_verl_sets_aside(nodes: int, gpus: int, cpus: int) -> None:
    assert processors.set_aside(Resources(nodes=nodes, gpus_per_node=gpus), Device.cuda) == cpus


@pytest.mark.parametrize(("has", "told"), [(1, 34), (33, 34), (64, 64)])
def test_ray_never_counts_fewer_than_verl_sets_aside(has: int, told: int, monkeypatch: pytest.MonkeyPatch) -> None:
    cores(monkeypatch, has)
    assert share_of_node(Resources(gpus_per_node=8), Device.cuda).cpus == told
    assert share_of_node(Resources(gpus_per_node=1), Device.cpu).cpus == 6  # logical, whatever the machine has


@pytest.mark.parametrize(("has", "gpus", "device", "left"), [(64, 8, "cuda", 48), (8, 8, "cuda", 1), (4, 1, "cpu", 3)])
def test_programs_of_a_training_share_the_cores_that_generation_leaves(
    has: int, gpus: int, device: str, left: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = spec("cluster=slurm", f"cluster.device={device}", f"model.resources.gpus_per_node={gpus}")
    run_dir = RunDir(results_dir=tmp_path, run_id=run.run_id)
    run_dir.freeze(run)
    found = []

    def look(self: Children, command: Sequence[str], env: Mapping[str, str], cwd: Path | None) -> float:
        folder = Path(env[FOLDER_VARIABLE])  # of each process that scores: they inherit it
        found.append((folder, len(list(folder.iterdir()))))
        return 0.0

    cores(monkeypatch, has)
    monkeypatch.setattr(Children, "run", look)
    monkeypatch.setattr(training, "fork_server", lambda *_, **__: nullcontext())
    job = begin(run_dir, run, run_dir.new_attempt())
    training.train(job, model=tmp_path, train_file=tmp_path, val_file=tmp_path)
    [(folder, n)] = found
    assert n == left
    assert not folder.exists()  # with the attempt


def test_on_another_node_of_a_run_they_share_that_nodes_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    node = ray_nodes.Node(rank=1, count=2, job="7-0")
    told = {"address": "192.0.2.1:1", "variables": {FOLDER_VARIABLE: "/of-the-first-node"}}
    node.meeting(tmp_path).write_text(json.dumps(told))

    def look(*_: object, env: Mapping[str, str], **__: object) -> None:
        raise RuntimeError(len(list(Path(env[FOLDER_VARIABLE]).iterdir())))

    cores(monkeypatch, 64)
    monkeypatch.setattr(ray_nodes, "start_child", look)
    share = share_of_node(Resources(nodes=2, gpus_per_node=8), Device.cuda)
    with pytest.raises(RuntimeError, match="48"):
        ray_nodes.serve(node, tmp_path, share, between=lambda: None, log=tmp_path / "log")


_PLACES = """
import sys, ray
ray.init(address="local", num_cpus=int(sys.argv[1]), num_gpus=1, include_dashboard=False, logging_level="ERROR")
from ray.util.placement_group import placement_group
held = [placement_group([{"CPU": 1}] * 9)]  # eight units of storage and their controller
from verl.single_controller.ray.base import RayResourcePool, ResourcePoolManager
bundle = ResourcePoolManager.__dataclass_fields__["max_colocate_count"].default
held.append(placement_group([{"CPU": bundle, "GPU": 1}]))
ray.get([group.ready() for group in held])
done, _ = ray.wait([ray.remote(lambda: 1).remote()], timeout=float(sys.argv[2]))
print("waits for", "nothing" if done else "a free CPU")
"""


@pytest.mark.nightly
def test_with_what_verl_sets_aside_all_is_placed_and_with_one_less_it_waits() -> None:
    enough = processors.set_aside(Resources(gpus_per_node=1), Device.cuda)
    for cpus, seconds, said in ((enough, 60, "waits for nothing"), (enough - 1, 8, "waits for a free CPU")):
        command = [sys.executable, "-c", _PLACES, str(cpus), str(seconds)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        assert done.stdout.strip().splitlines()[-1:] == [said], done.stderr[-2000:]


def test_fewer_cores_than_the_gpus_keep_busy_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    eight = Resources(gpus_per_node=8)
    cores(monkeypatch, 24)
    processors.refuse_few(eight, Device.cuda)
    cores(monkeypatch, 1)
    processors.refuse_few(eight, Device.cpu)  # processes share cores there
    with pytest.raises(ConfigError, match=r"1 CPUs for 8 GPUs on this node, and verl needs 24.*cluster\.cpus_per_gpu"):
        processors.refuse_few(eight, Device.cuda)


def test_a_job_with_one_cpu_for_its_gpus_ends_at_once_and_says_why(tmp_path: Path) -> None:
    run = spec(*GPU, "cluster.device=cuda")
    RunDir(results_dir=tmp_path, run_id=run.run_id).freeze(run)
    (tmp_path / "nvidia-smi").write_text("#!/bin/sh\necho NVIDIA H100\n")
    (tmp_path / "nvidia-smi").chmod(0o755)
    one = ["taskset", "--cpu-list", str(min(os.sched_getaffinity(0)))]
    command = [*one, sys.executable, "-m", "sweeper.job.run", str(tmp_path), run.run_id]
    shell = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    assert subprocess.run(command, env=shell, timeout=120).returncode == 1
    failure = read_row(row_path(tmp_path, run.run_id)).failure
    assert failure is not None
    assert "1 CPUs for 4 GPUs on this node, and verl needs 12" in failure.reason


def test_jobs_on_gpus_ask_for_cores_and_memory_and_jobs_on_cpus_for_less() -> None:
    shape = shape_of(spec(*GPU, "model=qwen2.5-7b"))
    assert (shape.gpus_per_node, shape.cpus_per_node, shape.memory_gb) == (8, 64, 800)
    shape = shape_of(spec("cluster=slurm_cpu"))
    assert (shape.gpus_per_node, shape.cpus_per_node, shape.memory_gb) == (0, 2, 8)


def test_no_profile_asks_for_fewer_cores_than_the_doctor_wants() -> None:
    for model in ("qwen2.5-0.5b", "qwen2.5-72b"):
        assert room.asked_for(spec(*GPU, f"model={model}")).verdict is Verdict.ok


def test_settings_that_ask_for_too_few_cores_are_wrong_and_those_that_ask_for_none_unknown() -> None:
    few = room.asked_for(spec(*GPU, "model=qwen2.5-7b", "cluster.cpus_per_gpu=2"))
    assert few.verdict is Verdict.wrong
    assert few.found == "16 for 8 GPUs, and 32 are needed, 4 a GPU where programs are tested"
    assert few.cure == "set cluster.cpus_per_gpu=4 or more (8 is usual)"
    silent = room.asked_for(spec(*GPU, "cluster.cpus_per_gpu=null"))
    assert silent.verdict is Verdict.unknown
    assert "cluster.cpus_per_gpu=8" in str(silent.cure)
    other = room.asked_for(spec(*GPU, "cluster.sbatch={cpus-per-gpu: 2}"))
    assert other.verdict is Verdict.wrong
    assert other.found.startswith("8 for 4 GPUs, and 16 are needed")


def test_three_cores_a_gpu_do_where_no_program_is_tested() -> None:
    run = spec(*GPU, "model=qwen2.5-7b", "cluster.cpus_per_gpu=3", "domain_mix=math", "eval.domains=[math]")
    assert room.asked_for(run).verdict is Verdict.ok
    programs = replace(run, eval=replace(run.eval, domains=("math", "code")))
    assert room.asked_for(programs).verdict is Verdict.wrong


@pytest.mark.parametrize("profile", ["slurm", "slurm_modules"])
def test_a_job_that_would_end_for_want_of_cores_is_not_planned(profile: str) -> None:
    asks = ("model_family=qwen2.5", f"cluster={profile}")
    check(spec(*asks, "cluster.cpus_per_gpu=3"), family="qwen2.5")
    with pytest.raises(ConfigError, match=r"cluster\.cpus_per_gpu=2 is fewer than the 3 that verl .* set 8"):
        check(spec(*asks, "cluster.cpus_per_gpu=2"), family="qwen2.5")


@pytest.mark.parametrize(
    "said", ["cluster.cpus_per_gpu=null", "cluster.sbatch={cpus-per-gpu: 6}", "cluster.device=cpu"], ids=str
)
def test_cores_that_are_not_asked_for_by_us_or_not_needed_are_not_judged(said: str) -> None:
    fewer = () if said.startswith("cluster.cpus_per_gpu") else ("cluster.cpus_per_gpu=2",)
    check(spec("model_family=qwen2.5", "cluster=slurm", *fewer, said), family="qwen2.5")
