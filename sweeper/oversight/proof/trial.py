"""Where a proof happens: device, GPU, folder, and how much of its memory is in use."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sweeper.grid.expand import expand
from sweeper.host.errors import ConfigError, RunFailedError
from sweeper.host.machine import Device, device_name, resolve_device, visible_gpus
from sweeper.plan.gpu import GPUS
from sweeper.plan.plan import spec_from
from sweeper.spec.run import RunSpec

_ASKED = "import torch; gpu = torch.cuda.get_device_properties(0); print(gpu.name); print(gpu.uuid)"
Tick = Callable[[Callable[[], None] | None], Callable[[], None]]  # makes a child's `on_tick`, which ends it in time


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A proof's machine and size.

    Attributes:
        device: It computes on; never `auto`.
        name: The device's, by its vendor.
        gpu: The planner's name of it (`sweeper.plan.gpu`); None: a processor, or a GPU that the planner does not know.
        folder: The proof's own, for logs and runs.
        scratch: Likewise, for temporary files alone, and empty at first.
        uuid: CUDA's of the GPU, as the driver writes it; None: a processor.
    """

    device: Device
    name: str
    gpu: str | None
    folder: Path
    scratch: Path
    uuid: str | None = None

    @classmethod
    def here(cls, folder: Path, scratch: Path, *, small: bool) -> "Trial":
        """On one GPU of this machine; `small`, in miniature on its processor.

        Raises:
            ConfigError: there is no GPU here, and it is not to be small; or CUDA or the driver cannot use it.
        """
        if small:
            device = Device.cpu
            return cls(device=device, name=device_name(device), gpu=None, folder=folder, scratch=scratch)
        gpus = visible_gpus() if resolve_device(Device.auto) is Device.cuda else ()
        if not gpus:
            raise ConfigError(
                "no GPU is here, so nothing was tried; on a cluster: srun --gpus=1 --cpus-per-task=16 python -m "
                "sweeper prove. --small tries the proof itself, in miniature on the processor"
            )
        name, uuid = _first_of_cuda(gpus[0])
        trial = cls(device=Device.cuda, name=name, gpu=gpu_type(name), folder=folder, scratch=scratch, uuid=uuid)
        try:
            trial.memory_in_use()
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            raise ConfigError(
                f"nvidia-smi does not tell the memory of {uuid}, on which CUDA computes: {error}"
            ) from None
        return trial

    @property
    def is_small(self) -> bool:
        """Whether it is in miniature: no GPU is tried so."""
        return self.device is Device.cpu

    @property
    def variables(self) -> dict[str, str]:
        """Of every child: one GPU (or thread), and this proof's own place for temporary files."""
        device = {"OMP_NUM_THREADS": "1"} if self.is_small else {"CUDA_VISIBLE_DEVICES": visible_gpus()[0]}
        return {"TMPDIR": str(self.scratch), **device}

    @property
    def settings(self) -> tuple[str, ...]:
        """Overrides of every run of it."""
        gpu_type = (f"cluster.gpu_type={self.gpu}",) if self.gpu else ()
        return ("cluster=local", f"cluster.device={self.device}", *gpu_type)

    def memory_in_use(self) -> float:
        """Bytes in use now by everybody: of the GPU, or of this machine where the proof is small."""
        if self.is_small:
            import psutil

            return float(psutil.virtual_memory().used)
        query = ["nvidia-smi", f"--id={self.uuid}", "--query-gpu=memory.used", "--format=csv,noheader,nounits"]
        return float(subprocess.run(query, capture_output=True, text=True, check=True).stdout) * 2**20

    def until(self, seconds: float, body: Callable[[], None] | None = None) -> Callable[[], None]:
        """What a child's `on_tick` does: `body`, until the child has had its seconds.

        Returns:
            A function that raises `RunFailedError` when they are over.
        """
        end = time.monotonic() + seconds

        def tick() -> None:
            if body is not None:
                body()
            if time.monotonic() > end:
                raise RunFailedError(f"it took longer than {seconds:.0f} s")

        return tick


def _first_of_cuda(visible: str) -> tuple[str, str]:
    """Name and UUID of the GPU that CUDA computes on where it sees this one: its numbers are not the driver's.

    CUDA counts from the fastest GPU, nvidia-smi along the PCI bus.

    Raises:
        ConfigError: CUDA does not start.
    """
    command, env = [sys.executable, "-c", _ASKED], os.environ | {"CUDA_VISIBLE_DEVICES": visible}
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise ConfigError(f"CUDA cannot use GPU {visible}: {last}; ask: python -m sweeper doctor")
    name, uuid = done.stdout.splitlines()[-2:]
    return name, f"GPU-{uuid}"


def gpu_type(name: str) -> str | None:
    """The planner's name of a GPU by its vendor's, such as `NVIDIA A100-SXM4-80GB`; None: it does not know it."""
    words = re.split(r"[\s-]+", name)
    return next((kind for kind in GPUS if kind in words), None)


def spec_of(overrides: Sequence[str]) -> RunSpec:
    """The run that overrides name."""
    return spec_from(expand(tuple(overrides), multirun=False).points[0].config)
