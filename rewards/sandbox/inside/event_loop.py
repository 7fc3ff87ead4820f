"""Lets programs use asyncio where neither epoll nor sockets are to be had: a loop that polls, woken through a pipe."""

import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any


class LoopGiver:
    """A finder that changes the loop of asyncio as it is imported, once, by whoever imports it."""

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """As `importlib` demands of a finder; it finds asyncio's loop alone."""
        if name != "asyncio.unix_events":
            return None
        sys.meta_path.remove(self)
        spec = PathFinder.find_spec(name, path, target)
        loader: Any = spec.loader if spec is not None else None
        if loader is None:
            return spec
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            _change(module)

        loader.exec_module = exec_module
        return spec


def _change(module: Any) -> None:
    import selectors

    loop = module._UnixSelectorEventLoop
    begin = loop.__init__

    def with_poll(self: Any, selector: Any = None) -> None:
        begin(self, selector or selectors.PollSelector())

    def make_pipe(self: Any) -> None:
        self._ssock, self._csock = map(_End, os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC))
        self._internal_fds += 1
        self._add_reader(self._ssock.fileno(), self._read_from_self)

    loop.__init__, loop._make_self_pipe = with_poll, make_pipe


class _End:
    """What asyncio uses of a socket, for one end of a pipe."""

    def __init__(self, number: int) -> None:
        self._number = number

    def fileno(self) -> int:
        return self._number

    def recv(self, size: int) -> bytes:
        return os.read(self._number, size)

    def send(self, content: bytes) -> int:
        return os.write(self._number, content)

    def close(self) -> None:
        os.close(self._number)
