"""One run in a sandbox process: hands it the descriptors, owns the clock, caps and collects what comes back."""

import contextlib
import fcntl
import os
import select
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from rewards.sandbox.frames import WorkerTimeout, receive, send, send_with, write_whole
from rewards.sandbox.worker import Worker

# The sandbox process keeps the limit itself; this long after it the process is taken for stuck, and replaced.
GRACE_S = 1.5
_SEALS = fcntl.F_ADD_SEALS, fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
_CHUNK = 1 << 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one run may use. CPU seconds are whole (RLIMIT_CPU); wall time also covers waiting for a core."""

    cpu_s: int = 6
    wall_s: float = 12.0
    memory_mb: int = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a run ended: exit status (None: by a signal), whether late, whether it wrote too much; and its output.

    `seconds` of wall time it took, less what it waited to begin.
    """

    exit: int | None
    late: bool
    flooded: bool
    output: bytes
    seconds: float


def memory_file(content: bytes) -> int:
    """A descriptor of a sealed file in memory, to be read only; the caller closes it."""
    descriptor = os.memfd_create("input", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        write_whole(descriptor, content)
        fcntl.fcntl(descriptor, *_SEALS)
        os.lseek(descriptor, 0, os.SEEK_SET)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def execute(worker: Worker, kind: str, given: Sequence[int], limits: Limits, output_limit: int) -> Ended:
    """Has the worker run one child and waits for its end.

    Args:
        worker: Running `rewards.sandbox.inside.zygote`.
        kind: Of run, as the zygote names them.
        given: Descriptors for it, in its order, less the last, on which it writes.
        limits: Of the child.
        output_limit: Bytes; a child that writes more is killed, and its output cut here.

    Raises:
        WorkerDied: The worker is gone.
        WorkerTimeout: The worker is stuck.
    """
    begun = time.monotonic()
    reading, writing = os.pipe()
    try:
        try:
            send_with(worker.connection, {"kind": kind, **asdict(limits)}, [*given, writing])
        finally:
            os.close(writing)
        os.set_blocking(reading, False)
        return _collect(worker, reading, begun, begun + limits.wall_s + GRACE_S, output_limit)
    finally:
        os.close(reading)


def _collect(worker: Worker, reading: int, begun: float, deadline: float, output_limit: int) -> Ended:
    output = bytearray()
    flooded = False
    poller = select.poll()
    poller.register(worker.connection, select.POLLIN)
    poller.register(reading, select.POLLIN)
    while True:
        left = deadline - time.monotonic()
        ready = poller.poll(max(0, int(left * 1000) + 1)) if left > 0 else []
        if not ready:
            raise WorkerTimeout("the sandbox process does not answer")
        for descriptor, _ in ready:
            if descriptor == reading:
                more = _read_some(reading, output, output_limit)
                if len(output) > output_limit:
                    flooded = True
                    # Answered, like any run, with how it ended; the zygote's serve loop skips the message itself.
                    send(worker.connection.fileno(), {})
                if flooded or not more:
                    poller.unregister(reading)
        if any(descriptor == worker.connection.fileno() for descriptor, _ in ready):
            break
    answer = receive(worker.connection.fileno(), deadline)
    while not flooded and _read_some(reading, output, output_limit):
        flooded = len(output) > output_limit
    return Ended(
        exit=answer["exit"],
        late=answer["late"] and not flooded,
        flooded=flooded,
        output=bytes(output[:output_limit]),
        seconds=time.monotonic() - begun,
    )


def _read_some(reading: int, output: bytearray, output_limit: int) -> bool:
    """Whether there may be more to read."""
    with contextlib.suppress(BlockingIOError):
        part = os.read(reading, min(_CHUNK, output_limit + 1 - len(output)))
        output += part
        return bool(part)
    return False
