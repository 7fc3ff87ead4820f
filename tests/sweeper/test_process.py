import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from sweeper.host.errors import RunFailedError
from sweeper.host.log_lines import heard
from sweeper.host.machine import Device
from sweeper.host.process import Children, reason, run_child
from tests.waiting import wait_until

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
# A parent that runs a child whose own child sleeps; prints the pids of both.
PARENT = """
import signal, sys
from pathlib import Path
from sweeper.host.process import run_child
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in a job that a shell put into the background
code = (
    "import subprocess, sys, os, time\\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\\n"
    "print('pids', os.getpid(), child.pid, flush=True)\\n"
    "time.sleep(600)"
)
run_child([sys.executable, "-c", code], log=Path(sys.argv[1]), env={})
"""


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_child_dies_when_its_parent_is_killed_with_9(tmp_path: Path) -> None:
    log = tmp_path / "log"
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(log)])
    assert wait_until(lambda: log.exists() and "pids" in log.read_text())
    child, grandchild = map(int, log.read_text().split()[1:3])
    try:
        assert alive(child)
        parent.kill()
        parent.wait()
        assert wait_until(lambda: not alive(child))
    finally:
        for pid in (child, grandchild):
            if alive(pid):
                os.kill(pid, signal.SIGKILL)


def test_what_a_child_leaves_behind_is_killed_when_it_ends(tmp_path: Path) -> None:
    code = f"import subprocess; print(subprocess.Popen({SLEEP!r}, start_new_session=True).pid)"
    whole = (
        "import sys; from pathlib import Path; from sweeper.host.process import adopt_orphans, run_child\n"
        "adopt_orphans(); run_child(sys.argv[2:], log=Path(sys.argv[1]), env={})"
    )
    log = tmp_path / "log"
    subprocess.run([sys.executable, "-c", whole, str(log), sys.executable, "-c", code], check=True)
    assert wait_until(lambda: not alive(int(log.read_text())))


def test_an_interrupted_parent_stops_the_child_and_its_descendants(tmp_path: Path) -> None:
    log = tmp_path / "log"
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(log)], stderr=subprocess.DEVNULL)
    assert wait_until(lambda: log.exists() and "pids" in log.read_text())
    child, grandchild = map(int, log.read_text().split()[1:3])
    try:
        parent.send_signal(signal.SIGINT)
        parent.wait(timeout=20)
        assert wait_until(lambda: not alive(child) and not alive(grandchild), seconds=5)
    finally:
        for pid in (child, grandchild):
            if alive(pid):
                os.kill(pid, signal.SIGKILL)


def test_the_output_of_a_child_is_appended_to_the_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("before\n")
    run_child(
        [sys.executable, "-c", "import sys; print('out', flush=True); print('err', file=sys.stderr)"], log=log, env={}
    )
    assert log.read_text() == "before\nout\nerr\n"


def test_a_childs_environment_is_ours_and_the_given_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OURS", "1")
    log = tmp_path / "log"
    code = "import os; print(os.environ['OURS'], os.environ['GIVEN'])"
    run_child([sys.executable, "-c", code], log=log, env={"GIVEN": "2"})
    assert log.read_text() == "1 2\n"


@pytest.mark.parametrize(("device", "threads"), [(Device.cpu, "3"), (Device.cuda, "7")])
def test_a_child_that_computes_gets_its_number_of_threads_on_cpu_alone(
    device: Device, threads: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    log, code = tmp_path / "log", "import os; print(os.environ['OMP_NUM_THREADS'], os.environ['GIVEN'])"
    Children(device=device, threads=3, log=log).run([sys.executable, "-c", code], {"GIVEN": "2"})
    assert log.read_text() == f"{threads} 2\n"


def test_a_failed_child_raises_its_reason_and_not_that_of_an_earlier_one(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("KeyError: 'of an earlier phase'\n")
    with pytest.raises(RunFailedError, match="exit code 1: ValueError: too long"):
        run_child([sys.executable, "-c", "raise ValueError('too long')"], log=log, env={})


def test_a_killed_child_names_the_signal(tmp_path: Path) -> None:
    code = "import os, signal; print('loading', flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    with pytest.raises(RunFailedError, match="killed by SIGKILL: loading"):
        run_child([sys.executable, "-c", code], log=tmp_path / "log", env={})


def test_the_reason_is_the_first_exception_of_the_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(
        "step 1\n\x1b[36m(TaskRunner pid=42)\x1b[0m ValueError: prompt is too long\n"
        "Traceback (most recent call last):\nray.exceptions.RayTaskError: task died\nbye\n"
    )
    assert reason(log, 0, 1) == "exit code 1: ValueError: prompt is too long"


def test_without_an_exception_the_reason_is_the_last_line(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("0 errors so far\nNo space left on device\n\n")
    assert reason(log, 0, 2) == "exit code 2: No space left on device"


@pytest.mark.parametrize("line", ["val_loss: 3", "Error handling is on", "ErrorRate: 3", "no Error: here"])
def test_a_line_that_only_mentions_an_error_is_no_exception(tmp_path: Path, line: str) -> None:
    log = tmp_path / "log"
    log.write_text(f"{line}\nRuntimeError: the real one\n")
    assert reason(log, 0, 1).endswith("RuntimeError: the real one")


def test_colours_and_rays_prefixes_are_stripped() -> None:
    assert heard("\x1b[36m(WorkerDict pid=7, ip=1.2.3.4)\x1b[0m hello") == ["hello"]


def test_ticks_come_while_the_child_runs_and_once_after_it(tmp_path: Path) -> None:
    ticks: list[float] = []
    run_child(
        [sys.executable, "-c", "import time; time.sleep(1.3)"],
        log=tmp_path / "log",
        env={},
        on_tick=lambda: ticks.append(time.monotonic()),
    )
    assert len(ticks) >= 3
