"""Programs run by a SandboxFusion-compatible service, here one on this machine (`tests.rewards.fusion_service`)."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from rewards.sandbox import remote as remote_sandbox
from rewards.sandbox import runs as sandbox
from rewards.sandbox.remote import RemoteOutage, RemoteSandbox
from rewards.sandbox.runs import Limits, RunStatus, run_calls, run_program, run_tests
from rewards.sandbox.walls.isolation import LEVEL_VARIABLE, URL_VARIABLE, Level, find_isolation
from tests.rewards.fusion_service import FusionService, fusion_service

_LIMITS = Limits(cpu_s=2, wall_s=3.0)


@pytest.fixture(scope="module")
def running() -> Iterator[FusionService]:
    before = {name: os.environ.get(name) for name in (LEVEL_VARIABLE, URL_VARIABLE)}
    with fusion_service() as service:
        os.environ.update({LEVEL_VARIABLE: "remote", URL_VARIABLE: service.url})
        sandbox.restart()
        yield service
    for name, value in before.items():
        if value is None:
            del os.environ[name]
        else:
            os.environ[name] = value
    sandbox.restart()


@pytest.fixture
def service(running: FusionService, monkeypatch: pytest.MonkeyPatch) -> FusionService:
    monkeypatch.setattr(remote_sandbox, "_PAUSE_S", 0.01)
    running.failures = 0
    return running


def test_the_service_is_in_use(service: FusionService) -> None:
    assert find_isolation().level is Level.REMOTE


def test_scripts_run_there(service: FusionService) -> None:
    runs = run_program("print(int(input()) + 1)", ["1", "x"], limits=_LIMITS)
    assert [run.status for run in runs] == [RunStatus.DONE, RunStatus.RAISED]
    assert runs[0].stdout == "2\n"
    assert run_program("while True: pass", [""], limits=Limits(wall_s=0.5))[0].status is RunStatus.TIMEOUT
    assert run_program("print('x' * 100)", [""], limits=_LIMITS, output_limits=[9])[0].status is RunStatus.DIED


def test_calls_bring_back_values(service: FusionService) -> None:
    results = run_calls("print('noise')\ndef f(x): return [x, (x, 1.5)]", ["f(1)"], limits=_LIMITS)
    assert results.values == ([1, (1, 1.5)],)
    assert run_calls("1 / 0", ["1"], limits=_LIMITS).status is RunStatus.RAISED
    assert run_calls("import os\nos._exit(0)", ["1"], limits=_LIMITS).status is RunStatus.DIED


@pytest.mark.parametrize(
    ("code", "passes"),
    [
        ("def f(x): return x + 1", True),
        ("def f(x): return x", False),
        ("import os\nos._exit(0)", False),
        ("import sys\nsys.exit(0)", False),
        ("def f(x):\n    import os\n    os._exit(0)", False),
        ("class E:\n    def __eq__(s, o): return True\ndef f(x): return E()", False),
        ("import math\nmath.isclose = lambda *a: True\ndef f(x): return 0", False),
    ],
)
def test_tests_run_there_in_a_process_of_their_own(service: FusionService, code: str, passes: bool) -> None:
    tests = "import math\nfor x in range(5):\n    assert f(x) == x + 1\nassert math.isclose(f(1), 2.0)"
    assert (run_tests(code, tests, limits=_LIMITS) is RunStatus.DONE) is passes


def test_connections_are_kept_and_shared(service: FusionService) -> None:
    before = service.connections
    with ThreadPoolExecutor(4) as executor:
        runs = list(executor.map(lambda n: run_program(f"print({n})", [""], limits=_LIMITS)[0].stdout, range(24)))
    assert runs == [f"{n}\n" for n in range(24)]
    assert service.connections - before <= 4


@pytest.mark.parametrize(
    "failure",
    [
        (500, {}),
        (429, {}),
        (200, []),
        (200, {}),
        (200, {"status": "SandboxError", "message": "no room"}),
        (200, {"status": "Success", "run_result": None}),
        (200, {"status": "Success", "run_result": {"status": "Error"}}),
        (200, {"status": "Success", "run_result": {"status": "Finished", "stdout": "2\n"}}),
    ],
)
def test_a_passing_failure_of_the_service_is_outlived_and_a_lasting_one_is_no_verdict(
    service: FusionService, failure: tuple[int, object]
) -> None:
    service.failure = failure
    service.failures = 3
    assert run_program("print(2)", [""], limits=_LIMITS)[0].stdout == "2\n"
    service.failures = 4
    with pytest.raises(RemoteOutage, match="failed 4 times"):
        run_program("print(2)", [""], limits=_LIMITS)


def test_a_service_that_is_not_there_is_an_outage(service: FusionService) -> None:
    with pytest.raises(RemoteOutage, match=r"127\.0\.0\.1:1"):
        RemoteSandbox("http://127.0.0.1:1").check()
    with pytest.raises(RemoteOutage, match="not an http address"):
        RemoteSandbox("ftp://x")


def test_a_service_that_does_not_run_programs_is_found_out(service: FusionService) -> None:
    service.failure = (200, {"status": "Success", "run_result": {"status": "Finished", "return_code": 0, "stdout": ""}})
    service.failures = 1
    with pytest.raises(RemoteOutage, match="did not run"):
        RemoteSandbox(service.url).check()
