"""The resources of one job: runs of equal shape share an array."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sweeper.spec.cluster import Container
from sweeper.spec.run import RunSpec

Options = tuple[tuple[str, str | bool], ...]  # of sbatch: name and value, or True for a flag


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What is asked of SLURM for one run."""

    nodes: int
    gpus_per_node: int  # 0: none is asked for
    cpus_per_node: int | None
    memory_gb: int | None  # of a node; None: the cluster's default
    minutes: int
    partition: str | None
    account: str | None
    qos: str | None
    setup: tuple[str, ...]  # shell lines before the job, e.g. module load
    signal_seconds: int  # warning before the time limit
    python: str | None = None  # the three as in `spec.Cluster`
    container: Container = field(default_factory=Container)
    environment: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    sbatch: Options = ()  # the user's own, beside and in the place of ours
    arrays: bool = True  # runs share a job array; False: each is a job of its own

    @property
    def gpus(self) -> int:
        """GPUs of one run; a run without any counts its nodes."""
        return self.nodes * max(1, self.gpus_per_node)


def shape_of(spec: RunSpec) -> Shape:
    """The shape of a run, from its model's resources and its cluster's settings."""
    resources, cluster = spec.model.resources, spec.cluster
    has_gpus = cluster.gpus_per_node > 0
    return Shape(
        nodes=resources.nodes,
        gpus_per_node=resources.gpus_per_node if has_gpus else 0,
        cpus_per_node=cluster.cpus_per_gpu * resources.gpus_per_node if cluster.cpus_per_gpu else None,
        memory_gb=cluster.memory_gb_per_gpu * resources.gpus_per_node if cluster.memory_gb_per_gpu else None,
        minutes=max(1, round(resources.hours * 60)),
        partition=resources.partition or cluster.partition,
        account=cluster.account,
        qos=cluster.qos,
        setup=cluster.setup,
        signal_seconds=cluster.signal_seconds,
        python=cluster.python,
        container=cluster.container,
        environment=cluster.environment,
        exclude=cluster.exclude,
        sbatch=_options(cluster.sbatch),
        arrays=cluster.arrays,
    )


def _options(wanted: Mapping[str, Any]) -> Options:
    """As they are written: lists joined by commas; false and null leave an option out."""
    return tuple(
        (name, True if value is True else ",".join(map(str, value if isinstance(value, list | tuple) else [value])))
        for name, value in sorted(wanted.items())
        if value is not None and value is not False
    )
