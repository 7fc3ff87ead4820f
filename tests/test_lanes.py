"""The runner of the lanes: nothing is left out, nothing fails in silence, nothing outlives it."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from tests.lanes.__main__ import NIGHTLY, Runner, run
from tests.lanes.result import read_result
from tests.lanes.table import LANES, Lane, unplaced
from tests.waiting import wait_until

Make = Callable[[str, str], Lane]
Captured = pytest.CaptureFixture[str]
PASSES = "def test_passes(): pass\n"


@pytest.fixture
def lane(tmp_path: Path) -> Make:
    """Makes lanes of one file."""

    def make(name: str, text: str) -> Lane:
        file = tmp_path / name / f"test_{name}.py"
        file.parent.mkdir()
        file.write_text(text)
        return Lane(name=name, paths=(str(file),))

    return make


@pytest.fixture(autouse=True)
def no_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lane's pytest starts in a tenth of the time without plugins, and these tests use none."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


def run_lanes(tmp_path: Path, *lanes: Lane) -> int:
    return run(lanes, folder=tmp_path / "lanes")


def test_every_test_file_is_in_one_lane() -> None:
    assert unplaced(LANES) == []


def test_a_file_in_no_lane_or_in_two_and_a_path_of_no_file_are_told(tmp_path: Path) -> None:
    for name in ("a/test_one.py", "b/test_two.py", "test_three.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    lanes = (Lane(name="x", paths=("a", "gone")), Lane(name="y", paths=("a/test_one.py", "b")))
    assert unplaced(lanes, tmp_path) == [
        f"x: no {tmp_path / 'gone'}",
        "a/test_one.py is in x and y",
        "test_three.py is in no lane",
    ]


def test_counts_of_all_lanes_are_the_last_line(
    lane: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.delenv("CI", raising=False)
    skips = "import pytest\n@pytest.mark.skip\ndef test_skips(): pass\n" + PASSES
    assert run_lanes(tmp_path, lane("one", PASSES), lane("two", skips)) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[-1] == "2 passed, 0 failed, 1 skipped, 0 absent"
    assert re.search(r"^two +\d+\.\d +\d+\.\d +1 +0 +1 +0$", out, re.MULTILINE)
    assert re.search(r"^skipped: .*test_skips$", out, re.MULTILINE)
    assert re.search(r"^ +\d+\.\d  .*test_two::test_passes$", out, re.MULTILINE)


def test_a_skipped_test_fails_where_ci_is_set(lane: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    assert run_lanes(tmp_path, lane("one", "import pytest\n@pytest.mark.skip\ndef test_skips(): pass\n")) == 1


def test_a_test_of_published_files_that_are_not_here_is_counted_apart_and_fails_nothing(
    lane: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setenv("CI", "true")
    text = (
        "from pathlib import Path\nfrom tests.outside import needs\n"
        "@needs(Path('/nowhere'), 'THE_DATA')\ndef test_reads_it(): pass\n"
    )
    assert run_lanes(tmp_path, lane("one", text + PASSES)) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[-1] == "1 passed, 0 failed, 0 skipped, 1 absent"
    assert re.search(r"^absent: .*test_reads_it$", out, re.MULTILINE)


def test_a_test_of_the_night_is_left_to_it(lane: Make, tmp_path: Path, capsys: Captured) -> None:
    one = lane("one", PASSES + "import pytest\n@pytest.mark.nightly\ndef test_at_night(): assert False\n")
    assert run_lanes(tmp_path, one) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "1 passed, 0 failed, 0 skipped, 0 absent"
    assert run((one,), marks=NIGHTLY, folder=tmp_path / "lanes") == 1


def test_two_lanes_that_train_never_run_at_once(lane: Make, tmp_path: Path) -> None:
    text = (
        "import time\nfrom pathlib import Path\ndef test_is_alone():\n"
        f"    mark = Path({str(tmp_path / 'busy')!r})\n    mark.touch(exist_ok=False)\n"
        "    time.sleep(2)\n    mark.unlink()\n"
    )
    two = [replace(lane(name, text), trains=True) for name in ("one", "two")]
    runner = Runner(two, NIGHTLY, tmp_path / "lanes", cores=4)
    runner.run()
    assert [result.count("passed") for result in runner.results] == [1, 1]


def test_a_lane_of_another_environment_is_run_by_its_own_command(lane: Make, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text(f'#!/bin/sh\nOTHER=here exec {sys.executable} -m pytest "$@"\n')
    other.chmod(0o755)
    one = lane("one", "import os\ndef test_is_there(): assert os.environ['OTHER'] == 'here'\n")
    assert run_lanes(tmp_path, replace(one, pytest=(str(other),))) == 0


def test_whatever_goes_wrong_in_a_lane_is_told_and_counted(lane: Make, tmp_path: Path, capsys: Captured) -> None:
    late = "import pytest\n@pytest.fixture\ndef f():\n    yield\n    raise ValueError('late')\ndef test_a(f): pass\n"
    bad = {
        "assertion": ("def test_fails():\n    x = 41\n    assert x == 42\n", "assert 41 == 42", " 0 1 0 0"),
        "teardown": (late, "ValueError: late", " 0 1 0 0"),
        # What is told beside the failure: that the lane did not come to its end.
        "import": ("import no_such_module\n", "No module named 'no_such_module'", " 0 2 0 0 could not run"),
        "nothing": ("", "collected 0 items", " 0 1 0 0 could not run"),
        "exit": ("import os\ndef test_dies(): os._exit(0)\n", "test_dies", " 0 1 0 0 could not run"),
        "kill": (
            "import os\ndef test_is_killed(): os.kill(os.getpid(), 9)\n",
            "test_is_killed",
            " 0 1 0 0 could not run",
        ),
    }
    lanes = [lane(name, text) for name, (text, _, _) in bad.items()]
    assert run_lanes(tmp_path, *lanes, lane("good", PASSES)) == 1
    out = capsys.readouterr().out
    for name, (_, told, counts) in bad.items():
        (block,) = re.findall(rf"^##### {name} #####$(.*?)(?=^#####|^lane )", out, re.MULTILINE | re.DOTALL)
        assert told in block
        assert re.search(rf"^{name} +\d+\.\d +\d+\.\d{counts.replace(' ', ' +')}$", out, re.MULTILINE)
    assert "##### good" not in out
    assert out.splitlines()[-1] == "1 passed, 7 failed, 0 skipped, 0 absent"


def test_what_a_lane_leaves_running_is_ended_and_told(lane: Make, tmp_path: Path, capsys: Captured) -> None:
    leaves = (
        "import subprocess\ndef test_leaves():\n"
        "    subprocess.run(['sh', '-c', 'setsid sleep 4321 >/dev/null 2>&1 &'], check=True)\n"
    )
    run_lanes(tmp_path, lane("one", leaves))
    assert "one left running, ended since: sleep 4321" in capsys.readouterr().out
    assert not with_title("sleep 4321")


def test_cpu_seconds_are_those_of_orphans_too(lane: Make, tmp_path: Path) -> None:
    done = str(tmp_path / "done")
    burns = (
        "import subprocess, sys\nfrom pathlib import Path\nfrom tests.waiting import wait_until\n"
        "def test_burns():\n"
        "    code = 'import sys, time\\nwhile time.process_time() < 2: pass\\nopen(sys.argv[1], \"w\")'\n"
        f"    subprocess.Popen(['setsid', '--fork', sys.executable, '-c', code, {done!r}]).wait()\n"
        f"    assert wait_until(Path({done!r}).exists)\n"
    )
    run_lanes(tmp_path, lane("one", burns))
    assert read_result("one", tmp_path / "lanes" / "one", 0).cpu_seconds >= 2


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_lets_fixtures_tear_down_and_leaves_no_process(
    ending: signal.Signals, lane: Make, tmp_path: Path
) -> None:
    up, down = tmp_path / "up", tmp_path / "down"
    one = lane(
        "one",
        "import pytest, subprocess, time\nfrom pathlib import Path\n@pytest.fixture\ndef f():\n"
        f"    subprocess.Popen(['setsid', 'sleep', '5432'])\n    Path({str(up)!r}).touch()\n    yield\n"
        f"    Path({str(down)!r}).touch()\ndef test_hangs(f): time.sleep(600)\n",
    )
    process = interruptible(one, tmp_path)
    assert wait_until(up.exists)
    process.send_signal(ending)
    assert process.wait(60) == 130
    assert down.exists()
    assert not with_title("sleep 5432")
    assert re.search(r"^one .*could not run$", (tmp_path / "out").read_text(), re.MULTILINE)


def test_a_killed_runner_leaves_no_process(lane: Make, tmp_path: Path) -> None:
    text = "import subprocess\ndef test_hangs(): subprocess.run(['sleep', '6543'])\n"
    process = interruptible(lane("one", text), tmp_path)
    assert wait_until(lambda: bool(with_title("sleep 6543")))
    process.kill()
    process.wait()
    assert wait_until(lambda: not with_title("sleep 6543"))


def interruptible(lane: Lane, tmp_path: Path) -> "subprocess.Popen[bytes]":
    code = (
        "import signal, sys\nfrom pathlib import Path\nfrom tests.lanes.__main__ import run\n"
        "from tests.lanes.table import Lane\n"
        "for ending in (signal.SIGTERM, signal.SIGINT): signal.signal(ending, signal.default_int_handler)\n"
        f"sys.exit(run([{lane!r}], folder=Path({str(tmp_path / 'lanes')!r})))\n"
    )
    with (tmp_path / "out").open("wb") as out:
        return subprocess.Popen([sys.executable, "-c", code], stdout=out, env=os.environ | {"PYTHONPATH": "."})


def with_title(text: str) -> list[psutil.Process]:
    """Every process of this command line; a zombie has none."""
    return [item for item in psutil.process_iter(["cmdline"]) if " ".join(item.info["cmdline"] or ()) == text]
