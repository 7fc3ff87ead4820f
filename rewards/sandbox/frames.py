"""Length-prefixed JSON messages over pipes and sockets: between a scorer and its helpers, a program and its tests."""

import contextlib
import json
import os
import select
import socket
import struct
import time
from collections.abc import Callable, Sequence
from typing import Any

_HEADER = struct.Struct("=I")
_MAX_FRAME = 32 << 20


class WorkerDied(RuntimeError):
    """The other process ended, or sent nonsense, before it answered."""


class WorkerTimeout(RuntimeError):
    """The other process did not answer by the deadline."""


def write_whole(descriptor: int, payload: bytes) -> None:
    """Writes all of `payload`; blocks while the pipe or socket is full.

    write and read, not send and recv: a locked-down process has no socket calls left.
    """
    view = memoryview(payload)
    while view:
        view = view[os.write(descriptor, view) :]


def _frame(message: object) -> bytes:
    payload = json.dumps(message).encode()
    return _HEADER.pack(len(payload)) + payload


def send(descriptor: int, message: object) -> None:
    """Writes one message.

    Raises:
        WorkerDied: The other end is closed.
        TypeError, ValueError, RecursionError: JSON has no form for the message.
    """
    frame = _frame(message)
    try:
        write_whole(descriptor, frame)
    except OSError as error:
        raise WorkerDied(str(error)) from error


def send_with(connection: socket.socket, message: object, descriptors: Sequence[int]) -> None:
    """As `send`, with open file descriptors attached; the reader must use `receive_with`."""
    frame = _frame(message)
    try:
        sent = socket.send_fds(connection, [frame], descriptors)
        write_whole(connection.fileno(), frame[sent:])
    except OSError as error:
        raise WorkerDied(str(error)) from error


def receive(descriptor: int, deadline: float | None = None) -> Any:
    """Waits for one message.

    Args:
        descriptor: Of a pipe or stream socket.
        deadline: `time.monotonic()` at which to give up; None waits for ever.

    Raises:
        WorkerDied: End of file, an impossible length, or no JSON.
        WorkerTimeout: The deadline passed.
    """
    return _rest(descriptor, b"", deadline)


def receive_with(connection: socket.socket, most: int = 4) -> tuple[Any, list[int]]:
    """As `receive`, with the file descriptors that came with the message, at most `most`."""
    # The kernel hands descriptors over with the first byte that they were sent with.
    try:
        head, descriptors, _, _ = socket.recv_fds(connection, _HEADER.size, most)
    except ConnectionError as error:
        raise WorkerDied(str(error)) from error
    if not head:
        raise WorkerDied("end of file")
    return _rest(connection.fileno(), head, None), descriptors


def serve(descriptor: int, answer: Callable[[Any], object]) -> None:
    """Answers one request after the other until the other end is closed."""
    with contextlib.suppress(WorkerDied):
        while True:
            send(descriptor, answer(receive(descriptor)))


def _rest(descriptor: int, head: bytes, deadline: float | None) -> Any:
    """The message of which `head` was read already."""
    head += _exactly(descriptor, _HEADER.size - len(head), deadline)
    (length,) = _HEADER.unpack(head)
    if length > _MAX_FRAME:
        raise WorkerDied(f"frame of {length} bytes")
    try:
        return json.loads(_exactly(descriptor, length, deadline))
    except (ValueError, RecursionError) as error:
        raise WorkerDied("a frame that is no JSON") from error


def _exactly(descriptor: int, size: int, deadline: float | None) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        if deadline is not None:
            # poll, not select: a training process easily has descriptors above select's 1,024.
            poller = select.poll()
            poller.register(descriptor, select.POLLIN)
            left = deadline - time.monotonic()
            if left <= 0 or not poller.poll(max(1, int(left * 1000))):
                raise WorkerTimeout("no answer in time")
        try:
            part = os.read(descriptor, min(size - len(parts), 1 << 20))
        except ConnectionError as error:
            raise WorkerDied(str(error)) from error
        if not part:
            raise WorkerDied("end of file")
        parts += part
    return bytes(parts)
