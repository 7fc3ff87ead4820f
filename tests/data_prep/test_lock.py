import fcntl
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from data_prep.files import lock
from data_prep.files.lock import LockedError, holder, is_locked, locked, opened, take

IN_ITS_PLACE: dict[str, Callable[[Path, Path], object]] = {
    "a link to nothing": lambda path, other: path.symlink_to(other.with_name("nothing")),
    "a link": lambda path, other: path.symlink_to(other),
    "a hard link": lambda path, other: os.link(other, path),
    "a pipe": lambda path, _: os.mkfifo(path),
    "a folder": lambda path, _: path.mkdir(),
}


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
@pytest.mark.parametrize(
    ("folder", "mode"), [(0o700, 0o600), (0o755, 0o600), (0o2770, 0o660), (0o2775, 0o660), (0o777, 0o666)]
)
def test_a_lock_is_open_to_who_may_write_its_folder_and_to_nobody_else(
    tmp_path: Path, umask: int, folder: int, mode: int
) -> None:
    tmp_path.chmod(folder)
    before = os.umask(umask)
    try:
        with locked(tmp_path / "lock", wait=False):
            assert stat.S_IMODE((tmp_path / "lock").stat().st_mode) == mode
    finally:
        os.umask(before)
        tmp_path.chmod(0o700)


def test_a_lock_of_an_earlier_version_that_all_could_hold_is_closed_to_its_readers(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.write_text("n1 7")
    path.chmod(0o644)
    with locked(path, wait=False):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("kind", IN_ITS_PLACE)
def test_what_lies_in_the_place_of_a_lock_is_refused_unread_and_unwritten(tmp_path: Path, kind: str) -> None:
    path, other = tmp_path / "lock", tmp_path / "diary"
    other.write_text("dear diary")
    IN_ITS_PLACE[kind](path, other)
    assert not is_locked(path)
    assert holder(path) is None
    with pytest.raises(LockedError, match="remove it"), locked(path, wait=True):
        pass
    assert other.read_text() == "dear diary"
    assert sorted(item.name for item in tmp_path.iterdir()) == ["diary", "lock"]


def test_a_wait_says_for_whom_it_waits_and_goes_on_saying_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path, clock = tmp_path / "lock", [0.0]
    first, second = opened(path), opened(path)
    take(first, path, wait=False)

    def sleep(seconds: float) -> None:
        clock[0] += seconds
        if clock[0] > 130:
            fcntl.flock(first, fcntl.LOCK_UN)

    kept = {name: getattr(time, name) for name in ("time", "strftime", "localtime")}
    monkeypatch.setattr(lock, "time", SimpleNamespace(monotonic=lambda: clock[0], sleep=sleep, **kept))
    take(second, path, wait=True)
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 3  # after two seconds, and every minute
    who = f"process {os.getpid()} of {lock.pwd.getpwuid(os.geteuid()).pw_name} on {os.uname().nodename}, since 20"
    assert all(f"waiting for {path}, held by {who}" in line for line in told)
    for descriptor in (first, second):
        os.close(descriptor)


@pytest.mark.parametrize("word", ["", "n1", "n1 x", "\x1b]52;c;ZXZpbA==\x07 7", "n1 7 anna\nmallory 1 2", "x" * 9999])
def test_a_holder_whose_word_is_no_name_and_number_is_told_as_unknown(tmp_path: Path, word: str) -> None:
    path = tmp_path / "lock"
    path.write_text(word)
    descriptor = os.open(path, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    assert holder(path) is None
    with pytest.raises(LockedError, match="held by a process that does not say who it is"), locked(path, wait=False):
        pass
    os.close(descriptor)


def test_a_lock_that_another_user_closed_is_refused_with_their_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, really = tmp_path / "lock", os.open
    path.touch()
    # Root is refused nothing, so the kernel's answer to anybody else is put in its place.
    refused = PermissionError(13, "Permission denied", str(path))
    monkeypatch.setattr(os, "open", lambda name, *rest: really(name, *rest) if name != path else _raise(refused))
    with pytest.raises(LockedError, match=rf"{path} is .+'s and closed to"), locked(path, wait=True):
        pass
    with pytest.raises(PermissionError):
        is_locked(path)
    assert holder(path) is None


def _raise(error: Exception) -> int:
    raise error
