"""A small service that speaks SandboxFusion's protocol, runs programs in plain processes, and can be made to fail."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FusionService(ThreadingHTTPServer):
    """`failures` answers are errors before the service works; `connections` counts those that were opened."""

    daemon_threads = True
    failures = 0
    failure: tuple[int, object] = (500, {})
    connections = 0

    def process_request(self, request: object, client_address: object) -> None:
        self.connections += 1
        super().process_request(request, client_address)  # type: ignore[arg-type]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FusionService

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.failures:
            self.server.failures -= 1
            self._answer(*self.server.failure)
        elif self.path != "/run_code" or body["language"] != "python":
            self._answer(404, {})
        else:
            self._answer(200, _run(body))

    def _answer(self, status: int, content: object) -> None:
        payload = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *arguments: object) -> None:
        pass


def _run(body: dict[str, object]) -> dict[str, object]:
    command = [sys.executable, "-I", "-c", str(body["code"])]
    limit = float(str(body["run_timeout"]))
    given = str(body["stdin"]).encode()
    try:
        done = subprocess.run(command, input=given, capture_output=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return {"status": "Failed", "run_result": {"status": "TimeLimitExceeded", "stdout": ""}}
    result = {"status": "Finished", "return_code": done.returncode, "stdout": done.stdout.decode("utf-8", "replace")}
    return {"status": "Success" if done.returncode == 0 else "Failed", "run_result": result}


@contextmanager
def fusion_service() -> Iterator[FusionService]:
    with FusionService(("127.0.0.1", 0), _Handler) as service:
        threading.Thread(target=service.serve_forever, daemon=True).start()
        try:
            yield service
        finally:
            service.shutdown()
