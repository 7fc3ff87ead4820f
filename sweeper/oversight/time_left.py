"""When the runs of a sweep will have ended, from what those that are done took."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from sweeper.runs.state import State

_AT_WORK, _TO_COME = (State.running,), (State.running, State.queued, State.new)


def seconds_left(statuses: Sequence[Mapping[str, Any]]) -> float | None:
    """Seconds until the last of these runs ends, if as many devices stay at work as are now; None: not known.

    What is still to do is what runs took that are done, where both were planned in proportion to their plans; of a run
    at work the share of its way that is left.
    """
    due = [item for item in statuses if item["state"] in _TO_COME]
    devices = sum(item.get("devices") or 1 for item in statuses if item["state"] in _AT_WORK)
    hours = [_expected(item, statuses) for item in due]
    if not devices or None in hours:
        return None
    left = sum((whole or 0.0) * (1 - (item.get("share") or 0.0)) for whole, item in zip(hours, due, strict=True))
    return 3600 * left / devices


def _expected(item: Mapping[str, Any], statuses: Sequence[Mapping[str, Any]]) -> float | None:
    """Device-hours that a run takes in all."""
    done = [one for one in statuses if one["state"] == State.done and one["device_hours"] is not None]
    plan = item["planned_device_hours"]
    paired = [one for one in done if one["planned_device_hours"]]
    if plan is not None and paired:
        took, planned = (sum(one[key] for one in paired) for key in ("device_hours", "planned_device_hours"))
        return float(plan * took / planned)
    if done:
        return statistics.fmean(one["device_hours"] for one in done)
    return None if plan is None else float(plan)
