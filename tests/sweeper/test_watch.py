"""`status --watch`, and when a sweep will have ended."""

import io
import itertools
from pathlib import Path
from typing import Any

import pytest

from sweeper.cli import status
from sweeper.cli.main import main
from sweeper.host.redrawn import Redrawn
from sweeper.oversight.time_left import seconds_left
from sweeper.rows.row import write_row
from tests.sweeper.points import spec
from tests.sweeper.rows import row


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def results(tmp_path: Path) -> Path:
    write_row(tmp_path, row(spec("seed=1")))
    return tmp_path


@pytest.fixture
def twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C comes after two looks."""
    looks = itertools.count()

    def sleep(_: float) -> None:
        if next(looks) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(status.time, "sleep", sleep)


@pytest.mark.usefixtures("twice")
def test_a_terminal_is_drawn_anew_in_place_and_keeps_the_last_look(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = Terminal()
    monkeypatch.setattr("sys.stdout", screen)
    assert main(["status", "--watch", "--results", str(results)]) == 130
    said = screen.getvalue()
    assert said.count("\x1b[?1049h") == said.count("\x1b[?1049l") == 1
    assert said.count("\x1b[H") == 2
    assert "1 done" in said.rpartition("\x1b[?1049l")[2]


@pytest.mark.usefixtures("twice")
def test_a_pipe_gets_each_look_below_the_last_with_its_time(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--watch", "--results", str(results)]) == 130
    said = capsys.readouterr().out
    assert "\x1b" not in said
    assert said.count("1 done") == said.count("\n20") == 2


def test_what_is_higher_than_the_terminal_is_cut_and_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINES", "10")
    screen = Terminal()
    with Redrawn(screen) as drawn:
        drawn.show("\n".join(map(str, range(30))))
        said = screen.getvalue()
    assert said.count("\n") == 9
    assert "… 22 more lines" in said


def item(state: str, **more: Any) -> dict[str, Any]:
    return {"state": state, "devices": 1, "device_hours": None, "planned_device_hours": None, "share": None} | more


def test_the_time_left_is_what_done_runs_took_over_what_is_at_work() -> None:
    done, half, new = item("done", device_hours=1.0), item("running", share=0.5), item("new")
    assert seconds_left([done, half, half, new]) == pytest.approx(3600 * 2.0 / 2)
    plans = [item("done", device_hours=3.0, planned_device_hours=1.0), item("running", planned_device_hours=2.0)]
    assert seconds_left(plans) == pytest.approx(3600 * 6.0)


def test_the_time_left_is_not_guessed() -> None:
    assert seconds_left([item("running")]) is None
    assert seconds_left([item("done", device_hours=1.0), item("new")]) is None
    assert seconds_left([item("done", device_hours=1.0)]) is None
