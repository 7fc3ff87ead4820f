"""A killable helper process that answers one framed request at a time, and a pool of them.

The caller owns the clock: a request that overruns its deadline gets its helper SIGKILLed and replaced, with no
signal handler and no alarm, so it works from any thread (verl calls scorers off the main thread, where
`signal.alarm` raises). A helper notices the end of its owner by end-of-file on its socket and exits.
"""

import contextlib
import logging
import os
import queue
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from rewards.sandbox.frames import WorkerDied, WorkerTimeout, receive, send

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

START_LIMIT_S = 120.0
_FAR_OFF = 100
_CLEAN = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "PYTHONHASHSEED": "0",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",  # a thread's own arena would take 128 MB of its address space
}


class Worker:
    """One helper process running `module.main(control_fd, *arguments)` of this package, or of one beside it.

    `hello` is its first message, `connection` our end of the socket, for a conversation other than `ask`.
    """

    def __init__(
        self,
        module: str,
        python_flags: tuple[str, ...] = ("-I",),
        arguments: tuple[str | bool, ...] = (),
        environment: Mapping[str, str] = _CLEAN,
    ) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        # A bare package object in place of rewards/__init__ keeps the helper small, which makes its forks cheap;
        # -I drops PYTHONPATH, so the package is found by its folder and not by sys.path. The same for the package of
        # the module that is to run.
        folders = {name: str(Path(__file__).resolve().parents[2] / name) for name in ("rewards", module.split(".")[0])}
        program = (
            f"import sys, types\nfor name, folder in {folders!r}.items():\n    p = types.ModuleType(name)\n"
            f"    p.__path__ = [folder]; sys.modules[name] = p\n"
            f"from {module} import main\nmain{(theirs.fileno(), *arguments)!r}"
        )
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, *python_flags, "-B", "-c", program],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=None,
                pass_fds=(theirs.fileno(),),
                env=environment,
                start_new_session=True,
                cwd="/",
            )
        self.pid = self._process.pid
        self.connection = ours
        try:
            self.hello: dict[str, Any] = receive(ours.fileno(), time.monotonic() + START_LIMIT_S)
        except (WorkerDied, WorkerTimeout) as error:
            self.kill()
            raise WorkerDied(f"{module} did not start: {error}") from error

    def ask(self, request: object, limit_s: float) -> Any:
        """Sends one request and waits for its answer, both what JSON can hold.

        Raises:
            WorkerDied: The process is gone.
            WorkerTimeout: It took longer than `limit_s` seconds.
        """
        deadline = time.monotonic() + limit_s
        send(self.connection.fileno(), request)
        return receive(self.connection.fileno(), deadline)

    def ask_within(self, request: object, cpu_s: float) -> Any:
        """As `ask`, with a limit on the CPU time that the process takes for it; waiting for a core is nobody's fault.

        Raises:
            WorkerDied: The process is gone.
            WorkerTimeout: It took more than `cpu_s` seconds of CPU.
        """
        clock = (~self.pid << 3) | 2  # of a process's CPU time, whoever reads it: MAKE_PROCESS_CPUCLOCK of Linux
        end = time.monotonic() + _FAR_OFF * cpu_s  # of one that computes no more, and does not answer
        try:
            begun = time.clock_gettime(clock)
            send(self.connection.fileno(), request)
            left = cpu_s
            while left > 0 and time.monotonic() < end:
                if select.select([self.connection], [], [], max(left, 0.01))[0]:
                    return receive(self.connection.fileno(), end)
                left = cpu_s - (time.clock_gettime(clock) - begun)
        except OSError as error:  # no such process
            raise WorkerDied(str(error)) from error
        raise WorkerTimeout(f"more than {cpu_s:g} s of CPU")

    def kill(self) -> None:
        """SIGKILLs it with what it started and left in its session, and reaps it; safe to call twice."""
        self.connection.close()
        if self._process.returncode is None:  # so its number, and that of its group, is nobody else's yet
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
        self._process.kill()
        self._process.wait()


class WorkerPool:
    """At most `size` workers, started when first needed, handed to one thread at a time."""

    def __init__(self, size: int, start: Callable[[], Worker]) -> None:
        self._start = start
        self.size = size
        self._reset()
        # A forked copy must not talk on its parent's sockets: two processes would read each other's answers.
        os.register_at_fork(after_in_child=self._after_fork)

    def _reset(self) -> None:
        self._slots: queue.LifoQueue[Worker | None] = queue.LifoQueue()
        for _ in range(self.size):
            self._slots.put(None)
        self._alive: set[Worker] = set()
        self._lock = threading.Lock()

    def _after_fork(self) -> None:
        for worker in self._alive:
            worker.connection.close()  # ours alone: the parent still uses the process
        self._reset()

    @contextlib.contextmanager
    def borrow(self) -> Iterator[Worker]:
        """Lends a running worker; one whose use raised is killed, and replaced by a fresh one at the next borrowing.

        Raises:
            WorkerDied: A new worker could not be started.
        """
        slots = self._slots
        worker = slots.get()
        keep: Worker | None = None
        try:
            if worker is None:
                worker = self._start()
                with self._lock:
                    self._alive.add(worker)
                logger.debug("started a helper process, pid=%d", worker.pid)
            yield worker
            keep = worker
        finally:
            # Whatever was raised, an answer may be under way: this worker may not serve anyone else.
            if worker is not None and keep is None:
                self._end(worker)
            slots.put(keep)

    def free(self) -> int:
        """How many more could be borrowed at once just now."""
        return self._slots.qsize()

    def _end(self, worker: Worker) -> None:
        worker.kill()
        with self._lock:
            self._alive.discard(worker)

    def use(self, action: Callable[[Worker], Result]) -> Result:
        """What `action` makes of a worker; if that turns out dead, of another one.

        Raises:
            WorkerDied: Both died, or none could be started.
            WorkerTimeout: As the action raises it.
        """
        try:
            with self.borrow() as worker:
                return action(worker)
        except WorkerDied:
            with self.borrow() as worker:
                return action(worker)

    def close(self) -> None:
        """Kills all workers; waits for those that are at work."""
        # All at once: a slot that was put back would be the next one taken.
        for worker in [self._slots.get() for _ in range(self.size)]:
            if worker is not None:
                self._end(worker)
            self._slots.put(None)


def pool_size() -> int:
    """Helper processes a scorer process may use: the usable cores, at most four.

    verl runs several scorer processes per node, each with its own pool.
    """
    return max(1, min(4, len(os.sched_getaffinity(0))))
