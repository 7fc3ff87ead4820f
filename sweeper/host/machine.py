"""What this machine is and which code runs on it; recorded in every row."""

import importlib.metadata
import os
import platform
import socket
import subprocess
from contextlib import ExitStack
from enum import StrEnum
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import Any

from rewards.bounded_file import read_json

DEVICES = Path("/dev")
SNAPSHOT = "code.json"  # beside the packages of a frozen copy (sweeper.launch.slurm.snapshot)
PACKAGES = ("verl", "torch", "transformers", "ray", "vllm", "flash-attn", "hydra-core", "submitit")


class Device(StrEnum):
    """What a run computes on; found on the machine for `cluster=local`, stated for a cluster."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


def resolve_device(wanted: Device) -> Device:
    """`auto` becomes `cuda` where an NVIDIA device is visible, else `cpu`; found without importing torch."""
    if wanted is not Device.auto:
        return wanted
    return Device.cuda if _device_files() and _named() != () else Device.cpu


def visible_gpus() -> tuple[str, ...]:
    """The GPUs that a process of ours may use, each as `CUDA_VISIBLE_DEVICES` would name it.

    Where that variable does not say, they are counted by the driver: the files in /dev have other numbers than CUDA
    gives (a container with /dev/nvidia3 alone has GPU 0), and a container may have files of GPUs that are not its own.
    """
    named = _named()
    if named is not None:
        return named
    files = _device_files()
    if not files:
        return ()
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=True, timeout=60).stdout
    except (OSError, subprocess.SubprocessError):
        return tuple(map(str, range(len(files))))
    return tuple(str(index) for index, _ in enumerate(line for line in listed.splitlines() if line.startswith("GPU ")))


def _named() -> tuple[str, ...] | None:
    """What `CUDA_VISIBLE_DEVICES` names, as CUDA reads it: up to the first that is none; None: it is not set."""
    said = os.environ.get("CUDA_VISIBLE_DEVICES")
    if said is None:
        return None
    names = (name.strip() for name in said.split(","))
    return tuple(takewhile(lambda name: name not in ("", "-1"), names))


def _device_files() -> list[Path]:
    return sorted(DEVICES.glob("nvidia[0-9]*"))


def device_name(device: Device) -> str:
    """The product name of the first GPU, or of the CPU."""
    if device is Device.cuda:
        query = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
        return subprocess.run(query, capture_output=True, text=True, check=True).stdout.splitlines()[0].strip()
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.processor()} x{os.cpu_count()}"


def threads_for(n_params: int) -> int:
    """Threads that make one matrix product of a model fastest on CPU.

    A tiny model's products are shorter than waking a second thread, and on a busy machine the waiting is ruinous: 0.14
    ms per sample with one thread, 2.2 ms with two beside one busy process (34,000 parameters, two cores).
    """
    return 1 if n_params < 10_000_000 else len(os.sched_getaffinity(0))


def free_ports(count: int) -> list[int]:
    """Different TCP ports that nobody listens on, on any of this machine's addresses."""
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("", 0))
        return [probe.getsockname()[1] for probe in probes]


def hostname() -> str:
    """This machine's name."""
    return socket.gethostname()


def versions() -> dict[str, str]:
    """Installed versions of the packages that can change a result; absent ones are left out."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


@cache
def git_state() -> tuple[str | None, bool | None]:
    """Commit of the code that runs and whether it has uncommitted changes; (None, None) outside a checkout."""
    folder = Path(__file__).parent
    snapshot = _snapshot()
    if snapshot is not None:  # it may lie inside some checkout, which says nothing about it
        return snapshot["commit"], snapshot["dirty"]
    try:
        _git(
            folder, "ls-files", "--error-unmatch", Path(__file__).name
        )  # else installed into somebody's checkout: not its commit
        commit = _git(folder, "rev-parse", "HEAD")
        return commit, bool(_git(folder, "status", "--porcelain", "--untracked-files=no"))
    except (OSError, subprocess.CalledProcessError):
        return None, None


def code_digest() -> str | None:
    """Digest of the frozen copy that this process runs from; None: it runs from where the program is installed."""
    snapshot = _snapshot()
    return None if snapshot is None else snapshot["digest"]


def _snapshot() -> dict[str, Any] | None:
    path = Path(__file__).resolve().parents[2] / SNAPSHOT
    if not path.is_file():
        return None
    found: dict[str, Any] = read_json(path)
    return found


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
