"""What somebody else may have put in a file's place hangs nobody, fills no memory, and is named."""

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from rewards.bounded_file import JSON_ITEMS, last_bytes, lines, open_regular, parsed, read_bytes, read_json, shallow


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        os.chdir(path.parent)  # a socket's whole path has to be short
        listener.bind(path.name)


KINDS: dict[str, tuple[Callable[[Path], object], str]] = {
    "a named pipe": (os.mkfifo, "a named pipe is where a regular file should be"),
    "a link to a device": (lambda path: path.symlink_to("/dev/zero"), "a device is where a regular file should be"),
    "a socket": (_socket, "a socket is where a regular file should be"),
    "a folder": (Path.mkdir, "Is a directory"),
    "a link to itself": (lambda path: path.symlink_to(path), "Too many levels of symbolic links"),
    "a link to nothing": (lambda path: path.symlink_to("nothing"), "No such file or directory"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_regular_file_is_refused_with_its_name_before_it_is_opened(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "x.json"
    make, words = KINDS[kind]
    make(path)
    readers = (open_regular, read_json, last_bytes, lambda of: list(lines(of, at_most=9)))
    for reader in readers:
        with pytest.raises(OSError, match=words) as raised:
            reader(path)
        assert raised.value.filename == str(path) or raised.value.filename == path


def test_a_link_to_a_regular_file_is_followed(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("[1]")
    (tmp_path / "x.json").symlink_to("there")
    assert read_json(tmp_path / "x.json") == [1]


def test_a_file_of_gigabytes_is_refused_by_its_size_and_its_end_is_read_from_its_end(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    with path.open("wb") as file:
        file.truncate(3 << 30)  # sparse
        file.seek(0, os.SEEK_END)
        file.write(b"the end")
    with pytest.raises(OSError, match="it is larger than the 32 MiB that are read of such a file"):
        read_json(path)
    with pytest.raises(OSError, match="it is larger than the 5 bytes"):
        list(lines(path, at_most=5))
    assert last_bytes(path, 9) == b"\0\0the end"
    assert last_bytes(path, 9, start=(3 << 30) + 4) == b"end"
    with pytest.raises(ValueError, match="a line is longer than 64 MiB"):
        next(lines(path, at_most=4 << 30))


def test_a_file_may_have_all_of_the_bytes_that_it_may_have(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"12345")
    assert read_bytes(path, 5) == b"12345"
    assert list(lines(path, at_most=5)) == [b"12345"]


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "1" * 5000, b'"\xff"', "[" + "[]," * JSON_ITEMS])
def test_json_that_is_too_deep_too_long_or_none_is_refused_as_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"deep|more than|Exceeds the limit|utf-8"):
        parsed(text)


def test_what_is_kept_as_it_is_may_be_nested_so_deep_and_no_deeper() -> None:
    deep = json.loads("[" * 64 + "]" * 64)
    assert shallow(deep) == deep
    assert shallow({"a": [1, {}]}) == {"a": [1, {}]}
    for wrong in ([deep], {"a": deep}):
        with pytest.raises(ValueError, match="deeper than 64 levels"):
            shallow(wrong)
