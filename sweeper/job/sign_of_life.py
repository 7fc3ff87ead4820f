"""That an attempt is alive, written down now and then: what was killed did not live much longer than that."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sweeper.runs.attempt import Attempt

SECONDS = 30.0  # between two signs: so much of a killed attempt's time is not known at most


@contextmanager
def signs_of_life(attempt: Attempt) -> Iterator[None]:
    """Write one every `SECONDS` as long as the block runs, and one at its end, in whatever phase it is.

    Heartbeats say what a job does since when, so a phase of an hour that makes no steps has one.
    """
    is_over = threading.Event()

    def write() -> None:
        with suppress(OSError):  # a full disk ends no run that needs no more of it
            attempt.write("alive", {"time": time.time()})

    def go_on() -> None:
        while not is_over.wait(SECONDS):
            write()

    threading.Thread(target=go_on, name="signs-of-life", daemon=True).start()
    try:
        yield
    finally:
        is_over.set()
        write()
