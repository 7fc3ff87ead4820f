"""What the runs of a plan take together: sums, and the time until the last one ends."""

import heapq
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sweeper.plan.base_models import BaseModels
from sweeper.plan.cost import Cost
from sweeper.spec.cluster import Executor
from sweeper.spec.run import RunSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Of the runs that a launch would start."""

    runs: int
    device_hours: float | None  # None: some run has no estimate; base models' evaluations included
    device_hours_low: float | None  # the least and the most it may be; None: not known of some run
    device_hours_high: float | None
    base_models: int  # to be measured, once for all the runs that start from them; those measured here are not counted
    base_device_hours: float | None  # of these evaluations, a part of device_hours
    gpu_hours: float | None  # the same of runs on GPUs; 0 where there are none
    unpriced: int  # runs without an estimate
    flops: float | None  # all training phases, at most
    tokens: int  # of training, at most
    evaluation_tokens: int
    disk_bytes: int  # checkpoints and logs
    written_bytes: int  # of all checkpoints, those that are deleted again included
    free_bytes: int  # where the results go
    at_once: int  # runs that the ceiling on GPUs or processes lets run together, of the largest; no more than there are
    waves: int  # rounds of the queue
    hours: float | None  # from the first start to the last end, with the whole ceiling free
    hours_low: float | None  # the least and the most it may be, all runs being off alike
    hours_high: float | None
    error: float | None  # largest mean relative error of the estimates


def totals_of(due: Sequence[tuple[RunSpec, Cost]], results_dir: Path, known_bases: BaseModels) -> Totals:
    """Sum the costs of runs and schedule them in order under their cluster's ceiling."""
    costs = [cost for _, cost in due]
    base = known_bases.to_measure(due)
    known = [cost.device_hours for cost in costs if cost.device_hours is not None]
    unpriced = len(costs) - len(known)
    flops = [cost.flops.total for cost in costs]
    errors = [cost.error for cost in costs if cost.error is not None]
    waves, hours, at_once = _schedule(due)
    low, high = _range(costs, base)
    spreads = [cost.spread for cost in costs if cost.spread]
    ends = (min(low for low, _ in spreads), max(high for _, high in spreads)) if low is not None else None
    whole = sum(known) + sum(_evaluation(cost) for cost in base)
    on_gpus = any(cost.on_gpus for cost in costs)
    there = next(path for path in (results_dir, *results_dir.parents) if path.exists())
    return Totals(
        runs=len(costs),
        device_hours=None if unpriced else whole,
        device_hours_low=low,
        device_hours_high=high,
        base_models=len(base),
        base_device_hours=None if unpriced else sum(_evaluation(cost) for cost in base),
        gpu_hours=0.0 if not on_gpus else None if unpriced else whole,
        unpriced=unpriced,
        flops=sum(value for value in flops if value is not None) if None not in flops else None,
        tokens=sum(cost.tokens for cost in costs),
        evaluation_tokens=sum(cost.evaluations * cost.evaluation_tokens for cost in costs)
        + sum(cost.evaluation_tokens for cost in base),
        disk_bytes=sum(cost.checkpoint_bytes + cost.log_bytes for cost in costs),
        written_bytes=sum(cost.written_bytes for cost in costs),
        free_bytes=shutil.disk_usage(there).free,
        at_once=at_once,
        waves=waves,
        hours=hours,
        hours_low=None if hours is None or ends is None else hours * ends[0],
        hours_high=None if hours is None or ends is None else hours * ends[1],
        error=max(errors, default=None),
    )


def _evaluation(cost: Cost) -> float:
    """Device-hours of one evaluation."""
    return cost.seconds["evaluation"] / 3600 * cost.devices if cost.seconds else 0.0


def _range(costs: Sequence[Cost], base: Sequence[Cost]) -> tuple[float, float] | tuple[None, None]:
    """Device-hours between which the sum may lie, all being off alike; None, None: not known of some run."""
    pairs = [(cost.device_hours_range, cost.spread) for cost in costs]
    if not pairs or any(pair is None for pair, _ in pairs):
        return None, None
    sums = [sum(pair[i] for pair, _ in pairs if pair) for i in (0, 1)]
    more = [sum(_evaluation(cost) * cost.spread[i] for cost in base if cost.spread) for i in (0, 1)]
    return sums[0] + more[0], sums[1] + more[1]


def _schedule(due: Sequence[tuple[RunSpec, Cost]]) -> tuple[int, float | None, int]:
    """Rounds, hours to the last end (None: unknown), and runs at once, starting runs in order as GPUs come free."""
    if not due:
        return 0, 0.0, 0
    cluster = due[0][0].cluster
    if cluster.executor is Executor.local:
        slots = ceiling = cluster.local_processes(on_gpus=due[0][1].on_gpus)
        needs, largest = [1] * len(due), 1
    else:
        # A job without GPUs counts its nodes, as its array does (`Shape.gpus`).
        needs = [cost.devices if cluster.gpus_per_node else spec.model.resources.nodes for spec, cost in due]
        largest = max(needs)
        whole = cluster.max_nodes * max(1, cluster.gpus_per_node)
        ceiling = max(largest, whole if cluster.max_gpus is None else min(whole, cluster.max_gpus))
        slots = cluster.max_parallel or len(due)
    together = min(slots, ceiling // largest, len(due))
    hours = [cost.hours for _, cost in due]
    known = None not in hours
    free, now, current, last_round = ceiling, 0.0, 0, 0
    running: list[tuple[float, int, int]] = []  # end, GPUs, round
    for need, length in zip(needs, hours, strict=True):
        while free < need or len(running) >= slots:
            now, released, current = heapq.heappop(running)
            free += released
        free -= need
        heapq.heappush(running, (now + (length if known and length is not None else 1.0), need, current + 1))
        last_round = max(last_round, current + 1)
    end = max(item[0] for item in running)
    return last_round, end if known else None, together
