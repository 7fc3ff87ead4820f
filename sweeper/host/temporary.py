"""A folder for temporary files in which programs can make sockets."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sweeper.host.errors import ConfigError

SOCKET_BYTES = 107  # of a Unix socket's path: sun_path of 108 with its final NUL (unix(7))
# Below the folder that Ray is given: ray/session_<date>_<time>_<microseconds>_<pid>/sockets/<name>. The longest name
# that Ray 2.60 uses is its dashboard's, and a process id has up to seven digits.
RAY_SOCKET = "ray/session_2026-01-01_00-00-00_000000_4194304/sockets/dash_MetricsHead"
_OWN = "rl-xxxxxxxx"  # the name that `mkdtemp` gives to a folder of ours
_SHORT = ("/tmp", "/var/tmp", "/dev/shm")


def has_room(folder: str) -> bool:
    """Whether Ray can make its sockets in a folder of ours below this one."""
    return len(os.fsencode(str(Path(folder, _OWN, RAY_SOCKET)))) <= SOCKET_BYTES


def place() -> str:
    """Where temporary files of jobs go: `TMPDIR`, or the first usual folder with room where its path is too long.

    Raises:
        ConfigError: there is none that may be written to.
    """
    wanted = tempfile.gettempdir()
    if has_room(wanted):
        return wanted
    for folder in _SHORT:
        if os.access(folder, os.W_OK | os.X_OK):
            return folder
    raise ConfigError(
        f"TMPDIR={wanted}: its path is too long for Ray's sockets ({SOCKET_BYTES} bytes with what Ray appends), and "
        f"none of {', '.join(_SHORT)} can be written to; set TMPDIR to a shorter path"
    )


@contextmanager
def own_folder() -> Iterator[dict[str, str]]:
    """The variable that gives a child a folder for temporary files, which is gone with the block however it ends."""
    with tempfile.TemporaryDirectory(prefix="rl-", ignore_cleanup_errors=True) as folder:
        yield {"TMPDIR": folder}


@contextmanager
def with_room() -> Iterator[None]:
    """For the time of the block, temporary files of this process and its children lie where sockets can be made.

    Where `TMPDIR` is too long for that, they get a private folder (mode 0700) elsewhere, removed at the end.

    Raises:
        ConfigError: there is no place for one.
    """
    found, before = place(), tempfile.gettempdir()
    if found == before:
        yield
        return
    named = os.environ.get("TMPDIR")
    with tempfile.TemporaryDirectory(prefix="rl-", dir=found, ignore_cleanup_errors=True) as folder:
        os.environ["TMPDIR"] = tempfile.tempdir = folder
        try:
            yield
        finally:
            tempfile.tempdir = before
            if named is None:
                del os.environ["TMPDIR"]
            else:
                os.environ["TMPDIR"] = named
