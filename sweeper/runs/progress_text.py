"""A heartbeat in words."""

import time

from sweeper.host.amounts import duration
from sweeper.runs.folder import Heartbeat


def describe(beat: Heartbeat) -> str:
    """One line: phase and for how long, or step, reward, time left."""
    if beat.phase != "train" or beat.step is None:
        what = "train: starting verl" if beat.phase == "train" else beat.phase
        return f"{what}, {duration(max(0.0, time.time() - beat.time))}"
    parts = [f"step {beat.step}/{beat.total_steps}"]
    if beat.reward is not None:
        parts.append(f"reward {beat.reward:.3f}")
    if beat.val_pass1 is not None:
        parts.append(f"val pass@1 {beat.val_pass1:.3f}")
    if beat.seconds_left is not None:
        parts.append(f"{duration(beat.seconds_left)} left")
    return ", ".join(parts)
