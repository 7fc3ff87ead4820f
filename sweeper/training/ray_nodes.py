"""Ray across the nodes of one SLURM job: a head on the first node, a worker on each of the others.

Every node runs the same command (one task a node). The first works through the run's phases; when verl is to train it
starts a Ray head and waits until the others have joined. They hold a Ray worker as long as there is a head, do what
the first calls for when there is none (`job.answering`), and leave when the first is done, or with an error when their
worker dies, which ends the job (`srun --kill-on-bad-exit`).

Ports, secrets and temporary folder are the job's own, and nothing here ever calls `ray stop`: jobs that share a node
do not touch each other's Ray. `ray start` names ports of its own unless told otherwise (10001, 10002 to 19999 for
workers, 52365), on which two runs of a node would meet.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rewards.bounded_file import read_json
from rewards.sandbox import cores
from sweeper.host.call import Call
from sweeper.host.environment import caches
from sweeper.host.errors import RunFailedError
from sweeper.host.files import write_atomic
from sweeper.host.machine import Device, free_ports
from sweeper.host.process import kill_descendants, start_child
from sweeper.spec.model import Resources
from sweeper.training import processors, queue_sockets

# A node that booted slowly may come late; one that has not come by then has a fault.
JOIN_SECONDS = 300.0
LATE_SECONDS = 30.0
AGAIN_SECONDS = 5.0
# Of `ray start`: whoever listens takes a port of the kernel's choice and tells the head, as its other ports are chosen
# unasked.
_PORTS = ("--min-worker-port=0", "--max-worker-port=0", "--dashboard-agent-listen-port=0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """This process's place among the nodes of its job; `job` differs between jobs and their restarts."""

    rank: int
    count: int
    job: str

    @classmethod
    def here(cls) -> "Node":
        """As SLURM's variables say; the only node outside a job step."""
        environment = os.environ
        restarts = environment.get("SLURM_RESTART_COUNT", "0")
        return cls(
            rank=int(environment.get("SLURM_PROCID", "0")),
            count=int(environment.get("SLURM_STEP_NUM_NODES", "1")),
            job=f"{environment.get('SLURM_JOB_ID', 'local')}-{restarts}",
        )

    def meeting(self, folder: Path) -> Path:
        """The file that says where the head is."""
        return folder / f"ray-{self.job}.json"

    def end(self, folder: Path) -> Path:
        """The file that says that the first node is done."""
        return folder / f"ray-{self.job}.done"

    def call(self, folder: Path) -> Call:
        """By which the first node has the others work beside it when there is no Ray."""
        return Call(path=folder / f"call-{self.job}.json", nodes=self.count)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one node gives to Ray; GPUs are logical where there are none. `programs` of models may run on it at once."""

    cpus: int
    gpus: int
    programs: int = 1


def share_of_node(resources: Resources, device: Device) -> Share:
    """What each node of a run gives to Ray: a GPU for each training process, logical ones where there are none."""
    gpus = resources.gpus_per_node
    programs = processors.left_for_programs(gpus, device)
    return Share(cpus=processors.counted(resources, device), gpus=gpus, programs=programs)


@contextmanager
def cluster(
    node: Node, folder: Path, share: Share, *, variables: Mapping[str, str], scratch: Path, log: Path
) -> Iterator[dict[str, str]]:
    """A Ray cluster over all nodes of the job, for the time of the block; called on the first node.

    Args:
        node: This one, of rank 0.
        folder: Shared by all nodes; the run's.
        share: Of this node.
        variables: Set for Ray's workers on every node: they inherit from Ray, not from the process that uses it. Among
            them the run's token (`ray_token`).
        scratch: For Ray's files on this node; a path with room for its sockets (`host.temporary`).
        log: Gets Ray's output.

    Yields:
        Variables with which a process on this node uses the cluster.

    Raises:
        RunFailedError: the head did not start, or nodes did not join in `JOIN_SECONDS`.
    """
    (port, client), host = free_ports(2), _reachable_address()
    address, variables = f"{host}:{port}", {**variables, **queue_sockets.new_secret()}
    env = {**variables, "RAY_TMPDIR": str(scratch)}
    head = _start(_as_head(host, port, client), share, env, log)
    meeting = node.meeting(folder)
    try:
        told = {"address": address, "variables": variables}
        write_atomic(meeting, json.dumps(told), is_private=True)
        joined = env | {"RAY_ADDRESS": address}
        _wait_for(node.count, head, joined)
        yield joined
    finally:
        meeting.unlink(missing_ok=True)
        _stop(head)


def serve(node: Node, folder: Path, share: Share, *, between: Callable[[], None], log: Path) -> int:
    """Be one of the other nodes until the first is done; returns the exit code.

    `between` is called about twice a second while there is no Ray.
    """
    scratch = Path(tempfile.mkdtemp(prefix="rl-"))
    try:
        while True:
            if node.end(folder).exists():
                return 0
            if not node.meeting(folder).exists():
                between()
                time.sleep(0.5)
                continue
            code = _serve_once(node, folder, share, scratch, log)
            if code:
                return code
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _serve_once(node: Node, folder: Path, share: Share, scratch: Path, log: Path) -> int:
    try:
        found = read_json(node.meeting(folder))
    except (OSError, ValueError):  # not written yet, or taken away this moment
        time.sleep(0.5)
        return 0
    own = caches(scratch) | cores.share(scratch / "cores", share.programs)
    env = {**found["variables"], "RAY_TMPDIR": str(scratch), **own}
    where = [f"--address={found['address']}"]
    worker, began = _start(where, share, env, log), time.monotonic()
    try:
        ended: float | None = None
        while node.meeting(folder).exists():
            if worker.poll() is not None:
                now = time.monotonic()
                ended = ended or now
                said = f"node {node.rank}: its Ray worker ended ({worker.returncode}); see {log}"
                if now - began < JOIN_SECONDS and now - ended > AGAIN_SECONDS:
                    # A head on a busy node answers before it knows itself, and turns away whoever comes then.
                    print(f"{said}; starting it again", flush=True)
                    worker, ended = _start(where, share, env, log), None
                # The head may have been stopped, and the file that says so be late on a shared file system.
                elif now - ended > LATE_SECONDS:
                    print(said, flush=True)
                    return 1
            time.sleep(0.5)
        return 0
    finally:
        _stop(worker)
        kill_descendants()


def _as_head(host: str, port: int, client: int) -> list[str]:
    """Where a head listens: the others are told `port`, and `client` is for Ray's client, which nobody here uses."""
    ports = [f"--port={port}", f"--ray-client-server-port={client}"]
    return ["--head", f"--node-ip-address={host}", *ports, "--include-dashboard=false"]


