"""A folder for temporary files whose path leaves room for the sockets of Ray."""

import os
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from sweeper.host import temporary
from sweeper.host.errors import ConfigError


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Lets a test set TMPDIR."""
    yield monkeypatch
    tempfile.tempdir = None


def of_length(parent: Path, length: int) -> Path:
    """A folder whose path has that many characters."""
    folder = parent
    while len(str(folder)) < length - 200:
        folder /= "x" * 100
    folder /= "x" * (length - len(str(folder)) - 1)
    folder.mkdir(parents=True)
    return folder


def binds_in(folder: Path) -> bool:
    """Whether a socket with the longest name of Ray's can be made there."""
    path = folder / temporary.RAY_SOCKET
    path.parent.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as listener, suppress(OSError):
        listener.bind(str(path))
    return path.is_socket()


@pytest.mark.parametrize("length", [138, 60])
def test_where_tmpdir_is_too_long_a_job_makes_its_sockets_in_a_private_folder_that_it_removes(
    length: int, tmp_path: Path, use: pytest.MonkeyPatch
) -> None:
    long = of_length(tmp_path, max(length, len(str(tmp_path)) + 2))
    use.setenv("TMPDIR", str(long))
    tempfile.tempdir = None
    with tempfile.TemporaryDirectory(prefix="rl-") as direct:
        assert not binds_in(Path(direct))
    with temporary.with_room():
        own = Path(os.environ["TMPDIR"])
        assert tempfile.gettempdir() == str(own)
        assert stat.S_IMODE(own.stat().st_mode) == 0o700
        with tempfile.TemporaryDirectory(prefix="rl-") as scratch:
            assert Path(scratch).parent == own
            assert binds_in(Path(scratch))
            child = [sys.executable, "-c", "import tempfile; print(tempfile.gettempdir())"]
            assert subprocess.check_output(child, text=True).strip() == str(own)
    assert not own.exists()
    assert os.environ["TMPDIR"] == tempfile.gettempdir() == str(long)


def test_the_longest_tmpdir_that_is_kept_has_room_and_one_longer_has_none(use: pytest.MonkeyPatch) -> None:
    for length, kept in ((23, True), (24, False)):
        with tempfile.TemporaryDirectory(prefix="x" * (length - len("/tmp/") - 8), dir="/tmp") as folder:
            assert len(folder) == length
            use.setenv("TMPDIR", folder)
            tempfile.tempdir = None
            assert (temporary.place() == folder) is kept
            with tempfile.TemporaryDirectory(prefix="rl-") as scratch:
                assert binds_in(Path(scratch)) is kept


def test_every_place_to_fall_back_to_leaves_room_for_a_folder_in_a_folder() -> None:
    for place in temporary._SHORT:
        assert temporary.has_room(f"{place}/rl-xxxxxxxx"), place


def test_without_any_place_the_variable_is_named(tmp_path: Path, use: pytest.MonkeyPatch) -> None:
    use.setenv("TMPDIR", str(of_length(tmp_path, 138)))
    tempfile.tempdir = None
    use.setattr(temporary, "_SHORT", (str(tmp_path / "none"),))
    with pytest.raises(ConfigError, match=r"TMPDIR=.*too long for Ray's sockets.*set TMPDIR to a shorter path"):
        temporary.place()
