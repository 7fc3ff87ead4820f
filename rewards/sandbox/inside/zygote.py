"""The sandbox process: started clean, locked down, forks one child or two for each run of a candidate program.

Runs only as a helper of `sandbox.runs`. It runs no candidate code and sees none: programs, inputs, tests, outputs
and reports go between the scorer and the children through descriptors that it only passes on. So its memory, of which
every child has a copy, holds nothing of any run. It forks, watches the clock, kills, and tells how the child ended.
"""

import contextlib
import gc
import importlib
import os
import resource
import select
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from rewards.sandbox.frames import WorkerDied, receive_with, send
from rewards.sandbox.inside import cell, cells, solution_server, tester
from rewards.sandbox.walls import landlock, library_folders, lockdown, namespaces

# Imported before the first fork, so that candidate programs find them ready.
_PRELOADED = (
    *("abc", "array", "bisect", "cmath", "collections", "collections.abc", "copy", "dataclasses", "datetime"),
    *("decimal", "enum", "fractions", "functools", "hashlib", "heapq", "itertools", "json", "math", "numbers"),
    *("operator", "random", "re", "statistics", "string", "threading", "time", "typing", "_sitebuiltins"),
)
# In a file tree without the system's libraries, what needs them must be there already.
_PRELOADED_FOR_SETUID = ("bz2", "ctypes", "lzma", "sqlite3", "ssl", "uuid", "zlib", "encodings.idna", "unicodedata")
_STACK_BYTES = 120 << 20  # deep recursion in C; more would run into the mappings below the stack
_UNUSED_UID = 61_977


def main(control_fd: int, level: str, further: str = "") -> None:
    """Locks this process down as `level` (see `walls.isolation`) says, says hello, serves until its owner is gone.

    Args:
        control_fd: Our end of the owner's socket.
        level: Of isolation.
        further: A module whose `load()`, called before anything is locked, gives the bodies of children of its own by
            their kind; "" for none.
    """
    control = socket.socket(fileno=control_fd)
    bodies: dict[str, Callable[..., int]] = importlib.import_module(further).load() if further else {}
    _preload()
    layers: list[str] = []
    missing: dict[str, str] = {}
    for name, lock in _locks(level):
        try:
            lock()
        except OSError as error:
            missing[name] = str(error)
        else:
            layers.append(name)
    try:
        seccomp = lockdown.SeccompFilter.for_this_machine() if level != "none" else None
        layers += ["seccomp"] if seccomp is not None else []
    except OSError as error:
        seccomp = None
        missing["seccomp"] = str(error)
    _forget_ourselves()
    send(control_fd, {"layers": layers, "missing": missing})
    with contextlib.suppress(WorkerDied):
        while True:
            request, descriptors = receive_with(control)
            if descriptors:  # a request to stop has none; it may arrive when its run has just ended
                send(control_fd, _run(control, seccomp, request, descriptors, bodies))


def _preload() -> None:
    for name in _PRELOADED:
        __import__(name)
    import builtins

    quitter = sys.modules["_sitebuiltins"].Quitter
    for name in ("exit", "quit"):  # without `site` (-S) they are not there
        setattr(builtins, name, quitter(name, "end of file"))
    sys.meta_path.append(library_folders.ThirdPartyFinder(library_folders.third_party_files()))
    _, hard = resource.getrlimit(resource.RLIMIT_STACK)
    soft = _STACK_BYTES if hard == resource.RLIM_INFINITY else min(hard, _STACK_BYTES)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_STACK, (soft, hard))


def _locks(level: str) -> list[tuple[str, Callable[[], None]]]:
    """The steps of a level, in order; each may fail alone, and the canaries tell whether what held is enough."""
    memory = ("memory", lockdown.hide_memory)
    capabilities = ("capabilities", lockdown.drop_capabilities)
    reading = ("landlock", lambda: landlock.restrict_reading_to(*library_folders.readable_folders()))
    match level:
        case "namespaces":
            return [("namespaces", _private_view), memory, capabilities, reading]
        case "landlock":
            return [("folder", _empty_folder), memory, capabilities, reading]
        case "setuid":
            return [
                ("chroot", _only_standard_library),
                ("setuid", lambda: lockdown.become_nobody(_UNUSED_UID)),
                memory,
                capabilities,
            ]
    return [("folder", _empty_folder)]


def _private_view() -> None:
    folders = library_folders.library_folders()
    again = library_folders.single_files()
    hidden = library_folders.hidden_folders()
    namespaces.enter_namespaces()
    namespaces.continue_as_init()
    namespaces.show_only(folders, hidden, again)


def _empty_folder() -> None:
    """Makes the working directory an empty one that is gone already."""
    if os.access(tempfile.gettempdir(), os.W_OK):
        empty = tempfile.mkdtemp(prefix="rewards-")
        os.chdir(empty)
        Path(empty).rmdir()


def _only_standard_library() -> None:
    for name in _PRELOADED_FOR_SETUID:
        with contextlib.suppress(ImportError):
            __import__(name)
    (standard,) = {str(path) for path in library_folders.library_folders() if path.name.startswith("python")}
    os.chroot(standard)
    os.chdir("/")
    sys.path[:] = ["/", "/lib-dynload"]
    sys.path_importer_cache.clear()


