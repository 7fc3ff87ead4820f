"""Waiting for another process, for tests."""

import time
from collections.abc import Callable


def wait_until(condition: Callable[[], bool], seconds: float = 20.0, every: float = 0.05) -> bool:
    """Whether `condition`, asked `every` so many seconds, came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True
