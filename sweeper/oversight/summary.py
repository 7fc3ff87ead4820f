"""What `status` says below its tables: states, device-hours, time left, and what SLURM could be asked."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sweeper.host.amounts import duration, number_of
from sweeper.launch.slurm.queue import Queue
from sweeper.oversight.paid import total_cost
from sweeper.oversight.time_left import seconds_left


def summary(statuses: Sequence[Mapping[str, Any]], queue: Queue | None, now: float) -> str:
    """Lines on some runs; with a `queue` also how old what it says is at `now`, in Unix seconds."""
    counts = Counter(item["state"] for item in statuses)
    total = ", ".join(f"{n} {state}" for state, n in counts.items())
    spent = [item["device_hours"] for item in statuses if item["device_hours"] is not None]
    planned = [item["planned_device_hours"] for item in statuses]
    if spent:
        known = [hours for hours in planned if hours is not None]
        whole = f" of {sum(known):.2f} planned" if len(known) == len(planned) else ""
        total += f"; {sum(spent):.2f}{whole} device-hours spent"
    total += total_cost(statuses)
    if (left := seconds_left(statuses)) is not None:
        total += f"; about {duration(left)} left"
    if queue is not None and queue.error is not None:
        total += f"\nSLURM did not answer {duration(now - queue.time)} ago: {queue.error}"
    elif queue is not None and queue.time:
        total += f"\nSLURM was asked {duration(now - queue.time)} ago"
    if queue is not None:
        total += _away(statuses, queue)
    return total


def _away(statuses: Sequence[Mapping[str, Any]], queue: Queue) -> str:
    """Which runs' jobs can be asked for from another cluster alone."""
    shown = [item["run_id"] for item in statuses if item["run_id"] in queue.unseen]
    by_cluster = Counter(queue.clusters[run_id] for run_id in shown if run_id in queue.clusters)
    lines = (
        f"\n{number_of(n, 'run')} may have jobs on cluster {cluster}, which cannot be asked from here: look from there"
        for cluster, n in by_cluster.items()
    )
    return "".join(lines)
