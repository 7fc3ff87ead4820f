"""Programs in cells, on every level of isolation that holds here."""

import pytest

from rewards.sandbox.cell_runs import CellRun, run_cells
from rewards.sandbox.runs import RunStatus
from rewards.sandbox.walls.isolation import Isolation, Level, SandboxUnavailable
from tests.rewards.sandbox_levels import SHORT, level

__all__ = ["level"]
pytestmark = pytest.mark.usefixtures("level")


def run(*cells: str) -> CellRun:
    return run_cells(cells, limits=SHORT, output_limit=64)


def test_a_cell_finds_what_earlier_ones_defined_and_is_heard_alone() -> None:
    seen = run("x = 5\nprint('unheard')\nimport sys\nsys.stderr.write('unheard')", "1 / 0", "print(x)\nx + 1")
    assert (seen.status, seen.stdout, seen.stderr) == (RunStatus.DONE, "5\n6\n", "")


def test_of_output_the_beginning_is_kept_and_of_errors_the_end() -> None:
    seen = run("import sys\nprint('a' * 99 + 'b')\n_ = sys.stderr.write('c' * 99 + 'd')")
    assert (seen.status, seen.stdout, seen.stderr) == (RunStatus.DONE, "a" * 64, "c" * 63 + "d")
    assert (seen.stdout_bytes, seen.stderr_bytes) == (101, 100)


def test_how_a_cell_ends_is_told_with_its_error() -> None:
    assert run("raise KeyError('k')").stderr == "call 1, line 1: raise KeyError('k')\nKeyError: 'k'\n"
    assert run("raise KeyError('k')").status is RunStatus.RAISED
    assert run("while True: pass").status is RunStatus.TIMEOUT
    assert run("import os; os._exit(0)").status is RunStatus.DIED
    assert run("raise SystemExit").status is RunStatus.DONE


def test_a_cell_starts_no_process_and_reads_no_file() -> None:
    for attack in ("import os; os.fork()", "import socket; socket.socket()", "open('/etc/passwd')", "open('x', 'w')"):
        assert run(attack, attack).status is RunStatus.RAISED


def test_a_remote_service_has_no_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    remote = Isolation(level=Level.REMOTE, isolated=True, attempts=())
    monkeypatch.setattr("rewards.sandbox.cell_runs.find_isolation", lambda: remote)
    with pytest.raises(SandboxUnavailable, match="not a remote service"):
        run("1")
