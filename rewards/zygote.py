"""The sandbox process: started clean, locked down, forks one child for each candidate program.

Runs only as a helper of `rewards.sandbox`. It never runs candidate code itself; its children do, each under the
seccomp filter and resource limits of `rewards.lockdown`, and each is SIGKILLed as soon as it has reported or
overrun its time. Nothing a child writes is evidence by itself: either it reports values, which the scorer compares
with expected ones that never came here, or it must return a nonce that is handed out after the tests ran.
"""

import contextlib
import errno
import gc
import json
import os
import random
import select
import signal
import socket
import struct
import sys
import sysconfig
import tempfile
import time
import types
from pathlib import Path

from rewards import lockdown
from rewards.encoding import encode_value
from rewards.frames import WorkerDied, receive_frame, send_frame

# Imported before the first fork, so that candidate programs find them ready.
_PRELOADED = (
    "abc",
    "array",
    "bisect",
    "cmath",
    "collections",
    "collections.abc",
    "copy",
    "dataclasses",
    "datetime",
    "decimal",
    "enum",
    "fractions",
    "functools",
    "hashlib",
    "heapq",
    "itertools",
    "json",
    "math",
    "numbers",
    "operator",
    "random",
    "re",
    "statistics",
    "string",
    "time",
    "typing",
)
_REPORT_LIMIT = 4 << 20
_CANARY = """
import os, socket, threading
leaks = []
def attempt(name, action):
    try:
        action()
    except BaseException:
        return
    leaks.append(name)
attempt("network", lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM))
attempt("unix socket", lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
attempt("new process", lambda: os.fork() or os._exit(0))
attempt("file write", lambda: open("/tmp/rewards_canary", "w"))
attempt("signal to the parent", lambda: os.kill(os.getppid(), 0))
thread = threading.Thread(target=lambda: None)
thread.start()
thread.join()
"""


def main(control_fd: int) -> None:
    """Locks this process down, says hello, and serves one request at a time until its owner closes the socket."""
    control = socket.socket(fileno=control_fd)
    for name in _PRELOADED:
        __import__(name)
    layers, seccomp, missing = _lock_down()
    gc.collect()
    gc.freeze()
    gc.disable()
    leaks = _leaks(control, seccomp)
    hello = {"layers": layers, "missing": missing, "leaks": leaks}
    send_frame(control, json.dumps(hello).encode())
    while True:
        try:
            request = json.loads(receive_frame(control))
        except WorkerDied:
            return
        send_frame(control, _run(control, seccomp, request))


def _lock_down() -> tuple[list[str], lockdown.SeccompFilter | None, list[str]]:
    layers: list[str] = []
    missing: list[str] = []
    empty = tempfile.mkdtemp(prefix="rewards-")
    os.chdir(empty)
    Path(empty).rmdir()  # the working directory stays, empty and unwritable, and leaves nothing behind
    seccomp: lockdown.SeccompFilter | None = None
    try:
        lockdown.hide_memory()
        seccomp = lockdown.SeccompFilter.for_this_machine()
        layers.append("seccomp")
    except OSError as error:
        missing.append(f"seccomp: {error}")
    try:
        lockdown.enter_private_namespaces()
        layers.append("namespaces")
    except OSError as error:
        missing.append(f"namespaces: {error}")
    try:
        lockdown.restrict_reading_to(_library_folders())
        layers.append("landlock")
    except OSError as error:
        missing.append(f"landlock: {error}")
    return layers, seccomp, missing


def _library_folders() -> list[Path]:
    paths = sysconfig.get_paths()
    names = {paths["stdlib"], paths["platstdlib"], "/lib", "/lib64", "/usr/lib", "/usr/lib64"}
    names |= {
        "/usr/share/zoneinfo",
        "/etc/localtime",
        "/etc/ld.so.cache",
        "/dev/null",
        "/dev/urandom",
    }
    libdir = sysconfig.get_config_var("LIBDIR")
    if libdir:
        names.add(str(libdir))
    return [Path(name) for name in sorted(names)]


def _leaks(control: socket.socket, seccomp: lockdown.SeccompFilter | None) -> list[str]:
    """What a canary program could do that no candidate may; empty when the locks hold."""
    request = {"code": _CANARY, "calls": ["leaks"], "cpu_s": 5, "wall_s": 10.0, "memory_mb": 1024}
    answer = json.loads(_run(control, seccomp, request))
    if answer["status"] != "done" or "values" not in answer["report"]:
        return [f"canary: {answer}"]
    return [str(name) for name in answer["report"]["values"][0][1]]


