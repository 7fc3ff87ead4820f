"""The files that pins resolve to, as uv finds them in the index; and the Python files of one wheel without the rest."""

import io
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path

import httpx

from sweeper.host.files import write_atomic

PLATFORM = "x86_64-manylinux_2_31"  # the oldest glibc for which every pin has a wheel
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Release:
    """The file by which a pinned package would be installed.

    Attributes:
        name: Of the package.
        file: Its name, which tells Python, platform and whether it is a wheel.
        url: Where it is.
        size: Bytes; None: the index does not say.
    """

    name: str
    file: str
    url: str
    size: int | None

    @property
    def is_wheel(self) -> bool:
        """Whether nothing has to be built."""
        return self.file.endswith(".whl")


def uv(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run uv, of this environment or of the machine.

    Raises:
        FileNotFoundError: There is none.
    """
    program = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    if program is None:
        raise FileNotFoundError("needs uv: make setup installs it")
    return subprocess.run([program, *arguments], capture_output=True, text=True, timeout=500, check=False)


def resolved(requirements: Path, *, python: str) -> list[Release]:
    """The files that pins resolve to on x86-64 Linux, dependencies left aside; `python`: "3.12".

    Raises:
        RuntimeError: They do not resolve, in uv's words.
    """
    where = ("--python-version", python, "--python-platform", PLATFORM)
    done = uv("pip", "compile", str(requirements), "--no-deps", *where, "--format", "pylock.toml")
    if done.returncode:
        raise RuntimeError(done.stderr)
    found = []
    for package in tomllib.loads(done.stdout)["packages"]:
        files = package.get("wheels") or [package["sdist"]]
        file = max(files, key=lambda item: item["url"].rpartition("/")[2])  # of several the one for the newest glibc
        found.append(Release(package["name"], file["url"].rpartition("/")[2], file["url"], file.get("size")))
    return found


def sources(release: Release) -> Path:
    """A folder with the Python files of a wheel, read once into the user's cache by ranges of the remote file.

    Raises:
        httpx.HTTPError: The file cannot be read.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    folder = cache / "rl-scaling-sweeper" / "wheels" / release.file.removesuffix(".whl")
    if not (folder / ".whole").exists():
        with httpx.Client(timeout=60) as client, zipfile.ZipFile(remote(client, release)) as wheel:
            for item in wheel.infolist():
                if item.filename.endswith(".py"):
                    wheel.extract(item, folder)
        write_atomic(folder / ".whole", release.url)
    return folder


def remote(client: httpx.Client, release: Release) -> io.BufferedReader:
    """A release's file, of which only what is read is fetched."""
    return io.BufferedReader(_Remote(client, release.url), _BLOCK)


class _Remote(io.RawIOBase):
    """A file of a web server, read by ranges."""

    def __init__(self, client: httpx.Client, url: str) -> None:
        self._client, self._url, self._at = client, url, 0
        head = client.get(url, headers={"Range": "bytes=0-0"}, follow_redirects=True)
        if head.status_code != httpx.codes.PARTIAL_CONTENT:
            raise httpx.HTTPError(f"{url}: asked for a range it answers {head.status_code}")
        self._size = int(head.headers["Content-Range"].rpartition("/")[2])

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:
        """Ask for as many bytes as there is room for."""
        last = min(self._at + len(buffer), self._size) - 1
        if last < self._at:
            return 0
        answer = self._client.get(self._url, headers={"Range": f"bytes={self._at}-{last}"}, follow_redirects=True)
        answer.raise_for_status()
        buffer[: len(answer.content)] = answer.content
        self._at = last + 1
        return len(answer.content)
