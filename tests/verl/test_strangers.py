"""Another user of the machine cannot get into a run, nor run code as its owner: with a real Ray and TransferQueue."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pytest

from sweeper.training import queue_sockets, ray_token
from tests.verl.listening import KNOWN, strangers

pytestmark = [
    pytest.mark.verl,
    pytest.mark.skipif(os.getuid() != 0, reason="needs root: attacks as a second user"),
]

# What verl's driver and task runner do: start Ray, then TransferQueue; then two rounds of samples, before and after.
_RUN = """
import json, os, sys
from sweeper.training import queue_sockets
queue_sockets.protect()
import ray, torch
hook = {"worker_process_setup_hook": queue_sockets.HOOK} if sys.argv[1] == "closed" else {}
def begin():
    return ray.init(address="local", num_cpus=4, include_dashboard=False, logging_level="ERROR", runtime_env=hook)
try:
    started = begin()
except Exception:  # Ray waits 30 s for its node, too few on a busy machine
    started = begin()
import transfer_queue as tq
from omegaconf import OmegaConf
conf = tq.init(OmegaConf.create({"backend": {"SimpleStorage": {"num_data_storage_units": 1}}}))

def round_of(key):
    tq.kv_put(key=key, partition_id="train", fields={"ids": torch.arange(6)})
    return tq.kv_batch_get(keys=[key], partition_id="train")["ids"][0].tolist()

controller = conf.controller.zmq_info
[unit] = conf.backend.SimpleStorage.zmq_info.values()
sockets = [controller.to_addr("request_handle_socket"), controller.to_addr("handshake_socket")]
sockets.append(unit.to_addr("put_get_socket"))
from transfer_queue.utils.serial_utils import _PICKLE_FALLBACK_SENTINEL as sentinel
told = {"before": round_of("a"), "sockets": sockets, "gcs": started.address_info["gcs_address"]}
print("told", json.dumps(told | {"sentinel": sentinel.hex()}), flush=True)
sys.stdin.readline()
print("told", json.dumps({"after": round_of("b")}), flush=True)
tq.close()
ray.shutdown()
"""
# The uid of nobody is taken after the imports: the interpreter may lie where only root may enter.
_STRANGER = """
import json, os, pickle, sys, time, zmq, ray
from ray._raylet import GcsClient
os.setgroups([]); os.setgid(65534); os.setuid(65534)
told = json.loads(sys.argv[1])

class Payload:
    def __reduce__(self):
        return os.system, (f"id -u > {told['mark']}",)

message = [bytes.fromhex(told["sentinel"]), pickle.dumps(Payload())]
context, clients = zmq.Context(), []
for number, address in enumerate(told["sockets"]):
    for keys in (False, True):
        client = context.socket(zmq.DEALER)
        client.linger = 0
        client.identity = f"TQ_STORAGE_{number}_{keys}".encode()
        if keys:
            client.curve_serverkey = zmq.curve_keypair()[0]
            client.curve_publickey, client.curve_secretkey = zmq.curve_keypair()
        client.connect(address)
        client.send_multipart(message)
        clients.append(client)  # closed, it would take its message back
time.sleep(3)  # the control takes a hundredth of it
for token in ("", "0" * 64):
    if os.fork():  # Ray reads these once a process
        os.wait()
        continue
    os.environ.update(RAY_AUTH_MODE="token" if token else "disabled", RAY_AUTH_TOKEN=token)
    try:
        print("ray let in:", GcsClient(address=told["gcs"]).internal_kv_keys(b"", b"fun"))
    except Exception as error:
        print("ray refused:", type(error).__name__, str(error)[:200])
    sys.stdout.flush()
    os._exit(0)
"""


@dataclass
class Victim:
    """A run of root's that has sent its first samples."""

    process: "subprocess.Popen[str]"
    home: Path
    scratch: Path
    mark: Path
    told: dict[str, object] = field(default_factory=dict)

    def tell(self) -> dict[str, object]:
        """What it says next."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("told "):
                found: dict[str, object] = json.loads(line.removeprefix("told "))
                return found
        raise AssertionError(f"the run ended with {self.process.wait()}")

    def goes_on(self) -> object:
        """The samples of its second round."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.tell()["after"]


