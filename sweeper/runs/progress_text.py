"""A heartbeat and a duration in words."""

import time

from sweeper.runs.folder import Heartbeat


def describe(beat: Heartbeat) -> str:
    """One line: phase and for how long, or step, reward, time left."""
    if beat.phase != "train" or beat.step is None:
        what = "train: starting verl" if beat.phase == "train" else beat.phase
        return f"{what}, {clock(max(0.0, time.time() - beat.time))}"
    parts = [f"step {beat.step}/{beat.total_steps}"]
    if beat.reward is not None:
        parts.append(f"reward {beat.reward:.3f}")
    if beat.val_pass1 is not None:
        parts.append(f"val pass@1 {beat.val_pass1:.3f}")
    if beat.seconds_left is not None:
        parts.append(f"{clock(beat.seconds_left)} left")
    return ", ".join(parts)


def clock(seconds: float) -> str:
    """Seconds as people read them: 45s, 3m20s, 5h07m, 3d04h."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    if whole < 86400:
        return f"{whole // 3600}h{whole % 3600 // 60:02d}m"
    return f"{whole // 86400}d{whole % 86400 // 3600:02d}h"
