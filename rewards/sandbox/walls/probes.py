"""What a hostile program would try first, tried at start by a program of our own in the sandbox.

Each probe is an attempt that must fail there. What the sandbox is chosen by is whether they fail, never a version.
"""

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from rewards.sandbox.execution import Limits, execute, memory_file
from rewards.sandbox.frames import WorkerDied, WorkerTimeout
from rewards.sandbox.inside.encoding import decode_value
from rewards.sandbox.worker import Worker

_PROGRAM = """
import ctypes, os, resource, socket, threading, time

succeeded = []

def attempt(name, action):
    try:
        action()
    except BaseException:
        return
    succeeded.append(name)

def number(result):
    if result < 0:
        raise OSError
    return result

def peek(pid):
    buffer = ctypes.create_string_buffer(8)
    local = (ctypes.c_void_p * 2)(ctypes.addressof(buffer), 8)
    remote = (ctypes.c_void_p * 2)(address, 8)
    number(libc.process_vm_readv(pid, local, 1, remote, 1, 0))

libc = ctypes.CDLL(None, use_errno=True)
attempt("open a network socket", lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM))
attempt("open a Unix socket", lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
attempt("connect to an abstract Unix socket", lambda: socket.socket(socket.AF_UNIX).connect(abstract))
attempt("start a process", lambda: os.fork() or os._exit(0))
attempt("start a program", lambda: os.posix_spawn("/bin/true", ["true"], {}))
for path in places:
    attempt("write a file", lambda: open(os.path.join(path, name + ".file"), "w"))
    attempt("make a folder", lambda: os.mkdir(os.path.join(path, name + ".folder")))
for path in private:
    attempt(f"read {path}", lambda: open(path, "rb").read(1))
    attempt("write to a file of the scorer", lambda: open(path, "ab"))
    attempt("change the mode of a file of the scorer", lambda: os.chmod(path, 0o644))
attempt("delete a file of the scorer", lambda: os.unlink(private[0]))
for pid in pids + [os.getppid()]:
    for name in ("environ", "mem", "cmdline", "maps"):
        attempt(f"read the scorer's {name}", lambda: open(f"/proc/{pid}/{name}", "rb").read(0))
    attempt("signal the scorer", lambda: os.kill(pid, 0))
    attempt("trace the scorer", lambda: number(libc.ptrace(0x4206, pid, None, None)))
    attempt("read the scorer's memory", lambda: peek(pid))
attempt("import the scorer", lambda: __import__("rewards"))
attempt("raise its own limits", lambda: resource.setrlimit(resource.RLIMIT_CPU, (10**6, 10**6)))
attempt("use more memory than its limit", lambda: bytearray(limit))
thread = threading.Thread(target=time.sleep, args=(0,))
thread.start()
thread.join()
"""
_LIMITS = Limits(cpu_s=5, wall_s=15.0, memory_mb=512)


def leaks(worker: Worker) -> list[str]:
    """What the canary could do in `worker` that no program may; empty when the isolation holds."""
    with _facts() as facts:
        setup = "\n".join(f"{name} = {value!r}" for name, value in facts.items())
        request = {"code": f"{setup}\n{_PROGRAM}", "setup": "", "calls": ["succeeded"], "cpu_s": _LIMITS.cpu_s}
        payload = memory_file(json.dumps(request).encode())
        try:
            ended = execute(worker, "calls", [payload], _LIMITS, 1 << 20)
        except (WorkerDied, WorkerTimeout) as error:
            return [f"run a program at all ({error})"]
        finally:
            os.close(payload)
    try:
        (succeeded,) = json.loads(ended.output)
    except ValueError:
        return ["run a canary to its end (it must be able to import the standard library and to start a thread)"]
    names = decode_value(succeeded)
    return list(dict.fromkeys(map(str, names))) if isinstance(names, list) else ["report"]


@contextlib.contextmanager
def _facts() -> Iterator[dict[str, object]]:
    import ctypes
    import socket

    with (
        tempfile.TemporaryDirectory(prefix="rewards-") as folder,
        contextlib.closing(socket.socket(socket.AF_UNIX)) as listener,
    ):
        Path(folder).chmod(0o777)
        secret = Path(folder) / "secret"
        secret.write_text("x")
        secret.chmod(0o666)
        abstract = f"\0rewards-canary-{os.getpid()}-{secret.stat().st_ino}"
        listener.bind(abstract)
        listener.listen(1)
        word = ctypes.create_string_buffer(8)
        name = secret.parent.name
        places = [folder, tempfile.gettempdir(), str(Path.cwd()), "/dev/shm", "."]
        try:
            yield {
                "abstract": abstract,
                "address": ctypes.addressof(word),
                "places": places,
                "name": name,
                "private": [str(secret), str(Path(__file__).resolve()), *_files_at_home()],
                "pids": [os.getpid()],
                "limit": _LIMITS.memory_mb << 20,
            }
        finally:
            for place in places[1:]:
                with contextlib.suppress(OSError):
                    (Path(place) / f"{name}.file").unlink(missing_ok=True)
                    (Path(place) / f"{name}.folder").rmdir()


def _files_at_home() -> list[str]:
    found: list[str] = []
    with contextlib.suppress(OSError, RuntimeError):
        for entry in os.scandir(Path.home()):
            if entry.is_file(follow_symlinks=False) and os.access(entry.path, os.R_OK):
                found.append(entry.path)
    return sorted(found)[:3]
