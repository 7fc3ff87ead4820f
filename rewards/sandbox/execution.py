"""One run in a sandbox process: hands it the descriptors, owns the clock, caps and collects what comes back."""

import contextlib
import fcntl
import os
import select
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rewards.sandbox.frames import WorkerTimeout, receive, send, send_with, write_whole
from rewards.sandbox.sleep import Sleep
from rewards.sandbox.worker import Worker

# This long after it was told to end a run, a sandbox process is taken for stuck, and replaced.
GRACE_S = 1.5
_FAR_OFF = 100  # times the wall limit of one: where the sandbox process ends a run by itself, if nobody tells it to
_SEALS = fcntl.F_ADD_SEALS, fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
_CHUNK = 1 << 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What tests may use.

    Attributes:
        cpu_s: CPU seconds (whole) of one run on standard input, of one call, and of loading the program for calls.
        wall_s: Seconds of wall time that one run may last, less those in which it waited for a core: so a neighbour's
            load never makes it late, and a program that sleeps is.
        memory_mb: Address space of one process.
        series: All tests of a row together may take as many times the limits of one.
    """

    cpu_s: int = 6
    wall_s: float = 12.0
    memory_mb: int = 1024
    series: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a run ended: exit status (None: by a signal), whether late, whether it wrote too much; and its output.

    It took `cpu_s` seconds of CPU, and slept for `asleep_s` seconds or, if it slept for less than one, 0.
    """

    exit: int | None
    late: bool
    flooded: bool
    output: bytes
    cpu_s: float
    asleep_s: float


_spent = threading.local()


def cpu_spent() -> float:
    """CPU seconds that all runs of this machine's sandbox processes took which the calling thread has asked for."""
    return float(getattr(_spent, "cpu_s", 0.0))


def charge(cpu_s: float) -> None:
    """Adds to what the calling thread has spent: runs that other threads made for it."""
    _spent.cpu_s = cpu_spent() + cpu_s


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """What was kept of an output of `total` bytes."""

    kept: bytes
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CellsEnded:
    """How a run of cells ended; of `output` the beginning is kept, of `errors` the end; CPU seconds are the child's."""

    exit: int | None
    late: bool
    output: Cut
    errors: Cut
    cpu_s: float


def execute(
    worker: Worker, kind: str, given: Sequence[int], limits: Limits, output_limit: int, cpu_s: int | None = None
) -> Ended:
    """Has the worker run one child and waits for its end.

    Args:
        worker: Running `rewards.sandbox.inside.zygote`.
        kind: Of run, as the zygote names them.
        given: Descriptors for it, in its order, less the last, on which it writes.
        limits: Of the child.
        output_limit: Bytes; a child that writes more is killed, and its output cut here.
        cpu_s: CPU seconds of the child; None: those of one run.

    Raises:
        WorkerDied: The worker is gone.
        WorkerTimeout: The worker is stuck.
    """
    output = _Output(output_limit)
    answer = _run(worker, kind, given, limits, [output], cpu_s or limits.cpu_s)
    return Ended(
        exit=answer["exit"],
        late=answer["late"] and not output.flooded,
        flooded=output.flooded,
        output=bytes(output.kept[:output_limit]),
        cpu_s=answer["cpu_s"],
        asleep_s=answer["asleep_s"],
    )


def execute_cells(worker: Worker, cells: int, limits: Limits, output_limit: int) -> CellsEnded:
    """As `execute`, for a program in cells: more output than `output_limit` bytes per stream is read and not kept."""
    output, errors = _Output(output_limit, keep="head"), _Output(output_limit, keep="tail")
    answer = _run(worker, "cells", [cells], limits, [output, errors], limits.cpu_s)
    return CellsEnded(
        exit=answer["exit"],
        late=answer["late"],
        output=Cut(kept=bytes(output.kept), total=output.total),
        errors=Cut(kept=bytes(errors.kept), total=errors.total),
        cpu_s=answer["cpu_s"],
    )


class _Output:
    """Our end of a pipe that a child writes to.

    A child that writes more than `limit` bytes is to be killed, unless something is to be kept of it: the head, or the
    tail, of that many bytes.
    """

    def __init__(self, limit: int, keep: str = "") -> None:
        self.reading, self.writing = os.pipe()
        os.set_blocking(self.reading, False)
        self._limit, self._keep = limit, keep
        self.kept = bytearray()
        self.total = 0

    @property
    def flooded(self) -> bool:
        """Whether its writer is to be killed."""
        return not self._keep and self.total > self._limit

    def read_some(self) -> bool:
        """Whether there may be more to read."""
        with contextlib.suppress(BlockingIOError):
            part = os.read(self.reading, _CHUNK if self._keep else min(_CHUNK, self._limit + 1 - self.total))
            self.total += len(part)
            if self._keep == "head":
                self.kept += part[: self._limit - len(self.kept)]
            else:
                self.kept += part
                if self._keep:
                    del self.kept[: -self._limit]
            return bool(part)
        return False


def _run(
    worker: Worker, kind: str, given: Sequence[int], limits: Limits, outputs: Sequence[_Output], cpu_s: int
) -> dict[str, Any]:
    """What the worker answered, once all that was written has been read, and for how long the run slept."""
    request = {"kind": kind, "cpu_s": cpu_s, "memory_mb": limits.memory_mb, "wall_s": _FAR_OFF * limits.wall_s}
    try:
        try:
            writing = [output.writing for output in outputs]
            send_with(worker.connection, request, [*given, *writing])
        finally:
            for output in outputs:
                os.close(output.writing)
        answer = _collect(worker, outputs, Sleep(worker.pid, limits.wall_s))
        charge(answer["cpu_s"])
        return answer
    finally:
        for output in outputs:
            os.close(output.reading)


def _collect(worker: Worker, outputs: Sequence[_Output], sleep: Sleep) -> dict[str, Any]:
    stopped: float | None = None
    by_descriptor = {output.reading: output for output in outputs}
    poller = select.poll()
    poller.register(worker.connection, select.POLLIN)
    for descriptor in by_descriptor:
        poller.register(descriptor, select.POLLIN)
    while True:
        left = sleep.left() if stopped is None else stopped + GRACE_S - time.monotonic()
        ready = poller.poll(int(left * 1000) + 1) if left > 0 else []
        if not ready and left <= 0 and stopped is not None:
            raise WorkerTimeout("the sandbox process does not answer")
        if not ready and left <= 0:
            stopped = time.monotonic()
            send(worker.connection.fileno(), {})
        for descriptor, _ in ready:
            if descriptor in by_descriptor:
                more = by_descriptor[descriptor].read_some()
                flooded = by_descriptor[descriptor].flooded
                if flooded:
                    # Answered, like any run, with how it ended; the zygote's serve loop skips the message itself.
                    send(worker.connection.fileno(), {})
                if flooded or not more:
                    poller.unregister(descriptor)
        if any(descriptor == worker.connection.fileno() for descriptor, _ in ready):
            break
    end = time.monotonic() + GRACE_S
    answer: dict[str, Any] = receive(worker.connection.fileno(), end)
    for output in outputs:
        # Without isolation something may have outlived the child, and go on writing.
        while not output.flooded and time.monotonic() < end and output.read_some():
            pass
    return answer | {"late": answer["late"] or stopped is not None, "asleep_s": sleep.seconds}
