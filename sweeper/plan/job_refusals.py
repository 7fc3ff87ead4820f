"""Refusals of what a job of SLURM cannot be: before it waits for its nodes."""

import re
from math import ceil
from pathlib import Path

from sweeper.host.amounts import size
from sweeper.host.errors import ConfigError
from sweeper.host.machine import Device
from sweeper.launch.slurm import options
from sweeper.launch.slurm.shape import shape_of
from sweeper.plan import host_memory
from sweeper.plan.gpu import GPUS
from sweeper.spec.cluster import SIGNAL_EARLY_S, ContainerRuntime
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
    if spec.model.resources.hours * 3600 <= seconds + SIGNAL_EARLY_S:
        raise ConfigError(
            f"model.resources.hours={spec.model.resources.hours:g} is over before cluster.signal_seconds={seconds} and "
            "the minute by which SLURM may warn earlier, so a job would be stopped as it starts; raise it"
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
    _refuse_other_gpus(spec)


def _refuse_few_cpus(spec: RunSpec) -> None:
    shape = shape_of(spec)
    needed = processors.cores_needed(spec.model.resources)
    cpus = options.node_cpus(shape)
    if shape.gpus_per_node and spec.cluster.device is not Device.cpu and cpus is not None and cpus < needed:
        raise ConfigError(
            f"{_said(spec, 'cpus-per-task', 'cpus_per_gpu')} is fewer than the {processors.BESIDE_A_GPU} that verl "
            "sets aside with each GPU, and such a job ends as it starts; set 8 (docs/gpu.md)"
        )


def refuse_little_memory(spec: RunSpec) -> None:
    """Refuse a job that asks for less host memory than its processes surely take.

    Raises:
        ConfigError: with the parts that take it, and the setting that would do.
    """
    shape, parts = shape_of(spec), host_memory.least(spec)
    given, needed = options.node_memory(shape), sum(parts.values())
    if given is None or given >= needed:
        return
    each = ceil(needed / spec.model.resources.gpus_per_node / 2**30)
    what = ", ".join(f"{name} {size(value)}" for name, value in parts.items())
    raise ConfigError(
        f"{_said(spec, 'mem', 'memory_gb_per_gpu')} gives a job {size(given)} of a node's memory, and "
        f"{spec.model.name} takes {size(needed)} at least ({what}); set cluster.memory_gb_per_gpu={each} or more "
        "(docs/gpu.md; cluster.check_memory=false lets it pass)"
    )


def _said(spec: RunSpec, ours: str, key: str) -> str:
    """What decides an option: a setting of ours, or the option of `cluster.sbatch` in its place."""
    instead = options.replaced(shape_of(spec).sbatch).get(ours)
    if instead is not None:
        return f"cluster.sbatch.{instead}={spec.cluster.sbatch[instead]} (in the place of cluster.{key})"
    return f"cluster.{key}={getattr(spec.cluster, key)}"


def _refuse_other_gpus(spec: RunSpec) -> None:
    planned = (spec.cluster.gpu_type or "").upper()
    for name, kind in options.kinds_of_gpus(shape_of(spec)).items():
        known = {word.upper() for word in re.split(r"[^a-z0-9]+", kind.lower())} & set(GPUS)
        if known and planned and planned not in known:
            raise ConfigError(
                f"cluster.sbatch.{name} asks for {kind}, and the run is planned for cluster.gpu_type="
                f"{spec.cluster.gpu_type}; set cluster.gpu_type={known.pop()}, or correct the option"
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
