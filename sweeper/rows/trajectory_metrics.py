"""Trajectories of a training step among verl's metrics: sums to compute with, means to look at."""

from collections.abc import Mapping
from typing import Any

from sweeper.rows.trajectories import SUMMED, Ended, Trajectories

SUM, ENDED = "agent/sum/", "agent/sum/ended/"
LOST = "agent/lost"  # trajectories of the step that ended with an error and were trained without
_WHOLE = tuple(name for name in SUMMED if name != "tool_cpu_s")


def metrics(found: Trajectories) -> dict[str, float]:
    """By name: `agent/sum/FIELD` and `agent/sum/ended/NAME`, and `agent/FIELD_mean` per trajectory."""
    sums = {f"{SUM}{name}": float(getattr(found, name)) for name in SUMMED}
    ends = {f"{ENDED}{ended}": float(found.ended.get(ended, 0)) for ended in Ended}
    return sums | ends | {f"agent/{name}_mean": found.mean(name) for name in SUMMED if name != "n"}


def from_metrics(data: Mapping[str, Any]) -> Trajectories | None:
    """What `metrics` was made of, but for `correct_at_turns`; None where a step has no trajectories of an agent.

    Raises:
        KeyError: a sum is missing among others.
    """
    if f"{SUM}n" not in data:
        return None
    ended = {str(one): int(data[f"{ENDED}{one}"]) for one in Ended}
    whole: dict[str, Any] = {name: int(data[f"{SUM}{name}"]) for name in _WHOLE}
    seconds = float(data[f"{SUM}tool_cpu_s"])
    return Trajectories(**whole, tool_cpu_s=seconds, ended={name: n for name, n in sorted(ended.items()) if n})
