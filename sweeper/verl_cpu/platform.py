"""A verl platform for machines without an accelerator: device `cpu`, backend gloo."""

import types
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from verl.plugin.platform import PlatformBase, PlatformRegistry


class _DeviceModule(types.ModuleType):
    """`torch.cpu` with the memory interface that verl calls on `torch.cuda`."""

    def __getattr__(self, name: str) -> Any:
        return getattr(torch.cpu, name)

    def __eq__(self, other: object) -> bool:
        # verl's FLOPs counter and profiler ask whether the device module is torch.cpu.
        return other is torch.cpu or other is self

    __hash__ = types.ModuleType.__hash__

    @staticmethod
    def is_available() -> bool:
        """False: "no accelerator", which makes verl skip its cache cleaning."""
        return False

    @staticmethod
    def current_device() -> str:
        """What verl passes to `tensor.to`."""
        return "cpu"

    @staticmethod
    def get_device_name(*_: Any) -> str:
        """Name in verl's logs."""
        return "CPU"

    @staticmethod
    def mem_get_info(*_: Any) -> tuple[int, int]:
        """Free and total bytes of host memory."""
        import psutil

        memory = psutil.virtual_memory()
        return memory.available, memory.total

    @staticmethod
    def get_rng_state(*_: Any) -> torch.Tensor:
        """The CPU generator's state, saved in checkpoints."""
        return torch.get_rng_state()

    @staticmethod
    def set_rng_state(state: torch.Tensor, *_: Any) -> None:
        """Restore the CPU generator."""
        torch.set_rng_state(state)

    @staticmethod
    def _zero(*_: Any, **__: Any) -> int:
        return 0

    @staticmethod
    def _nothing(*_: Any, **__: Any) -> None:
        return None

    memory_allocated = memory_reserved = max_memory_allocated = max_memory_reserved = _zero
    empty_cache = synchronize = set_device = reset_peak_memory_stats = _nothing
    manual_seed = manual_seed_all = set_per_process_memory_fraction = ipc_collect = _nothing


class CpuPlatform(PlatformBase):  # type: ignore[misc]  # verl has no types
    """Implements verl's platform interface for the host processor."""

    device_name = "cpu"
    vendor_name = "cpu"
    device_module = _DeviceModule("sweeper.verl_cpu.device")

    def _nothing(self, *_: Any, **__: Any) -> None:
        """There is no device to choose, to wait for or to profile, no allocator or cache of one, and no CUDA."""

    set_device = synchronize = set_allocator_settings = empty_cache = profiler_start = profiler_stop = cudart = _nothing

    def is_available(self) -> bool:
        """There is always a processor."""
        return True

    def is_platform_available(self, use_smi_check: bool = False) -> bool:
        """Registered last, so asked last: only hosts without an accelerator get here with True."""
        del use_smi_check
        return not torch.cuda.is_available()

    def current_device(self) -> str:
        """What verl passes to `tensor.to`."""
        return "cpu"

    def device_count(self) -> int:
        """One processor, however many cores."""
        return 1

    def manual_seed(self, seed: int) -> None:
        """Seed the CPU generator."""
        torch.manual_seed(seed)

    manual_seed_all = manual_seed

    def get_device_capability(self, device_index: int = 0) -> tuple[None, None]:
        """No compute capability."""
        del device_index
        return None, None

    def communication_backend_name(self) -> str:
        """The collective backend of torch.distributed."""
        return "gloo"

    def visible_devices_envvar(self) -> str:
        """The variable that verl sets for its workers; harmless without a GPU."""
        return "CUDA_VISIBLE_DEVICES"

    @contextmanager
    def nvtx_range(self, msg: str) -> Iterator[None]:
        """No profiler ranges."""
        del msg
        yield

    def ray_resource_name(self) -> str:
        """GPU or NPU: verl's resource pools know no other; Ray takes a logical count (`ray_init.num_gpus`)."""
        return "GPU"

    def ray_noset_envvars(self) -> list[str]:
        """Variables that keep Ray from touching device visibility."""
        return ["RAY_EXPERIMENTAL_NOSET_CUDA_VISIBLE_DEVICES"]

    def is_ipc_supported(self) -> bool:
        """No device memory to share."""
        return False


def register() -> None:
    """Add the platform to verl's registry, after the accelerators."""
    if "cpu" not in PlatformRegistry.registered_names():
        PlatformRegistry.register(platform="cpu")(CpuPlatform)
