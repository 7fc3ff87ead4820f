"""Runs programs on a SandboxFusion-compatible service, for machines that cannot isolate anything themselves.

`POST {url}/run_code` with `code`, `language`, `stdin` and `run_timeout`. As in the local sandbox, expected outputs are
not sent, but for test code that cannot be taken apart; that runs in a process of its own there as well. What went
wrong with the service is never taken for what the program did: it raises `RemoteOutage`.
"""

import http.client
import json
import queue
import secrets
import signal
import ssl
import time
import urllib.parse
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from rewards.sandbox.execution import Ended, Limits
from rewards.sandbox.frames import WorkerDied

_ATTEMPTS = 4
_PAUSE_S = 0.5
_CONNECTIONS = 16
# What the service itself may take on top of the program's time.
_SERVICE_S = 30.0
_RESPONSE_LIMIT = 64 << 20
_MODULES = (
    "frames",
    *("inside.encoding", "inside.agreement", "inside.timer", "inside.event_loop", "inside.cell", "inside.peer"),
    *(
        "inside.remote_object",
        "inside.remote_objects",
        "inside.solution_server",
        "inside.known_names",
        "inside.pytest_tests",
    ),
    *("inside.stand_ins", "inside.rewriting", "inside.unittest_cases", "inside.tester"),
)


class RemoteOutage(WorkerDied):
    """The service did not answer, or not as such a service does."""


