"""Where runs execute, and what is logged; never part of a run's identity."""

from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Annotated, Any

from sweeper.host.errors import ConfigError
from sweeper.host.machine import Device
from sweeper.spec.bounds import (
    Count,
    CountOrZero,
    Name,
    Positive,
    PositiveOrZero,
    Text,
    TextOrEmpty,
    Variable,
    Word,
    between,
)

SIGNAL_EARLY_S = 60  # SLURM may warn a job this much before `signal_seconds` (sbatch(1), --signal)
JOB_BEGAN = "SWEEPER_JOB_BEGAN"  # in a job on SLURM: Unix seconds at which its batch script began


class Executor(StrEnum):
    """Who starts a run's process."""

    local = "local"
    slurm = "slurm"


class ContainerRuntime(StrEnum):
    """Who starts a container on a compute node."""

    none = "none"
    pyxis = "pyxis"  # `srun --container-image`, NVIDIA's plugin over enroot
    apptainer = "apptainer"  # also of Singularity's images


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """An image in which a job's command runs; the results folder is mounted at its own path."""

    runtime: ContainerRuntime = ContainerRuntime.none
    image: TextOrEmpty = (
        ""  # as the runtime names it: /shared/verl.sqsh, nvcr.io#nvidia/pytorch:25.01-py3, /shared/verl.sif
    )
    mounts: tuple[Word, ...] = ()  # more of them: HOST or HOST:CONTAINER


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Where runs execute; never part of identity."""

    name: Name
    executor: Executor
    device: Device = Device.auto
    gpu_type: Word | None = None  # A100 | H100 | H200 | B200, for the estimates of time and memory; null: no estimate
    check_memory: bool = True  # refuse runs whose estimated peak exceeds a GPU's memory
    confirm_gpu_hours: PositiveOrZero | None = None  # a launch expected to take more asks first; null: never
    price_per_gpu_hour: PositiveOrZero | None = None  # in `currency`; null: costs are told in GPU-hours alone
    currency: Word = "USD"
    gpus_per_node: CountOrZero = 1
    max_nodes: Count = 1
    max_parallel: Count | None = 1  # runs at once, on SLURM of all jobs of a results folder; null: no bound
    partition: Word | None = None
    account: Word | None = None
    qos: Word | None = None
    cpus_per_gpu: Count | None = None  # null: the partition's default
    memory_gb_per_gpu: Count | None = None  # host memory; null: the partition's default
    max_gpus: Count | None = None  # used at once by all jobs of a results folder; null: as many as SLURM gives
    exclude: tuple[Word, ...] = ()  # names of nodes that no job is to use
    arrays: bool = True  # runs of one shape are one job array; false: each is a job of its own
    sbatch: dict[str, Any] = field(default_factory=dict, hash=False)  # more options, by long name; true: a flag
    max_loss_minutes: Positive | None = 30.0  # of training between checkpoints, by the time of its steps; null: none
    stalled_after_minutes: Positive | None = 60.0  # without a finished step a run is ended, if also ...; null: never
    stalled_after_steps: Positive = 10.0  # ... that many times its median step has passed
    max_failures: Count = 3  # of one class, of one run: then it is not tried again
    max_failed_gpu_hours: PositiveOrZero | None = None  # of one run's failed attempts; null: what one job may take
    signal_seconds: Annotated[int, between(1, 65535)] = 120  # before the time limit: a run stops, and is queued again
    setup: tuple[Text, ...] = ()  # shell lines at the beginning of a job, e.g. module load
    python: Text | None = None  # of jobs; null: the one that submits, and python3 in a container
    container: Container = field(default_factory=Container)
    environment: tuple[Word, ...] = ()  # variables that pass from the submitter to its jobs, by name; no secrets
    secrets_file: Text | None = None  # NAME=value lines, mode 0600, seen by every node; read by the job itself

    def only_for_slurm(self) -> dict[str, Any]:
        """What of it is set and says something to SLURM or to its jobs alone."""
        set_here = {item.name: getattr(self, item.name) for item in fields(self) if item.name in _ONLY_FOR_SLURM}
        return {name: value for name, value in set_here.items() if value != getattr(_UNSET, name)}

    def local_processes(self, *, on_gpus: bool) -> int:
        """Runs alive at once on this machine: its GPUs are used in turns, since runs would take each other's.

        Raises:
            ConfigError: nothing bounds them.
        """
        if on_gpus:
            return 1
        if self.max_parallel is None:
            raise ConfigError("cluster.max_parallel=null: runs on this machine need a number, say 2")
        return self.max_parallel


_ONLY_FOR_SLURM = (
    *("gpus_per_node", "max_nodes", "partition", "account", "qos", "cpus_per_gpu", "memory_gb_per_gpu", "max_gpus"),
    *("exclude", "arrays", "sbatch", "signal_seconds", "setup", "python", "container"),
)
_UNSET = Cluster(name="unset", executor=Executor.local)


@dataclass(frozen=True, slots=True, kw_only=True)
class Logging:
    """Trackers beside verl's console and file loggers; never part of identity."""

    backends: tuple[Word, ...] = ()  # verl's names: wandb, tensorboard, mlflow, swanlab, ...
    wandb: bool = False  # short for wandb in `backends`
    project: Text = "rl-scaling"
    webhook_env: Variable | None = None  # holds the address told of a sweep's end; null: nobody

    @property
    def trackers(self) -> tuple[str, ...]:
        """The backends without those that every run has."""
        named = (*self.backends, *(["wandb"] if self.wandb else []))
        return tuple(name for name in dict.fromkeys(named) if name not in ("console", "file"))
