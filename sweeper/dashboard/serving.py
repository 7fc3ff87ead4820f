"""The server: a socket of this machine alone, and how it is reached and ended."""

import secrets
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from threading import Thread

import uvicorn

from sweeper.dashboard.pages import application
from sweeper.host import vega
from sweeper.host.errors import ConfigError

ADDRESS, NEXT_PORTS = "127.0.0.1", 20


def bound(port: int) -> socket.socket:
    """A socket at that port of this machine alone, or at one of the next, which is told on stderr; 0: at any free one.

    Raises:
        ConfigError: none of them is free.
    """
    for number in range(port, min(port + NEXT_PORTS, 65536)):
        opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # of a server that has just ended
        try:
            opened.bind((ADDRESS, number))
            opened.listen()
        except OSError as error:
            opened.close()
            if isinstance(error, PermissionError):
                raise ConfigError(f"--port {port}: {error.strerror}; choose one above 1023") from None
            continue
        if number != port:
            print(f"port {port} is in use; this is {number}", file=sys.stderr)
        return opened
    raise ConfigError(f"--port {port}: it is in use, and so are the next {NEXT_PORTS - 1}; choose another")


def serve(results_dir: Path, *, port: int, grid: str | None) -> None:
    """Serve until it is interrupted or told to end; the address, with its token, is printed first."""
    token = secrets.token_urlsafe(24)
    opened = bound(port)
    Thread(target=_pack, daemon=True).start()  # while the first page is opened, which has no figure
    for number in (signal.SIGINT, signal.SIGTERM):  # uvicorn closes what is open, and then raises it once more
        signal.signal(number, signal.default_int_handler)
    with suppress(KeyboardInterrupt), opened:
        print(_where(opened.getsockname()[1], token), flush=True)
        config = uvicorn.Config(
            application(results_dir, token=token, grid=grid),
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        uvicorn.Server(config).run(sockets=[opened])
    print("the dashboard has ended", file=sys.stderr)


def _pack() -> None:
    with suppress(subprocess.CalledProcessError):  # told where it is asked for
        vega.javascript()


def _where(port: int, token: str) -> str:
    host = socket.gethostname()
    return (
        f"open http://{ADDRESS}:{port}/?token={token}\n"
        f"from another machine first: ssh -N -L {port}:{ADDRESS}:{port} {host}\n"
        "It only reads; whoever has the address sees what you see. Ctrl-C ends it."
    )