class RemoteSandbox:
    """A service, with a pool of kept-alive connections to it. Calls may come from any thread."""

    def __init__(self, url: str) -> None:
        """Args: url: Base address, with or without `/run_code`."""
        parts = urllib.parse.urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise RemoteOutage(f"REWARDS_SANDBOX_URL={url} is not an http address")
        self._url = url
        self._path = parts.path.rstrip("/").removesuffix("/run_code") + "/run_code"
        self._idle: queue.LifoQueue[http.client.HTTPConnection] = queue.LifoQueue()
        for _ in range(_CONNECTIONS):  # each connects when it is first used, and again after it was closed
            self._idle.put(
                http.client.HTTPSConnection(parts.hostname, parts.port, context=ssl.create_default_context())
                if parts.scheme == "https"
                else http.client.HTTPConnection(parts.hostname, parts.port)
            )

    def check(self) -> None:
        """Raises RemoteOutage unless the service runs a program and gives its output back."""
        nonce = secrets.token_hex(16)
        run = self.run(f"print(input() + {nonce[:16]!r})", nonce[16:] + "\n", 10.0)
        if run.output.strip() != (nonce[16:] + nonce[:16]).encode():
            raise RemoteOutage(f"{self._url} did not run a program that prints what it reads")

    def run(self, code: str, stdin: str, wall_s: float) -> Ended:
        """Runs one program; how much it may print is for the caller to see to.

        Raises:
            RemoteOutage: After some attempts, of which each is as long as the program's time and half a minute.
        """
        body = {"code": code, "language": "python", "stdin": stdin, "run_timeout": wall_s, "compile_timeout": wall_s}
        problem = ""
        for attempt in range(_ATTEMPTS):
            if attempt:
                time.sleep(_PAUSE_S * 2**attempt)
            begun = time.monotonic()
            try:
                answer = self._post(json.dumps(body).encode(), wall_s + _SERVICE_S)
                return _parsed(answer, time.monotonic() - begun)
            except (OSError, http.client.HTTPException, ValueError) as error:
                problem = f"{type(error).__name__}: {error}"
        raise RemoteOutage(f"the sandbox service {self._url} failed {_ATTEMPTS} times, last with {problem}")

    def _post(self, body: bytes, limit_s: float) -> object:
        connection = self._idle.get()
        try:
            connection.timeout = limit_s
            if connection.sock is not None:
                connection.sock.settimeout(limit_s)
            connection.request("POST", self._path, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            payload = response.read(_RESPONSE_LIMIT + 1)
            if response.status != 200:
                raise ValueError(f"HTTP status {response.status}")
            if len(payload) > _RESPONSE_LIMIT:
                raise ValueError("an answer of more than 64 MB")
            return json.loads(payload)
        except BaseException:
            connection.close()
            raise
        finally:
            self._idle.put(connection)

    def execute(self, kind: str, contents: list[bytes], limits: Limits, output_limit: int) -> Ended:
        """As `rewards.sandbox.execution.execute`, with contents in place of descriptors."""
        nonce = secrets.token_hex(16)
        if kind == "program":
            code, stdin = (content.decode("utf-8", "replace") for content in contents)
            run = self.run(code, stdin, limits.wall_s)
            output = run.output
        else:
            texts = [content.decode() for content in contents]
            run = self.run(_bootstrap(kind, texts, nonce), "", limits.wall_s)
            # Evidence that the harness got to its end, and where its report starts; not a proof against forging, which
            # values need not be (what they must equal is not there) and which tests are protected from otherwise.
            _, found, report = run.output.rpartition(nonce.encode())
            output = report.strip() if found else b""
        return replace(run, flooded=len(output) > output_limit, output=output[:output_limit])


def _parsed(answer: object, seconds: float) -> Ended:
    """Of the service's answer: `status`, and in `run_result` `status`, `return_code`, `stdout`."""
    if not isinstance(answer, Mapping):
        raise ValueError("an answer that is no object")
    if answer.get("status") == "SandboxError":
        raise ValueError(f"SandboxError: {str(answer.get('message'))[:200]}")
    result = answer.get("run_result")
    if not isinstance(result, Mapping) or "status" not in result:
        raise ValueError(f"an answer without run_result: {str(answer)[:200]}")
    finished = result["status"] == "Finished"
    if not finished and result["status"] != "TimeLimitExceeded":
        raise ValueError(f"run_result with status {str(result['status'])[:100]}")
    code = result.get("return_code")
    if finished and not isinstance(code, int):
        raise ValueError("a finished run without return_code")
    return Ended(
        exit=code if isinstance(code, int) and code >= 0 else None,
        late=not finished or code in (-signal.SIGPROF, 128 + signal.SIGPROF),
        flooded=False,
        output=str(result.get("stdout") or "").encode("utf-8", "replace"),
        cpu_s=seconds,
        asleep_s=0.0,
    )


_PREAMBLE = """
import json, os, random, subprocess, sys, tempfile, types

def load(sources):
    for name in ("rewards", "rewards.sandbox", "rewards.sandbox.inside"):
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].__path__ = []
    for name, source in sources.items():
        module = sys.modules["rewards.sandbox." + name] = types.ModuleType(name)
        package, _, last = name.rpartition(".")
        setattr(sys.modules["rewards.sandbox" + ("." + package if package else "")], last, module)
        exec(compile(source, name, "exec"), module.__dict__)

def quiet():
    printed = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return printed

def given(text):
    file = tempfile.TemporaryFile()
    file.write(text.encode())
    file.flush()
    return os.dup(file.fileno())
"""
_CALLS = """
printed = quiet()
load(SOURCES)
from rewards.sandbox import frames
from rewards.sandbox.inside import cell
report = tempfile.TemporaryFile()
status = cell.run_calls(given(TEXTS[0]), report.fileno())
report.seek(0)
frames.write_whole(printed, b"\\n" + NONCE.encode() + report.read())
os._exit(status)
"""
_TESTS = """
import ctypes
printed = quiet()
ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # the program's process may not read this one's memory
to_solution, from_tester = os.pipe()
to_tester, from_solution = os.pipe()
solution = given(TEXTS[0])
child = subprocess.Popen(
    [sys.executable, "-I", "-c", PREAMBLE + SERVE, str(solution), str(to_solution), str(from_solution)],
    stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    pass_fds=(solution, to_solution, from_solution))
child.stdin.write(json.dumps(SOURCES).encode())
child.stdin.close()
os.close(to_solution)
os.close(from_solution)
load(SOURCES)
from rewards.sandbox import frames
from rewards.sandbox.inside import tester
report = tempfile.TemporaryFile()
status = tester.run_tests(given(TEXTS[1]), to_tester, from_tester, report.fileno())
child.kill()
report.seek(0)
frames.write_whole(printed, b"\\n" + NONCE.encode() + report.read())
os._exit(status)
"""
_SERVE = """
load(json.loads(sys.stdin.buffer.read()))
from rewards.sandbox.inside import solution_server
solution_server.serve_solution(*map(int, sys.argv[1:]))
"""


def _bootstrap(kind: str, texts: list[str], nonce: str) -> str:
    """A script that brings our own harness along and runs it there."""
    folder = Path(__file__).resolve().parent
    sources = {name: (folder / f"{name.replace('.', '/')}.py").read_text() for name in _MODULES}
    values = {"SOURCES": sources, "TEXTS": texts, "NONCE": nonce, "PREAMBLE": _PREAMBLE, "SERVE": _SERVE}
    head = "\n".join(f"{name} = {value!r}" for name, value in values.items())
    return f"{head}\n{_PREAMBLE}\n{_CALLS if kind == 'calls' else _TESTS}"
