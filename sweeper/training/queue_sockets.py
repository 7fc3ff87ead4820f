"""TransferQueue's sockets: a run's own, or nobody's.

verl moves a step's samples through TransferQueue, which listens on TCP at the node's address, asks nobody who they are
and unpickles what it is sent: whoever reaches the node could run code as the run's owner (docs/security.md).

- On one node its sockets are files in a folder of the run (`FOLDER`, mode 0700): no port is open, and nothing is
  encrypted that stays on the node.
- Over several nodes (`SECRET` is set) they are TCP with CURVE, ZeroMQ's own: both ends prove a key that follows from
  the run's secret before a byte reaches TransferQueue.

`protect` runs in every process that may open one: verl's plugin calls it, and Ray calls it in workers that never import
verl (`HOOK`). A process without it could not talk to the others.
"""

import contextlib
import functools
import hashlib
import importlib.metadata
import os
import secrets
import stat
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from sweeper.host.errors import RunFailedError
from sweeper.host.imports import after_import

FOLDER, SECRET = "SWEEPER_QUEUE_FOLDER", "SWEEPER_QUEUE_SECRET"
HOOK = f"{__name__}.protect"  # Ray's `worker_process_setup_hook`
VERSIONS = ("0.1.11",)  # of TransferQueue, whose code was read
_MODULE = "transfer_queue.utils.zmq_utils"
_ZAP = "inproc://zeromq.zap.01"  # where libzmq asks (RFC 27)


def new_secret() -> dict[str, str]:
    """The variable that closes the sockets of a run over several nodes to everybody who does not have it."""
    return {SECRET: secrets.token_hex(32)}


def protect() -> None:
    """Close TransferQueue's sockets to strangers when it is imported; as they are where no run of ours started this.

    Raises:
        RunFailedError: TransferQueue is of a version that nobody has looked at; now or when it is imported.
    """
    if SECRET in os.environ or FOLDER in os.environ:
        after_import(_MODULE, _close)


def refuse_unknown() -> None:
    """Refuse a TransferQueue whose sockets may not be those that are closed here.

    Raises:
        RunFailedError: with the versions that are known.
    """
    installed = importlib.metadata.version("TransferQueue")
    if installed not in VERSIONS:
        raise RunFailedError(
            f"TransferQueue {installed} is installed; its sockets are known to be closed to strangers only in "
            f"{', '.join(VERSIONS)}: install that, or look at sweeper/training/queue_sockets.py"
        )


def _close(module: ModuleType) -> None:
    refuse_unknown()
    if hasattr(module, "sweeper_closed"):
        return
    secret = os.environ.get(SECRET)
    if secret is None:
        changed = _in_folder(Path(os.environ[FOLDER]))
    else:
        changed = {"create_zmq_socket": _with_keys(module.create_zmq_socket, secret)}
    # verl imports TransferQueue before its plugins: other modules of it may have taken the functions by name already.
    loaded = [one for name, one in list(sys.modules.items()) if name.startswith("transfer_queue.")]
    for name, new in changed.items():
        old = getattr(module, name)
        for one in (module, *loaded):
            if getattr(one, name, None) is old:
                setattr(one, name, new)
    module.sweeper_closed = True  # type: ignore[attr-defined]


def _in_folder(folder: Path) -> dict[str, Callable[..., Any]]:
    """Make files in the folder of what were ports; a number is only a name."""
    found = folder.stat()
    if found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise RunFailedError(f"{folder}, for the run's sockets, must be its owner's alone (mode 0700)")

    def address(ip: str, port: int) -> str:
        del ip
        return f"ipc://{folder}/queue-{port}"

    def number(ip: str) -> int:
        del ip
        return secrets.randbits(62)  # never the same twice: ZeroMQ would take a file from who has it

    return {"format_zmq_address": address, "get_free_port": number}


def _with_keys(create: Callable[..., Any], secret: str) -> Callable[..., Any]:
    import zmq

    if not zmq.has("curve"):
        raise RunFailedError("this libzmq was built without CURVE, which runs over several nodes need; see pyzmq")
    server, client = _pair(secret, b"server"), _pair(secret, b"client")

    @functools.wraps(create)
    def create_zmq_socket(ctx: Any, socket_type: Any, *args: Any, **kwargs: Any) -> Any:
        made = create(ctx, socket_type, *args, **kwargs)
        if socket_type == zmq.ROUTER:  # all that bind on TCP
            _admit(ctx, client[0])
            made.curve_server, (made.curve_publickey, made.curve_secretkey) = True, server
            made.zap_domain, made.zap_enforce_domain = b"run", True  # with nobody to ask, nobody comes in
        else:
            made.curve_serverkey = server[0]
            made.curve_publickey, made.curve_secretkey = client
        return made

    return create_zmq_socket


def _pair(secret: str, who: bytes) -> tuple[bytes, bytes]:
    """A public and a secret key of Curve25519, as ZeroMQ writes them (Z85)."""
    import zmq
    from zmq.utils import z85

    key: bytes = z85.encode(hashlib.blake2b(bytes.fromhex(secret), person=who, digest_size=32).digest())
    return zmq.curve_public(key), key


def _admit(ctx: Any, public: bytes) -> None:
    """Answer libzmq's question who may come in, for one context: the run's client key, nobody else.

    pyzmq's own authenticator keeps sockets of the context open until it is told to stop, and TransferQueue ends a
    context by waiting for that.
    """
    import zmq
    from zmq.utils import z85

    asked: Any = zmq.Context.shadow(ctx.underlying).socket(
        zmq.REP
    )  # which `ctx.destroy` does not close under the thread
    try:
        asked.bind(_ZAP)
    except zmq.ZMQError:  # of an earlier socket of this context
        asked.close(linger=0)
        return
    key = z85.decode(public)

    def answer() -> None:
        with contextlib.suppress(zmq.ContextTerminated):
            while True:
                version, number, _, _, _, mechanism, *credentials = asked.recv_multipart()
                may = mechanism == b"CURVE" and credentials == [key]
                status = (b"200", b"OK") if may else (b"400", b"not of this run")
                asked.send_multipart([version, number, *status, b"", b""])
        asked.close(linger=0)

    threading.Thread(target=answer, name="who-may-come-in", daemon=True).start()
