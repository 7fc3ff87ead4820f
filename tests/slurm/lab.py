"""What tests do to the cluster."""

import getpass
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil

from sweeper.launch.slurm import scheduler
from sweeper.launch.slurm.ledger import live
from sweeper.oversight.status import run_statuses
from sweeper.runs.state import State
from sweeper.spec.run import RunSpec
from sweeper.spec.run_id import RunId
from tests.waiting import wait_until

# A job takes what the partition gives it, one CPU and 500 MB: the profile's numbers are of nodes with GPUs.
SMALL = ("cluster.cpus_per_gpu=null", "cluster.memory_gb_per_gpu=null")
# Submits every frozen run of a results folder, as a process of its own that can be killed.
SUBMIT = (
    "import sys; from pathlib import Path; from sweeper.spec.run import RunSpec;"
    "from sweeper.launch.slurm.submit import submit;"
    "root = Path(sys.argv[1]); specs = [RunSpec.read(p) for p in sorted(root.glob('runs/*/spec.json'))];"
    "print('go', flush=True); submit(specs, root)"
)


class Lab:
    """The running cluster."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._hurried = 0.0

    def ask(self, *command: str) -> str:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def empty(self) -> None:
        """Cancel everything, wait until it is gone, and take every node back into service."""
        subprocess.run(["scancel", "--user", getpass.getuser()], check=False)
        assert wait_until(lambda: not self.ask("squeue", "-h").strip(), 90)
        subprocess.run(["scontrol", "update", "NodeName=n[1-4]", "State=RESUME"], check=False, capture_output=True)

    def hurry(self) -> None:
        """Let requeued jobs start soon: SLURM holds them for half a minute here.

        Not at once: a slurmd turns away a job that starts within the second in which it was requeued, as one whose
        credential is revoked, and SLURM then ends it.
        """
        if time.monotonic() < self._hurried + 6:  # told more often, it never comes to starting them
            return
        self._hurried = time.monotonic()
        for element in scheduler.queue():
            if element.state == "PENDING" and element.reason == "BeginTime":
                name = f"JobId={element.id}"
                subprocess.run(["scontrol", "update", name, "StartTime=now+3"], check=False, capture_output=True)

    def pid(self, daemon: str) -> int:
        return int((self.folder / "run" / f"{daemon}.pid").read_text())

    def processes(self) -> Iterator[psutil.Process]:
        """Those of this cluster's daemons and jobs that live; other clusters' jobs have the same numbers.

        A slurmstepd overwrites its environment with its title, but stays in the folder of the logs.
        """
        conf, log = str(self.folder / "etc" / "slurm.conf"), str(self.folder / "log")
        for process in psutil.process_iter():
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                mine = process.environ().get("SLURM_CONF") == conf or process.cwd() == log
                if mine and process.status() != psutil.STATUS_ZOMBIE:
                    yield process

    def kill_daemon(self, node: str) -> None:
        """Kill a node's slurmd; its jobs run on."""
        os.kill(self.pid(f"slurmd-{node}"), signal.SIGKILL)

    def start_daemon(self, node: str) -> None:
        subprocess.run(["slurmd", "-N", node, "-f", self.folder / "etc" / "slurm.conf"], check=True)

    def kill_node(self, node: str) -> None:
        """Pull the plug of a node: its slurmd and all of its jobs' processes are gone at once, and SLURM notices."""
        jobs = self.ask("squeue", "-h", "-w", node, "-o", "%A").split()
        self.kill_daemon(node)
        stepds = [
            process
            for process in self.processes()
            if (title := " ".join(process.cmdline())).startswith("slurmstepd")
            and any(f"[{job}." in title for job in jobs)
        ]
        assert stepds, "no job runs on this node"
        # The stepds first: one that sees its job's processes die tells the controller that the job has ended.
        for process in (*stepds, *[child for stepd in stepds for child in stepd.children(recursive=True)]):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.ask("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=test")

    def node_of(self, run_id: RunId, results: Path) -> str:
        element = live(results)[run_id]
        return self.ask("squeue", "-h", "-j", element.id, "-o", "%N").strip()

    def kill_controller(self) -> None:
        os.kill(self.pid("slurmctld"), signal.SIGKILL)

    def start_controller(self) -> None:
        subprocess.run(["slurmctld", "-f", self.folder / "etc" / "slurm.conf"], check=True)
        ping = ["scontrol", "ping"]
        assert wait_until(lambda: "is UP" in subprocess.run(ping, capture_output=True, text=True).stdout, 30)


def states(results: Path) -> dict[RunId, State]:
    """Every run's state."""
    return {RunId(item["run_id"]): State(item["state"]) for item in run_statuses(results, None)}


def all_are(results: Path, state: State, seconds: float = 120, lab: Lab | None = None) -> bool:
    """Whether all runs come to one state in time."""

    def reached() -> bool:
        if lab is not None:
            lab.hurry()
        return set(states(results).values()) == {state}

    return wait_until(reached, seconds, every=0.5)  # each time asks SLURM and reads every run


def shaped(spec: RunSpec, *, nodes: int = 1, gpus: int = 1) -> RunSpec:
    """The same run with other resources."""
    resources = replace(spec.model.resources, nodes=nodes, gpus_per_node=gpus)
    return replace(spec, model=replace(spec.model, resources=resources))
