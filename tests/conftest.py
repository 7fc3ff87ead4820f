import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from hypothesis import settings

# How long one example takes depends on what else the machine does; pytest's own time limit guards against hangs.
settings.register_profile("project", deadline=None)
settings.load_profile("project")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite the golden files from what the code gives now"
    )


@pytest.fixture(autouse=True)
def same_umask() -> Iterator[None]:
    """What a test executes in this process narrows its umask (`sweeper.host.files.open_results`)."""
    before = os.umask(0o022)
    os.umask(before)
    yield
    os.umask(before)


@pytest.fixture(autouse=True)
def no_program_takes_the_place_of_the_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """`sweeper report` becomes another program; here it is a child, whose words and exit code are the test's."""

    def beside(path: str, command: list[str], environment: dict[str, str]) -> None:
        done = subprocess.run([path, *command[1:]], env=environment, capture_output=True, text=True)
        print(done.stdout, end="")
        print(done.stderr, end="", file=sys.stderr)
        raise SystemExit(done.returncode)

    monkeypatch.setattr("sweeper.cli.handover.execve", beside)


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update-golden"))
