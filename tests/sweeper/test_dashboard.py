import json
import shutil
import signal
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from httpx import Response

from sweeper.cli.main import main
from sweeper.dashboard.guard import report_key
from sweeper.dashboard.overview import KEPT_SECONDS
from sweeper.dashboard.pages import _OWN, application
from sweeper.dashboard.serving import bound
from sweeper.host.errors import ConfigError
from sweeper.rows.row import row_path
from tests.sweeper import hostile_folder
from tests.sweeper.four_runs import four_runs

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Starlette would like another client
    from starlette.testclient import TestClient

TOKEN = "a-token"
HOSTILE = "<img src=x onerror=alert(1)>\x1b]0;title\x07"
PAGES = ("/", "/compare", "/reports", "/run/RUN", "/samples/RUN", *(f"/own/{name}" for name in _OWN))
DATA = ("/data/runs", "/data/run?run=RUN", "/data/log?run=RUN", "/data/curves", "/data/metrics", "/data/differences")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models x two seeds: done, failed, interrupted in step 3, never begun."""
    results = tmp_path_factory.mktemp("made") / "results"
    (attempt,) = four_runs(results, hostile=HOSTILE)["interrupted"].attempts()
    with attempt.metrics.open("w") as file:
        for step in (1, 2, 3):
            data = {
                "critic/score/mean": step / 10,
                "perf/total_num_tokens": 100,
                "perf/time_per_step": 2.0,
                "own/x": step,
            }
            file.write(json.dumps({"step": step, "data": data}) + "\n")
    return results


@pytest.fixture
def results(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "results"))


def client(results: Path, *, known: bool = True) -> TestClient:
    found = TestClient(application(results, token=TOKEN), base_url="http://127.0.0.1:8123")
    if known:
        found.get("/", params={"token": TOKEN})
    return found


def runs(results: Path) -> dict[str, Any]:
    """The data of the first page, by the state of the run."""
    return {run["state"]: run for run in client(results).get("/data/runs").json()["runs"]}


def run_of(results: Path, state: str) -> str:
    return str(runs(results)[state]["id"])


def answers(results: Path) -> Iterator[tuple[str, Response]]:
    """Every address, of every run."""
    asking = client(results)
    for run in asking.get("/data/runs").json()["runs"]:
        for path in (*PAGES, *DATA):
            yield path, asking.get(path.replace("RUN", run["id"]))


def test_nobody_is_answered_without_the_token(results: Path) -> None:
    asking = client(results, known=False)
    for path in (*PAGES, *DATA, "/nothing", "/report/x/by_model.html"):
        for refused in (
            asking.get(path),
            asking.get(path, params={"token": "another"}),
            asking.get(path, headers={"Cookie": "sweeper=a-token; token=a-token"}),
        ):
            assert refused.status_code == 403, path
            assert "?token=" in refused.text
            assert "set-cookie" not in refused.headers


def test_the_token_comes_with_the_address_and_is_then_a_cookie_that_no_other_site_sends(results: Path) -> None:
    asking = client(results, known=False)
    first = asking.get("/", params={"token": TOKEN})
    assert first.status_code == 200
    said = first.headers["set-cookie"].split("; ")
    assert said[0].endswith(f"={TOKEN}")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(said)
    assert asking.get("/data/runs").status_code == 200
    assert "set-cookie" not in asking.get("/").headers


def test_two_servers_of_one_machine_keep_cookies_of_their_own(results: Path) -> None:
    names = [
        TestClient(application(results, token=token), base_url="http://127.0.0.1").get("/", params={"token": token})
        for token in ("one", "two")
    ]
    assert len({answer.headers["set-cookie"].partition("=")[0] for answer in names}) == 2


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8123", "192.0.2.1:8123", ""])
def test_who_asks_for_another_name_than_this_machines_is_refused(results: Path, host: str) -> None:
    assert client(results).get("/data/runs", headers={"Host": host}).status_code == 400


def test_a_tunnel_may_end_at_another_port(results: Path) -> None:
    for host in ("127.0.0.1:9999", "localhost:1"):
        assert client(results).get("/data/runs", headers={"Host": host}, params={"token": TOKEN}).status_code == 200


def test_only_get_is_answered(results: Path) -> None:
    asking = client(results)
    for method in ("POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"):
        assert asking.request(method, "/data/runs").status_code == 405


def test_every_answer_forbids_all_scripts_but_the_servers_own_and_stays_where_it_is(results: Path) -> None:
    for path, answer in answers(results):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy, path
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        if answer.headers["content-type"].startswith("text/html"):
            assert "<script>" not in answer.text
            assert " style=" not in answer.text
            assert " on" + "click" not in answer.text


def test_the_first_page_has_every_run_with_its_axes_progress_and_reason(results: Path) -> None:
    found = runs(results)
    assert list(found) == ["done", "failed", "interrupted", "new"]
    assert found["done"]["axes"] == {"model": "tiny-40k", "seed": "0"}
    assert found["done"]["pass1"] == 0.5
    done = found["done"]
    assert (done["step"], done["steps"], done["reward"], done["left"]) == (20, 20, 0.2, None)
    interrupted = found["interrupted"]
    assert (interrupted["step"], interrupted["steps"], interrupted["reward"]) == (3, 40, 0.25)
    assert interrupted["left"] is None  # nothing runs
    assert interrupted["spent"] == pytest.approx(1.0)
    assert found["new"]["reward"] is None
    data = client(results).get("/data/runs").json()
    assert data["grids"] == {"by_model": ["model", "seed"]}
    assert data["totals"]["states"] == {"done": 1, "failed": 1, "interrupted": 1, "new": 1}
    assert (data["totals"]["left"], data["totals"]["basis"]) == (None, "nothing is running")


def test_usual_metrics_are_those_of_the_row_and_others_those_that_verl_logs(results: Path) -> None:
    asking, done, begun = client(results), run_of(results, "done"), run_of(results, "interrupted")
    rewards = asking.get("/data/curves", params={"metric": "reward"}).json()["curves"]
    assert rewards == {done: [[1, 2], [0.1, 0.2]], begun: [[1, 2, 3], [0.1, 0.2, 0.3]]}
    speed = asking.get("/data/curves", params={"metric": "tokens_per_s", "run": begun}).json()["curves"]
    assert speed == {begun: [[1, 2, 3], [50.0, 50.0, 50.0]]}
    own = asking.get("/data/curves", params={"metric": "own/x"}).json()["curves"]
    assert own == {begun: [[1, 2, 3], [1.0, 2.0, 3.0]]}
    assert ["own/x", "own/x"] in asking.get("/data/metrics", params={"run": begun}).json()


def test_a_line_that_is_logged_is_there_at_the_next_reading_and_half_a_line_is_not(results: Path) -> None:
    asking, begun = client(results), run_of(results, "interrupted")
    path = next((results / "runs" / begun / "attempts").iterdir()) / "metrics.jsonl"
    asked = {"metric": "own/x", "run": begun}
    assert asking.get("/data/curves", params=asked).json()["curves"][begun][0] == [1, 2, 3]
    with path.open("a") as file:
        file.write('{"step": 4, "data": {"own/x": 9.0}}\n{"step": 5, "da')
    assert asking.get("/data/curves", params=asked).json()["curves"][begun] == [[1, 2, 3, 4], [1.0, 2.0, 3.0, 9.0]]


def test_more_points_than_a_page_holds_are_thinned_and_said_to_be(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sweeper.dashboard.curves.MOST_POINTS", 2)
    begun = run_of(results, "interrupted")
    found = client(results).get("/data/curves", params={"metric": "own/x"}).json()
    assert found["every"] == 2
    assert found["curves"][begun][0] == [1, 3]


def test_what_differs_is_a_column_each(results: Path) -> None:
    found = client(results).get("/data/differences").json()
    assert found["columns"] == ["model", "seed"]
    assert sorted(found["runs"].values()) == [[model, seed] for model in ("tiny-130k", "tiny-40k") for seed in "01"]


def test_a_run_tells_its_attempts_its_settings_and_the_end_of_its_log(results: Path) -> None:
    asking, begun = client(results), run_of(results, "interrupted")
    data = asking.get("/data/run", params={"run": begun}).json()
    assert [(item["number"], item["became"], item["seconds"]) for item in data["attempts"]] == [
        (1, "left no record of its end", 3600.0)
    ]
    assert ["model.name", "tiny-130k"] in data["settings"]
    log = asking.get("/data/log", params={"run": begun}).json()
    assert log["lines"] == ["first", "step 1", " step 2", "<img src=x onerror=alert(1)>\\u001b]0;title\\u0007"]
    long = asking.get("/data/log", params={"run": begun, "attempt": "9" * 6000})
    assert (long.status_code, long.json()) == (404, {"problem": "there is no such attempt"})
    done = asking.get("/data/run", params={"run": run_of(results, "done")}).json()
    assert done["scores"][0] == [1, 0.25, 0.5]
    assert asking.get("/data/run", params={"run": "nobody"}).status_code == 404


def test_what_others_wrote_is_escaped_and_has_no_control_character(results: Path) -> None:
    for path, answer in answers(results):
        assert "\x1b" not in answer.text, path
        if answer.headers["content-type"].startswith("text/html"):
            assert "<img" not in answer.text
    odd = client(results).get("/run/%3Cscript%3Ealert(1)%3C%2Fscript%3E")
    assert "<script>alert" not in odd.text
    assert "&lt;script&gt;alert" in odd.text


def test_a_secret_in_a_log_or_a_reason_is_hidden(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_API_KEY", "sesame-and-further-words")
    begun = run_of(results, "interrupted")
    log = next((results / "runs" / begun / "attempts").iterdir()) / "log.txt"
    log.write_text("the key is sesame-and-further-words\n")
    assert client(results).get("/data/log", params={"run": begun}).json()["lines"] == ["the key is [MY_API_KEY]"]


def test_nothing_is_written_touched_or_made_by_looking(results: Path) -> None:
    def state() -> list[tuple[str, int, int]]:
        return [(str(path), path.stat().st_mtime_ns, path.stat().st_ino) for path in sorted(results.rglob("*"))]

    before = state()
    assert all(answer.status_code < 500 for _, answer in answers(results))
    assert state() == before


def test_a_folder_that_is_gone_is_told_and_told_again_when_it_is_back(results: Path) -> None:
    asking = client(results)
    away = results.rename(results.with_name("away"))
    found = asking.get("/data/runs").json()
    assert "gone" in found["problem"]
    assert found["runs"] == []
    for path in (*PAGES, *DATA):
        assert asking.get(path.replace("RUN", "x")).status_code in (200, 404)
    away.rename(results)
    time.sleep(KEPT_SECONDS)
    assert asking.get("/data/runs").json()["problem"] is None


def test_a_folder_full_of_traps_is_shown_with_what_is_damaged(tmp_path: Path) -> None:
    traps = hostile_folder.make(tmp_path)
    found = client(tmp_path).get("/data/runs").json()
    assert any("a_pipe.json" in text for text in found["damaged"])
    assert {run["id"]: run["state"] for run in found["runs"]}[traps["done"].run_id] == "done"
    asking = client(tmp_path)
    for run in traps.values():
        for path in ("/data/run", "/data/log", "/data/curves", "/data/metrics", "/data/differences"):
            answer = asking.get(path, params={"run": run.run_id})
            assert answer.status_code in (200, 404), (path, answer.text)
            assert "\x1b" not in answer.text
        assert asking.get(f"/samples/{run.run_id}").status_code == 200


def test_a_damaged_row_costs_its_own_curve(results: Path) -> None:
    done = run_of(results, "done")
    row_path(results, done).write_text('{"curve": 7}')
    found = client(results).get("/data/curves").json()
    assert list(found["curves"]) == [run_of(results, "interrupted")]
    assert done in found["damaged"][0]


def test_a_report_runs_as_of_another_site_and_its_key_opens_reports_alone(results: Path) -> None:
    (results / "reports" / "by_model_tables").mkdir(parents=True)
    (results / "reports" / "by_model.html").write_text("<script>alert(1)</script>")
    (results / "reports" / "by_model_tables" / "x.csv").write_text("a\n1\n")
    listed = client(results).get("/reports").text
    key = report_key(TOKEN)
    assert f'href="/report/{key}/by_model.html"' in listed
    stranger = client(results, known=False)
    page = stranger.get(f"/report/{key}/by_model.html")
    assert page.status_code == 200
    policy = page.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts allow-downloads allow-popups; default-src 'none'")
    assert "allow-same-origin" not in policy
    assert stranger.get(f"/report/{key}/by_model_tables/x.csv").text == "a\n1\n"
    assert stranger.get(f"/data/runs?key={key}").status_code == 403
    assert stranger.get(f"/report/{key[:-1]}x/by_model.html").status_code == 403


@pytest.mark.parametrize(
    "name",
    ["../rows/x.json", "..%2frows%2fx.json", "%2e%2e/rows/x.json", "/etc/passwd", "x.html", "a/b/c.html", "x.py"],
)
def test_no_address_leads_out_of_the_reports(results: Path, name: str) -> None:
    (results / "rows" / "x.json").write_text("{}")
    assert client(results).get(f"/report/{report_key(TOKEN)}/{name}").status_code == 404


def test_a_port_in_use_is_told_and_the_next_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    with bound(0) as first:
        port = first.getsockname()[1]
        with bound(port) as second:
            taken = second.getsockname()
            assert taken[0] == "127.0.0.1"
            assert taken[1] > port
            assert f"port {port} is in use; this is {taken[1]}" in capsys.readouterr().err


def test_a_machine_without_a_free_port_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def taken(*_: object) -> None:
        raise OSError(98, "Address already in use")

    monkeypatch.setattr(socket.socket, "bind", taken)
    with pytest.raises(ConfigError, match="choose another"):
        bound(8123)


def test_the_verb_serves_what_it_printed_and_ends_in_one_line_when_it_is_told_to(results: Path) -> None:
    command = [sys.executable, "-m", "sweeper", "dashboard", "by_model", "--results", str(results), "--port", "0"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    ending = (signal.SIGINT, signal.SIGTERM)
    processes = [subprocess.Popen(command, **pipes) for _ in ending]  # type: ignore[call-overload]
    try:
        for process, number in zip(processes, ending, strict=True):
            address = process.stdout.readline().removeprefix("open ").strip()
            assert address.startswith("http://127.0.0.1:")
            assert "ssh -N -L" in process.stdout.readline()
            page = httpx.get(address, timeout=60, trust_env=False)
            assert page.status_code == 200
            assert 'data-first="by_model"' in page.text
            process.send_signal(number)
            assert process.wait(60) == 0
            assert process.stderr.read() == "the dashboard has ended\n"
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def test_a_grid_that_is_not_there_is_refused_before_anything_is_served(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["dashboard", "nope", "--results", str(results)]) == 2
    assert "known grids: by_model" in capsys.readouterr().err
