"""Ray's workers as forks of one process that has already imported torch, transformers and the like.

A verl job starts eight Ray processes that each import the same four seconds of modules, which on two cores is most of
the time until the first training step. This server imports them once; Ray's `py_executable` (a documented field of its
runtime environments) sends every worker start through `fork_client.py`, and the worker is a fork of the server,
sharing its pages. Used on CPU only: a process that has touched CUDA cannot be forked.

    python -m sweeper.training.fork_server SOCKET
"""

import contextlib
import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import Any, Never

from sweeper.host.process import start_child

# Neither ray nor anything that imports it: Ray reads each worker's identity from its environment when it is imported.
MODULES = (
    "torch",
    "torch._dynamo",
    "torch.distributed.fsdp",
    "torch.distributed.checkpoint.state_dict",
    "tensordict",
    "torchdata.stateful_dataloader",
    "transformers",
    "transformers.models.qwen2.modeling_qwen2",
    "transformers.models.qwen2.tokenization_qwen2",
    "peft",
    "datasets",
    "pandas",
    "omegaconf",
    "hydra",
    "aiohttp",
    "fastapi",
    "codetiming",
    "rewards.route.router",
)


@contextlib.contextmanager
def fork_server(path: Path, *, log: Path, env: Mapping[str, str]) -> Iterator[None]:
    """A server at the socket `path` for the time of the block; it also dies with this process."""
    process = start_child([sys.executable, "-m", "sweeper.training.fork_server", str(path)], log=log, env=env)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def worker_command(path: Path) -> str:
    """Ray's `py_executable` for workers that come from the server at `path`."""
    return f"{sys.executable} -I -S {Path(__file__).with_name('fork_client.py')} {path}"


def serve(path: Path) -> None:
    """Listen first, so that clients queue, then import, then fork a process for every client; ends with its parent."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(64)
    for name in MODULES:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # a collection in a worker must not touch, and so copy, every shared page
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, _note)
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    selector.register(wake_read, selectors.EVENT_READ)
    clients: dict[int, socket.socket] = {}
    while True:
        for key, _ in selector.select():
            if key.fileobj is listener:
                client, _ = listener.accept()
                pid = _fork(client, [listener, *clients.values()], (wake_read, wake_write))
                clients[pid] = client
            else:
                os.read(wake_read, 4096)
                _reap(clients)


def _note(signum: int, frame: FrameType | None) -> None:
    """Only there so that SIGCHLD wakes the selector."""


def _reap(clients: dict[int, socket.socket]) -> None:
    while clients:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        client = clients.pop(pid, None)
        if client is not None:
            code = os.waitstatus_to_exitcode(status)
            with contextlib.suppress(BrokenPipeError):  # the stand-in was killed first
                client.sendall(f"{code if code >= 0 else 128 - code}\n".encode())
            client.close()


def _fork(client: socket.socket, inherited: list[socket.socket], wake: tuple[int, int]) -> int:
    header, fds, _, _ = socket.recv_fds(client, 8, 3)
    request = json.loads(_read(client, int.from_bytes(header, "big")))
    pid = os.fork()
    if pid == 0:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for open_socket in (client, *inherited):
            open_socket.close()
        for fd in wake:
            os.close(fd)
        _become(request, fds)
    for fd in fds:
        os.close(fd)
    client.sendall(f"{pid}\n".encode())
    return pid


def _read(client: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += client.recv(size - len(data))
    return data


def _become(request: dict[str, Any], fds: list[int]) -> Never:
    """Run the requested script in this forked process, as if it had been started."""
    code = 1
    try:
        os.environ.clear()
        os.environ.update(request["env"])
        os.chdir(request["cwd"])
        for target, fd in enumerate(fds):
            os.dup2(fd, target)
            os.close(fd)
        # Ray starts workers as `python [-u] script ...`.
        arguments = [item for item in request["argv"] if item != "-u"]
        sys.argv[:] = arguments
        if not sys.flags.safe_path:
            sys.path[0] = str(Path(arguments[0]).parent)
        runpy.run_path(arguments[0], run_name="__main__")
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:  # the end of a process: report as Python itself would
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
