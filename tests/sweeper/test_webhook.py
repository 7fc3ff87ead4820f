"""Who is told of a sweep's end, tried against servers of this machine."""

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from rewards.program import EXIT_USAGE, run_main
from sweeper.host.errors import ConfigError
from sweeper.launch import local, webhook
from sweeper.launch.webhook import Webhook
from sweeper.rows.row import Failure, write_row
from sweeper.runs.folder import RunDir
from tests.sweeper.points import spec
from tests.sweeper.rows import row

TOKEN = "T0KEN-of-the-address"


class Server(ThreadingHTTPServer):
    """Answers as its path says, and remembers what it was told."""

    daemon_threads = True
    told: list[tuple[str, dict[str, Any]]]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.told.append((self.path, body))
        if "/hangs/" in self.path:
            time.sleep(1.0)
        self.send_response(500 if "/fails/" in self.path else 307 if "/moves/" in self.path else 200)
        self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/elsewhere/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server(("127.0.0.1", 0), Handler)
    found.told = []
    threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield found
    found.shutdown()


def hook(server: Server, way: str, said: list[str]) -> Webhook:
    address = f"http://127.0.0.1:{server.server_port}/{way}/{TOKEN}"
    found = Webhook.of([spec("logging.webhook_env=MY_HOOK")], "ladder", {"MY_HOOK": address})
    found.say = said.append
    return found


def test_the_end_of_a_sweep_is_told_with_counts_and_verdict_as_slack_takes_it(server: Server) -> None:
    said: list[str] = []
    hook(server, "ok", said).ended(["done", "done", "failed"], ["pass@1 rose in 2 of 2 runs"])
    ((path, body),) = server.told
    assert path == f"/ok/{TOKEN}"
    assert body == {
        "grid": "ladder",
        "event": "end",
        "counts": {"done": 2, "failed": 1},
        "verdict": ["pass@1 rose in 2 of 2 runs"],
        "text": "ladder: ended with 2 done, 1 failed\npass@1 rose in 2 of 2 runs",
    }
    assert said == []


def test_the_first_failure_is_told_and_no_other_and_no_success(server: Server, tmp_path: Path) -> None:
    found = hook(server, "ok", [])
    for seed, why in ((1, None), (2, "no memory is left"), (3, "no memory is left")):
        run = spec(f"seed={seed}")
        failure = None if why is None else Failure(phase="train", reason=why, log="l")
        write_row(tmp_path, row(run, failure=failure))
        found.run_ended(RunDir(results_dir=tmp_path, run_id=run.run_id))
    ((_, body),) = server.told
    assert (body["event"], body["run"]) == ("first failure", spec("seed=2").run_id)
    assert body["text"].endswith("failed in train: no memory is left")


@pytest.mark.parametrize(
    ("way", "why"), [("fails", "status 500"), ("moves", "status 307"), ("hangs", "no answer in 0 s")]
)
def test_a_server_that_does_not_take_it_costs_a_line_without_the_address(
    way: str, why: str, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "SECONDS", 0.3 if way == "hangs" else 10.0)
    said: list[str] = []
    start = time.monotonic()
    hook(server, way, said).ended(["done"], [])
    assert way != "hangs" or time.monotonic() - start < 9  # a hang guard
    assert said == [f"the webhook was not told (end): {why}; the sweep goes on"]
    assert [path for path, _ in server.told] == [f"/{way}/{TOKEN}"], "it was followed elsewhere"


def test_a_server_that_is_not_there_costs_a_line() -> None:
    said: list[str] = []
    found = Webhook(address="http://127.0.0.1:1/x", what="ladder", say=said.append)
    found.ended(["done"], [])
    assert said == ["the webhook was not told (end): URLError; the sweep goes on"]


@pytest.mark.parametrize(
    ("name", "environment", "cure"),
    [
        ("MY_HOOK", {}, "is not set here"),
        ("MY_HOOK", {"MY_HOOK": "file:///etc/passwd"}, "no http address"),
    ],
)
def test_a_variable_that_holds_no_address_is_refused_before_anything_starts(
    name: str, environment: dict[str, str], cure: str
) -> None:
    run = spec(f"logging.webhook_env='{name}'")
    with pytest.raises(ConfigError, match=cure):
        Webhook.of([run], "ladder", environment)


@pytest.mark.parametrize("verb", [["plan"], ["export-sbatch", "--out", "out"], ["prepare"], []])
def test_every_verb_refuses_an_address_in_place_of_a_name_unsaid_and_unwritten(
    verb: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    address = "https://hooks.example/services/T0/B0/secret"
    asked = ["model=tiny-40k", f"logging.webhook_env='{address}'", f"results_dir={tmp_path}/results"]
    assert run_main("sweeper.cli.main", [*verb, *asked]) == EXIT_USAGE
    out = "".join(capfd.readouterr())
    assert "logging.webhook_env must be the name of a variable" in out
    assert "hooks.example" not in out
    assert list(tmp_path.iterdir()) == []


def test_the_address_is_in_no_specification() -> None:
    run = spec("logging.webhook_env=MY_HOOK")
    assert run.run_id == spec().run_id
    assert TOKEN not in run.to_json()


def test_without_a_name_nobody_is_told(server: Server) -> None:
    found = Webhook.of([spec()], "ladder", {})
    found.ended(["done"], [])
    assert server.told == []


def test_a_launch_tells_of_a_run_that_fails_while_others_go_on(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The jobs are processes that end at once; the rows are what they would have left."""
    runs = [spec(f"seed={seed}", "cluster.max_parallel=1", "cluster.device=cpu") for seed in (1, 2)]

    def start_job(run_dir: RunDir, _: object) -> "subprocess.Popen[bytes]":
        (run,) = (run for run in runs if run.run_id == run_dir.run_id)
        failure = Failure(phase="train", reason="no memory is left", log="l") if run.seed == 1 else None
        write_row(tmp_path, row(run, failure=failure))
        return subprocess.Popen(["true"])

    monkeypatch.setattr(local, "start_job", start_job)
    local.run_local(runs, tmp_path, on_end=hook(server, "ok", []).run_ended)
    ((_, body),) = server.told
    assert (body["event"], body["run"]) == ("first failure", runs[0].run_id)
