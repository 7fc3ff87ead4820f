"""The partition of a job, against what SLURM says of it, before the job is queued."""

import shutil
from collections.abc import Sequence
from functools import cache

from sweeper.launch.slurm.scheduler import SchedulerError
from sweeper.launch.slurm.site import Partition, ignores_partition_time, partitions
from sweeper.spec.cluster import Executor
from sweeper.spec.run import RunSpec


def wrong_partitions(specs: Sequence[RunSpec]) -> dict[str, str]:
    """Reasons by run id of runs whose partition SLURM does not have, or whose jobs are longer than it lets jobs be.

    Nothing where there is no SLURM to ask.
    """
    reasons = {}
    for spec in specs:
        if spec.cluster.executor is not Executor.slurm:
            continue
        known = {item.name: item for item in _partitions()}
        name = spec.model.resources.partition or spec.cluster.partition
        names = name.split(",") if name else [item.name for item in known.values() if item.default]
        wrong = [part for part in names if known and part not in known]
        key = "model.resources.partition" if spec.model.resources.partition else "cluster.partition"
        if wrong:
            reasons[str(spec.run_id)] = f"{key}={name}: SLURM has no partition {wrong[0]}; use {' or '.join(known)}"
            continue
        limits = [known[part].minutes for part in names if part in known]
        longest = max((limit for limit in limits if limit is not None), default=None)
        is_longer = longest is not None and None not in limits and spec.model.resources.hours * 60 > longest
        if longest is not None and is_longer and not _is_exempt(spec.cluster.qos):
            reasons[str(spec.run_id)] = (
                f"model.resources.hours={spec.model.resources.hours:g}, and jobs of partition {','.join(names)} end "
                f"after {longest / 60:g} h, so it would wait for ever; set model.resources.hours={longest / 60:g} (a "
                f"run goes on in its next job) or another {key}"
            )
    return reasons


@cache
def _is_exempt(qos: str | None) -> bool:
    try:
        return qos is not None and ignores_partition_time(qos)
    except SchedulerError:
        return True  # not known: SLURM itself will say


@cache
def _partitions() -> tuple[Partition, ...]:
    if shutil.which("scontrol") is None:
        return ()
    try:
        return tuple(partitions())
    except SchedulerError:
        return ()  # submitting will say what is wrong