def _forget_ourselves() -> None:
    """Leaves candidate programs nothing of this package to import, and no path of it."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "rewards"]:
        del sys.modules[name]
    sys.argv = ["solution.py"]
    sys.orig_argv = ["python"]
    gc.collect()
    gc.freeze()
    gc.disable()


@dataclass(frozen=True, slots=True)
class _Child:
    """What one child of a run does, with the only descriptors that it has beside 2 and `streams`, its 0 and 1."""

    body: Callable[..., int]
    descriptors: tuple[int, ...]
    streams: tuple[int, ...] = ()
    is_told_the_next: bool = False  # the process id of the child after it


def _run(
    control: socket.socket,
    seccomp: lockdown.SeccompFilter | None,
    request: dict[str, float | str],
    descriptors: list[int],
    bodies: Mapping[str, Callable[..., int]],
) -> dict[str, object]:
    """Forks the children for a request, sees the first to its end, and says how it ended."""
    children = _children(str(request["kind"]), descriptors, bodies)
    started: list[int] = []
    for child in reversed(children):
        started.insert(0, _start(child, seccomp, request, started[:1] if child.is_told_the_next else ()))
    for child in children:
        for descriptor in (*child.descriptors, *child.streams):
            os.close(descriptor)
    overran = not _wait_for_end(started[0], control, time.monotonic() + float(request["wall_s"]))
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    ends = [os.wait4(process, 0) for process in started]
    _, status, _ = ends[0]
    signalled = os.WIFSIGNALED(status)
    used_up = any(_used_up(one, used, float(request["cpu_s"])) for _, one, used in ends)
    cpu_s = sum(used.ru_utime + used.ru_stime for _, _, used in ends)
    return {"exit": None if signalled else os.WEXITSTATUS(status), "late": overran or used_up, "cpu_s": cpu_s}


def _used_up(status: int, used: resource.struct_rusage, cpu_s: float) -> bool:
    """Whether a child was killed for its CPU time.

    The limit is counted in clock ticks, so a killed loop may show somewhat less than its whole allowance, and on a busy
    machine much less.
    """
    if not os.WIFSIGNALED(status):
        return False
    if os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGPROF):  # the limit of a process, of a call (`.timer`)
        return True
    return used.ru_utime + used.ru_stime >= 0.8 * cpu_s


def _children(kind: str, descriptors: list[int], bodies: Mapping[str, Callable[..., int]]) -> list[_Child]:
    """The children of a run of that kind, first the one whose end ends it."""
    if kind in bodies:
        return [_Child(bodies[kind], tuple(descriptors))]
    if kind == "calls":
        return [_Child(cell.run_calls, tuple(descriptors))]
    if kind == "cells":
        return [_Child(cells.run_cells, tuple(descriptors))]
    if kind == "program":
        code, given, output = descriptors
        return [_Child(cell.run_program, (code,), (given, output))]
    code, tests, report = descriptors
    to_solution, from_tester = os.pipe()
    to_tester, from_solution = os.pipe()
    return [
        _Child(tester.run_tests, (tests, to_tester, from_tester, report), is_told_the_next=True),
        # The candidate's process has neither the tests nor the descriptor for the report.
        _Child(solution_server.serve_solution, (code, to_solution, from_solution)),
    ]


def _start(
    child: _Child, seccomp: lockdown.SeccompFilter | None, request: dict[str, float | str], told: Collection[int]
) -> int:
    """Forks and locks down; the child's process id. Its body gets its descriptors and what it is `told`."""
    parent = os.getpid()
    forked = os.fork()
    if forked == 0:
        # Named boundary: whatever happens here, the child ends here and never returns to the serve loop.
        status = 1
        try:
            lockdown.die_with_parent(parent)
            os.dup2(1, 2)  # 0 and 1 are /dev/null; 2 alone still leads to the owner's log
            for stream, descriptor in enumerate(child.streams):
                os.dup2(descriptor, stream)
            _close_all_but(child.descriptors)
            lockdown.set_limits(cpu_s=int(request["cpu_s"]), memory_bytes=int(request["memory_mb"]) << 20)
            if seccomp is not None:
                seccomp.install()
            status = child.body(*child.descriptors, *told)
        finally:
            os._exit(status)
    return forked


def _close_all_but(keep: Collection[int]) -> None:
    last = 2
    for descriptor in sorted(keep):
        os.closerange(last + 1, descriptor)
        last = descriptor
    os.closerange(last + 1, 256)


def _wait_for_end(child: int, control: socket.socket, deadline: float) -> bool:
    """Returns when the child has ended, or our owner wants it to (True), or at `deadline` (False)."""
    ending: int | None
    poller = select.poll()
    # Any message now is a request to stop; it is read, and ignored, by the serve loop.
    poller.register(control, select.POLLIN | select.POLLHUP | select.POLLRDHUP)
    try:
        descriptor = os.pidfd_open(child)
    except OSError:  # before Linux 5.3, or refused by a container
        ending = None
    else:
        ending = descriptor
        poller.register(descriptor, select.POLLIN)
    try:
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            if poller.poll(int(left * 1000) + 1 if ending is not None else 2):
                return True
            if ending is None and os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
                return True
    finally:
        if ending is not None:
            os.close(ending)