def _run(control: socket.socket, seccomp: lockdown.SeccompFilter | None, request: dict[str, object]) -> bytes:
    report_r, report_w = os.pipe()
    nonce_r, nonce_w = os.pipe()
    os.write(nonce_w, str(request.get("nonce", "")).encode())
    os.close(nonce_w)
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        # Named boundary: whatever happens here, the child must end here and never return to the serve loop.
        try:
            os.close(report_r)
            control.close()
            lockdown.die_with_parent(parent)
            _enter_cell(seccomp, request)
            _report(report_w, _execute(request, nonce_r))
        finally:
            os._exit(1)
    os.close(report_w)
    os.close(nonce_r)
    wall_s = float(str(request["wall_s"]))
    report, overran, owner_gone = _collect(report_r, control, time.monotonic() + wall_s)
    os.close(report_r)
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    _, status, usage = os.wait4(child, 0)
    if owner_gone:
        os._exit(0)
    if report is not None:
        return b'{"status":"done","report":' + report + b"}"
    # The limit is counted in clock ticks, so a killed loop may show somewhat less than its whole allowance.
    cpu_over = os.WIFSIGNALED(status) and usage.ru_utime + usage.ru_stime >= 0.8 * float(str(request["cpu_s"]))
    sigxcpu = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU
    timed_out = overran or cpu_over or sigxcpu
    return b'{"status":"timeout"}' if timed_out else b'{"status":"died"}'


def _collect(report_r: int, control: socket.socket, deadline: float) -> tuple[bytes | None, bool, bool]:
    """Reads the child's report: (report or None, whether time ran out, whether our owner is gone)."""
    poller = select.poll()
    poller.register(report_r, select.POLLIN)
    poller.register(control, select.POLLHUP | select.POLLRDHUP)
    received = bytearray()
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            return None, True, False
        for descriptor, _ in poller.poll(int(left * 1000) + 1):
            if descriptor != report_r:
                return None, False, True
            part = os.read(report_r, 1 << 16)
            received += part
            if len(received) >= 4:
                (size,) = struct.unpack_from("=I", received)
                if size > _REPORT_LIMIT:
                    return None, False, False
                if len(received) >= 4 + size:
                    return bytes(received[4 : 4 + size]), False, False
            if not part:
                return None, False, False


def _enter_cell(seccomp: lockdown.SeccompFilter | None, request: dict[str, object]) -> None:
    os.dup2(1, 2)  # descriptors 0 and 1 are /dev/null already; ours alone still leads to the owner's log
    memory_mb = int(str(request["memory_mb"]))
    lockdown.set_limits(cpu_s=int(str(request["cpu_s"])), memory_bytes=memory_mb << 20)
    random.seed(0)
    if seccomp is not None:
        seccomp.install()


def _report(report_w: int, report: dict[str, object]) -> None:
    payload = json.dumps(report).encode()
    view = memoryview(struct.pack("=I", len(payload)) + payload)
    while view:
        view = view[os.write(report_w, view) :]
    while True:  # the zygote kills us as soon as it has read the report
        time.sleep(60)


def _execute(request: dict[str, object], nonce_r: int) -> dict[str, object]:
    module = types.ModuleType("solution")
    sys.modules["solution"] = module
    gc.enable()
    namespace = module.__dict__
    try:
        exec(compile(str(request["code"]), "<solution>", "exec"), namespace)
        if "calls" in request:
            return {"values": _values(request, namespace)}
        exec(compile(str(request["tests"]), "<tests>", "exec"), namespace)
    except BaseException as error:  # candidate code may raise anything; it is an answer, not our failure
        return {"raised": type(error).__name__}
    # Handed out only now: a program that ends early, whatever its exit status, never comes to hold it.
    return {"nonce": os.read(nonce_r, 64).decode()}


def _values(request: dict[str, object], namespace: dict[str, object]) -> list[object]:
    setup = str(request.get("setup", ""))
    if setup:
        exec(compile(setup, "<tests>", "exec"), namespace)
    calls = request["calls"]
    if not isinstance(calls, list):
        raise TypeError(errno.errorcode[errno.EINVAL])
    return [encode_value(eval(compile(str(c), "<tests>", "eval"), namespace)) for c in calls]