@contextmanager
def victim(closed: str, variables: dict[str, str]) -> Iterator[Victim]:
    with TemporaryDirectory(prefix="rl-") as home, TemporaryDirectory(prefix="rl-") as scratch:
        shared = Path(home) / "shared"
        shared.mkdir()
        env = {**os.environ, "HOME": home, "RAY_TMPDIR": scratch, "RAY_USAGE_STATS_ENABLED": "0", **variables}
        if queue_sockets.FOLDER in variables:
            env[queue_sockets.FOLDER] = scratch
        process = subprocess.Popen(
            [sys.executable, "-c", _RUN, closed], env=env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        try:
            found = Victim(process=process, home=Path(home), scratch=Path(scratch), mark=shared / "mark")
            found.told = found.tell()
            yield found
            assert process.wait(timeout=60) == 0
        finally:
            process.kill()
            process.wait()


def attack(run: Victim) -> list[str]:
    """What a stranger's attack on all sockets that it was told of says."""
    told = json.dumps({**run.told, "mark": str(run.mark)})
    env = {key: value for key, value in os.environ.items() if not key.startswith("RAY_")} | {"HOME": "/nonexistent"}
    done = subprocess.run([sys.executable, "-c", _STRANGER, told], env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return [line for line in done.stdout.splitlines() if line.startswith("ray ")]


def places_of(values: Iterable[str], run: Victim) -> list[str]:
    """The files of a run's Ray and the commands of this machine in which one of these values stands."""
    commands = {str(path): path for path in Path("/proc").glob("[0-9]*/cmdline")}
    files = {str(path): path for path in run.scratch.rglob("*") if path.is_file()}
    assert len(files) > 5
    found = []
    for name, path in (commands | files).items():
        try:
            content = path.read_bytes()
        except OSError:  # of a process that has ended
            continue
        found += [name for value in values if value.encode() in content]
    return found


@pytest.mark.parametrize(
    ("place", "scheme"),
    [({queue_sockets.FOLDER: ""}, "ipc://"), (queue_sockets.new_secret(), "tcp://")],
    ids=["one node", "several nodes"],
)
def test_a_stranger_runs_nothing_and_the_run_goes_on(place: dict[str, str], scheme: str) -> None:
    token = ray_token.new()
    with victim("closed", place | token) as run:
        sockets = run.told["sockets"]
        assert isinstance(sockets, list)
        assert all(address.startswith(scheme) for address in sockets)
        if scheme == "ipc://":
            assert strangers(psutil.Process(run.process.pid).children(recursive=True)) == []
        answers = attack(run)
        assert not run.mark.exists()
        assert len(answers) == 2
        assert all(answer.startswith("ray refused: ") and "uth" in answer for answer in answers), answers
        assert run.told["before"] == run.goes_on() == [0, 1, 2, 3, 4, 5]
        assert not (run.home / ".ray").exists()  # no token in a file
        secrets = [token["RAY_AUTH_TOKEN"], *(value for value in place.values() if value)]
        assert places_of(secrets, run) == []


@pytest.mark.nightly
def test_without_protection_the_same_stranger_runs_code_as_the_owner() -> None:
    with victim("open", {}) as run:
        assert len(strangers(psutil.Process(run.process.pid).children(recursive=True))) == 3  # TransferQueue's
        attack(run)
        assert run.mark.read_text().strip() == "0"
        assert (run.home / ".ray" / "auth_token").exists()
        run.goes_on()


def test_the_page_on_security_has_a_row_for_each_known_socket() -> None:
    rows = [line for line in Path("docs/security.md").read_text().splitlines() if line.startswith("| ")]
    assert [name for name in KNOWN if not any(name in row for row in rows)] == []
