"""Two runs on one node hand their weights to vLLM over sockets of their own."""

import json
import os
import subprocess
import sys
import tempfile

import pytest

from sweeper.verl_cpu.sockets import of_this_run

# What one run does between training and sampling, with verl's own classes. vLLM is not here: what verl imports of it
# stands empty. Both runs bind before either receives.
_RUN = """
import asyncio, json, os, sys, threading, time, types
from pathlib import Path
from types import SimpleNamespace

import ray, torch, verl

class Empty(types.ModuleType):
    __path__ = []
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})

for name in ("vllm", "vllm.outputs", "verl.third_party.vllm", "verl.utils.vllm", "verl.utils.vllm.patch",
             "verl.utils.vllm.vllm_quant_utils"):
    sys.modules[name] = Empty(name)
package = "verl.workers.rollout.vllm_rollout"
sys.modules[package] = types.ModuleType(package)
sys.modules[package].__path__ = [str(Path(verl.__path__[0]) / "workers" / "rollout" / "vllm_rollout")]
from verl.workers.config import RolloutConfig
from verl.workers.rollout.vllm_rollout import bucketed_weight_transfer as transfer
from verl.workers.rollout.vllm_rollout.utils import vLLMColocateWorkerExtension
from verl.workers.rollout.vllm_rollout.vllm_rollout import ServerAdapter

number, meeting = int(sys.argv[1]), Path(sys.argv[2])
ray.init(address="local", num_cpus=1, include_dashboard=False, logging_level="ERROR")
job = ray.get_runtime_context().get_job_id()
os.environ |= {"RANK": "0", "RAY_LOCAL_WORLD_SIZE": "1", "VERL_RAY_JOB_ID": job, "VERL_REPLICA_RANK": "0"}
there = ServerAdapter(RolloutConfig(name="vllm", tensor_model_parallel_size=1), object(), None).zmq_handle
engine = SimpleNamespace(local_rank=0, model_runner=SimpleNamespace(vllm_config=None))
here = vLLMColocateWorkerExtension._get_zmq_handle(engine)
in_worker = ray.get(ray.remote(lambda: os.environ.get("RAY_TMPDIR")).remote())

def send():
    sender = transfer.BucketedWeightSender(there, bucket_size_mb=1, use_shm=True)
    asyncio.run(sender.async_send_weights(iter([("w", torch.full((3,), float(number)))])))

def receive():
    receiver = transfer.BucketedWeightReceiver(here, torch.device("cpu"), use_shm=True)
    receiver.receive_weights(lambda weights, last: got.extend(weights[0][1].tolist()))

got = []
sending = threading.Thread(target=send, daemon=True)
sending.start()
while not Path(there.removeprefix("ipc://")).exists():
    time.sleep(0.05)
(meeting / str(number)).touch()
while len(list(meeting.iterdir())) < 2:
    time.sleep(0.05)
receiving = threading.Thread(target=receive, daemon=True)
receiving.start()
receiving.join(20)
print(json.dumps({"job": job, "there": there, "here": here, "in_worker": in_worker, "got": got}), flush=True)
ray.shutdown()
os._exit(0)
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, object]]:
    """What two runs saw that were started at once, each with the folder that `sweeper.training.train` gives its Ray."""
    meeting = tmp_path_factory.mktemp("meeting")
    with tempfile.TemporaryDirectory(prefix="rl-") as one, tempfile.TemporaryDirectory(prefix="rl-") as other:
        children = []
        for number, scratch in enumerate((one, other)):
            command = [sys.executable, "-c", _RUN, str(number), str(meeting)]
            shell = {key: value for key, value in os.environ.items() if not key.startswith("RAY_")}
            child = subprocess.Popen(
                command, env=shell | {"RAY_TMPDIR": scratch}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
            children.append(child)
        said = [child.communicate(timeout=300) for child in children]
        found = [json.loads(out.strip().splitlines()[-1]) for out, _ in said]
        return [{**item, "scratch": scratch} for item, scratch in zip(found, (one, other), strict=True)]


def test_each_engine_gets_the_weights_of_its_own_run(runs: list[dict[str, object]]) -> None:
    assert [run["got"] for run in runs] == [[0.0] * 3, [1.0] * 3]


def test_both_ends_meet_in_the_runs_own_folder_though_rays_first_jobs_have_one_name(
    runs: list[dict[str, object]],
) -> None:
    assert {run["job"] for run in runs} == {"01000000"}
    for run in runs:
        assert run["there"] == run["here"]
        assert str(run["there"]).startswith(f"ipc://{run['scratch']}/")
        assert run["in_worker"] == run["scratch"]  # a worker of Ray's makes the same name


def test_a_socket_that_verl_makes_elsewhere_is_not_left_to_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_TMPDIR", "/tmp/rl-1")
    assert of_this_run("ipc:///tmp/a.sock") == "ipc:///tmp/rl-1/a.sock"
    with pytest.raises(RuntimeError, match=r"sockets\.py"):
        of_this_run("ipc:///run/a.sock")
    monkeypatch.delenv("RAY_TMPDIR")
    assert of_this_run("ipc:///tmp/a.sock") == "ipc:///tmp/a.sock"


def test_a_sockets_path_fits_wherever_rays_own_do() -> None:
    from sweeper.host.temporary import RAY_SOCKET

    assert len("rl-colocate-zmq-01000000-replica-1023-rank-1023.sock") <= len(RAY_SOCKET)
