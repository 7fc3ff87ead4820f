"""A hub with one model, served over HTTP on this machine, as huggingface_hub asks one."""

import hashlib
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(ThreadingHTTPServer):
    """Serves a folder, and what is below it, as the repository acme/tiny; knows how often each file was fetched."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.folder = folder
        self.sent: Counter[str] = Counter()  # files that were sent to their end
        self.begun: Counter[str] = Counter()
        self.held: set[str] = set()  # files that stop in their middle
        self.is_gated = False  # lists its files, and gives none

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def files(self) -> dict[str, Path]:
        return {str(path.relative_to(self.folder)): path for path in self.folder.rglob("*") if path.is_file()}


@contextmanager
def serving(folder: Path) -> Iterator[Hub]:
    hub = Hub(folder)
    thread = threading.Thread(target=hub.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.held.clear()
        hub.shutdown()
        hub.server_close()
        thread.join()


class _Answer(BaseHTTPRequestHandler):
    server: Hub

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: a test says what it sees."""

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        path = urlsplit(self.path).path
        if path == f"/api/models/acme/tiny/tree/{COMMIT}":
            self._send(json.dumps(self._tree("recursive=True" in self.path or "recursive=true" in self.path)).encode())
        elif path.startswith("/acme/tiny/resolve/"):
            self._file(path.removeprefix(f"/acme/tiny/resolve/{COMMIT}/"), body=body)
        else:
            self._send(b"{}", code=404, headers={"X-Error-Code": "RepoNotFound"})

    def _tree(self, recursive: bool) -> list[dict[str, object]]:
        files = self.server.files().items()
        listed: list[dict[str, object]] = [
            {"type": "file", "path": name, "size": path.stat().st_size, "oid": _oid(path)}
            for name, path in files
            if recursive or "/" not in name
        ]
        folders = {name.partition("/")[0] for name, _ in files if "/" in name}
        return [*listed, *({"type": "directory", "path": name, "oid": "0" * 40} for name in folders)]

    def _file(self, name: str, *, body: bool) -> None:
        if self.server.is_gated:
            self._send(b"{}", code=403, headers={"X-Error-Code": "GatedRepo"})
            return
        path = self.server.files()[name]
        content = path.read_bytes()
        headers = {"ETag": f'"{_oid(path)}"', "X-Repo-Commit": COMMIT}
        if not body:
            self._send(content, headers=headers, body=False)
            return
        self.server.begun[name] += 1
        self._begin(200, headers | {"Content-Length": str(len(content))})
        half = len(content) // 2
        self.wfile.write(content[:half])
        self.wfile.flush()
        while name in self.server.held:
            time.sleep(0.02)
        self.wfile.write(content[half:])
        self.server.sent[name] += 1

    def _send(
        self, content: bytes, code: int = 200, headers: dict[str, str] | None = None, *, body: bool = True
    ) -> None:
        self._begin(code, {"Content-Length": str(len(content)), **(headers or {})})
        if body and self.command != "HEAD":
            self.wfile.write(content)

    def _begin(self, code: int, headers: dict[str, str]) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


def _oid(path: Path) -> str:
    return hashlib.sha1(path.read_bytes()).hexdigest()