def _start(where: Sequence[str], share: Share, env: Mapping[str, str], log: Path) -> "subprocess.Popen[bytes]":
    return start_child([sys.executable, "-m", "ray.scripts.scripts", *_command(where, share)], log=log, env=env)


def _command(where: Sequence[str], share: Share) -> list[str]:
    """Of Ray's own program."""
    amounts = [f"--num-cpus={share.cpus}", f"--num-gpus={share.gpus}"]
    return ["start", *where, *_PORTS, *amounts, "--block", "--disable-usage-stats"]


def _wait_for(count: int, head: "subprocess.Popen[bytes]", env: Mapping[str, str]) -> None:
    ask = (
        "import ray; ray.init(logging_level='ERROR', log_to_driver=False); print(sum(n['Alive'] for n in ray.nodes()))"
    )
    deadline, last = time.monotonic() + JOIN_SECONDS, "nothing"
    while time.monotonic() < deadline:
        if head.poll() is not None:
            raise RunFailedError(f"Ray's head ended with code {head.returncode} before the other nodes joined")
        done = subprocess.run([sys.executable, "-c", ask], env={**os.environ, **env}, capture_output=True, text=True)
        last = (done.stdout or done.stderr or "nothing").strip().splitlines()[-1]
        if done.returncode == 0 and int(last) >= count:
            return
        time.sleep(1.0)
    raise RunFailedError(
        f"of {count} nodes (model.resources.nodes) not all joined Ray in {JOIN_SECONDS:.0f} s; last answer: {last}"
    )


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _reachable_address() -> str:
    """This node's address as other nodes see it: of its SLURM name, else of the way out of the machine."""
    name = os.environ.get("SLURMD_NODENAME", socket.gethostname())
    try:
        address = socket.gethostbyname(name)
    except OSError:
        address = "127.0.0.1"
    if not address.startswith("127."):
        return address
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # TEST-NET-1, RFC 5737: nothing is sent
            found: str = probe.getsockname()[0]
            return found
        except OSError:
            return address
