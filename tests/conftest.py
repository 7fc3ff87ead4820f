import os
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


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update-golden"))
