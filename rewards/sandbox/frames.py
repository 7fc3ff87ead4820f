"""Length-prefixed messages over a stream socket between a scorer and its helper processes."""

import os
import select
import socket
import struct
import time
from collections.abc import Sequence

HEADER = struct.Struct("=I")
_MAX_FRAME = 64 << 20


class WorkerDied(RuntimeError):
    """The helper process ended, or sent nonsense, before it answered."""


class WorkerTimeout(RuntimeError):
    """The helper process overran its deadline and was killed."""


def send_frame(sock: socket.socket, payload: bytes) -> None:
    """Writes one message; blocks until all of it is in the socket.

    write and read, not send and recv: a locked-down process has no socket calls left.
    """
    view = memoryview(HEADER.pack(len(payload)) + payload)
    while view:
        view = view[os.write(sock.fileno(), view) :]


def send_request(sock: socket.socket, payload: bytes, descriptors: Sequence[int] = ()) -> None:
    """Writes one message with open file descriptors attached; its reader must use `receive_request`."""
    data = memoryview(HEADER.pack(len(payload)) + payload)
    sent = socket.send_fds(sock, [data], list(descriptors)) if descriptors else os.write(sock.fileno(), data)
    while sent < len(data):
        sent += os.write(sock.fileno(), data[sent:])


def receive_request(sock: socket.socket, most: int = 4) -> tuple[bytes, list[int]]:
    """Waits for one message and the file descriptors that came with it, at most `most`.

    Raises:
        WorkerDied: End of file or an impossible length.
    """
    # The kernel hands descriptors over with the first byte that they were sent with.
    head, descriptors, _, _ = socket.recv_fds(sock, HEADER.size, most)
    head += _receive_exactly(sock, HEADER.size - len(head), None) if head else b""
    if not head:
        raise WorkerDied("end of file")
    (length,) = HEADER.unpack(head)
    if length > _MAX_FRAME:
        raise WorkerDied(f"frame of {length} bytes")
    return _receive_exactly(sock, length, None), descriptors


def receive_frame(sock: socket.socket, deadline: float | None = None) -> bytes:
    """Reads one message.

    Args:
        sock: A stream socket.
        deadline: `time.monotonic()` at which to give up; None waits for ever.

    Raises:
        WorkerDied: End of file or an impossible length.
        WorkerTimeout: The deadline passed.
    """
    (length,) = HEADER.unpack(_receive_exactly(sock, HEADER.size, deadline))
    if length > _MAX_FRAME:
        raise WorkerDied(f"frame of {length} bytes")
    return _receive_exactly(sock, length, deadline)


def _receive_exactly(sock: socket.socket, size: int, deadline: float | None) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        if deadline is not None:
            # poll, not select: a training process easily has descriptors above select's 1,024.
            poller = select.poll()
            poller.register(sock, select.POLLIN)
            left = deadline - time.monotonic()
            if left <= 0 or not poller.poll(max(1, int(left * 1000))):
                raise WorkerTimeout("no answer in time")
        try:
            part = os.read(sock.fileno(), min(size - len(parts), 1 << 20))
        except ConnectionError as error:
            raise WorkerDied(str(error)) from error
        if not part:
            raise WorkerDied("end of file")
        parts += part
    return bytes(parts)
