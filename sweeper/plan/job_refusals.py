"""Refusals of what a job of SLURM cannot be: before it waits for its nodes."""

from pathlib import Path

from sweeper.host.errors import ConfigError
from sweeper.host.machine import Device
from sweeper.launch.slurm import options
from sweeper.launch.slurm.shape import shape_of
from sweeper.spec.cluster import ContainerRuntime
from sweeper.spec.run import RunSpec
from sweeper.training import processors


def refuse_job(spec: RunSpec) -> None:
    """Refuse the job that a run on SLURM would be.

    Raises:
        ConfigError: options of `sbatch`, a container, a time, a folder or GPUs that cannot be.
    """
    container, seconds, path = spec.cluster.container, spec.cluster.signal_seconds, spec.model.path
    options.refuse(spec)
    if container.runtime is not ContainerRuntime.none and not container.image.strip():
        raise ConfigError(
            f"cluster.container.image is empty, and cluster.container.runtime={container.runtime} needs one"
        )
    if spec.model.resources.hours * 3600 <= seconds:
        raise ConfigError(
            f"model.resources.hours={spec.model.resources.hours:g} is over before cluster.signal_seconds={seconds}, so "
            "a job would be stopped as it starts; raise it"
        )
    if path is not None and Path(path).is_dir() and not Path(path).is_absolute():
        raise ConfigError(
            f"model.path={path} is a folder seen from here, and jobs run elsewhere; use {Path(path).resolve()}"
        )
    if spec.cluster.device is Device.auto:
        device = Device.cuda if spec.cluster.gpus_per_node else Device.cpu
        raise ConfigError(
            f"cluster.device=auto is what this machine has, and jobs of cluster={spec.cluster.name} run elsewhere; set "
            f"cluster.device={device}"
        )
    _refuse_nodes(spec)
    _refuse_few_cpus(spec)


def _refuse_few_cpus(spec: RunSpec) -> None:
    shape = shape_of(spec)
    needed = processors.cores_needed(spec.model.resources)
    cpus = None if "cpus-per-task" in options.replaced(shape.sbatch) else shape.cpus_per_node
    if shape.gpus_per_node and spec.cluster.device is not Device.cpu and cpus is not None and cpus < needed:
        raise ConfigError(
            f"cluster.cpus_per_gpu={spec.cluster.cpus_per_gpu} is fewer than the {processors.BESIDE_A_GPU} that verl "
            "sets aside with each GPU, and such a job ends as it starts; set 8 (docs/gpu.md)"
        )


def _refuse_nodes(spec: RunSpec) -> None:
    resources, cluster = spec.model.resources, spec.cluster
    needed, there = f"{resources.nodes} nodes", f"{cluster.max_nodes} (cluster.max_nodes)"
    if cluster.gpus_per_node:
        needed = f"{resources.nodes} x {resources.gpus_per_node} GPUs"
        there = f"{cluster.max_nodes} x {cluster.gpus_per_node}"
    elif cluster.device is Device.cuda:
        raise ConfigError(
            f"cluster.device=cuda, but cluster={cluster.name} asks for no GPUs (cluster.gpus_per_node=0); use "
            "cluster=slurm, or set cluster.gpus_per_node"
        )
    # Without GPUs the number of processes of a node is not bounded by them.
    is_too_wide = 0 < cluster.gpus_per_node < resources.gpus_per_node
    if is_too_wide or resources.nodes > cluster.max_nodes:
        raise ConfigError(
            f"{spec.model.name} needs {needed} (model.resources), but cluster={cluster.name} has at most {there}"
        )
