"""A launch on this machine beside another, and what stops it."""

import os
import pwd
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from data_prep.files.lock import holder, locked
from sweeper.cli.main import main
from sweeper.job.exit import EXIT_LOCKED
from sweeper.launch import local
from sweeper.launch.progress import outcome
from sweeper.runs.folder import RunDir
from sweeper.spec.run_id import RunId

HOLD = "import sys, time; from pathlib import Path; from data_prep.files.lock import locked\n"
HOLD += "with locked(Path(sys.argv[1]), wait=False): print('held', flush=True); time.sleep(60)\n"
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n{HOLD}"


def holding(run_dir: RunDir, code: str = HOLD) -> "subprocess.Popen[bytes]":
    """A process that holds the lock of a run, as its job does."""
    process = subprocess.Popen([sys.executable, "-c", code, str(run_dir.lock)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    return process


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[list[RunDir]]:
    """Three runs that have begun once."""
    found = [RunDir(results_dir=tmp_path, run_id=RunId(f"run-{number}")) for number in range(3)]
    for run_dir in found:
        run_dir.new_attempt()
    yield found
    assert [run_dir for run_dir in found if run_dir.is_locked()] == []


def test_a_lock_names_who_holds_it(runs: list[RunDir]) -> None:
    assert holder(runs[0].lock) is None
    process = holding(runs[0])
    found = holder(runs[0].lock)
    assert found is not None
    assert (found.host, found.pid) == (os.uname().nodename, process.pid)
    assert found.user == pwd.getpwuid(os.geteuid()).pw_name
    assert found.since == pytest.approx(time.time(), abs=60)
    assert f"process {process.pid} of {found.user} on {found.host}, since 20" in str(found)
    process.kill()
    process.wait()
    assert holder(runs[0].lock) is None


def test_cancel_ends_no_process_but_the_one_that_holds_the_lock(runs: list[RunDir]) -> None:
    job, other = holding(runs[0]), subprocess.Popen(["sleep", "60"])
    runs[0].lock.write_text(f"{os.uname().nodename} {other.pid}")  # as all may who may write there
    assert local.cancel(runs[:1]) == ([], runs[:1])
    assert (job.poll(), other.poll()) == (None, None)
    for process in (job, other):
        process.kill()
        process.wait()


def test_cancel_stops_what_runs_here_and_keeps_what_waits_from_starting(
    runs: list[RunDir], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "GRACE_SECONDS", 1.0)
    processes = [holding(runs[0]), holding(runs[1], DEAF)]
    where = ["--results", str(runs[0].results_dir)]
    for run_dir in runs[:2]:
        assert main(["cancel", run_dir.run_id, *where]) == 0
        assert capsys.readouterr().out == f"{run_dir.run_id}\n1 of 1 runs were queued or running and are cancelled\n"
    assert [process.wait(5) for process in processes] == [-15, -9]  # the second does not hear
    assert main(["cancel", runs[2].run_id, *where]) == 0
    assert capsys.readouterr().out == "nothing is cancelled: none of 1 run is queued or running\n"
    assert runs[2].cancelled.exists()


def test_a_run_of_another_machine_is_not_said_to_be_cancelled(
    runs: list[RunDir], capsys: pytest.CaptureFixture[str]
) -> None:
    with locked(runs[0].lock, wait=False):
        runs[0].lock.write_text("node7 1")
        assert main(["cancel", runs[0].run_id, "--results", str(runs[0].results_dir)]) == 1
    assert "run-0 runs on node7, or is another user's: cancel it there" in capsys.readouterr().err


def test_a_run_that_another_launch_took_first_is_said_to_run_there(runs: list[RunDir]) -> None:
    assert "is running in another process" in outcome(runs[0], EXIT_LOCKED)
    assert "stopped; the same command resumes it" in outcome(runs[0], 143)


def test_a_second_launch_leaves_a_running_run_alone_and_cancel_ends_the_first(tmp_path: Path) -> None:
    overrides = ["model=tiny-40k", "data_scale=n64", "training.total_steps=3", "seed=0,1", "cluster.max_parallel=1"]
    command = [sys.executable, "-m", "sweeper", *overrides, f"results_dir={tmp_path}", "-m"]
    first = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 120
        while not list(tmp_path.glob("runs/*/attempts/001/env.json")) and time.monotonic() < deadline:
            time.sleep(0.1)
        (running,) = (path.parents[2] for path in tmp_path.glob("runs/*/attempts/001/env.json"))
        alone = f"seed={running.name.partition('_s')[2][0]}"
        second = subprocess.run(
            [sys.executable, "-m", "sweeper", *overrides[:3], alone, f"results_dir={tmp_path}"],
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert second.returncode == 1
        assert "1 running" in second.stdout
        assert "1 of 1 runs are running in another process, which this launch leaves them to" in second.stderr
        assert "interrupted" not in second.stdout + second.stderr
        assert main(["cancel", "by_seed", "--results", str(tmp_path)]) == 0
        _, told = first.communicate(timeout=60)
    finally:
        first.kill()
    assert first.returncode == 1
    assert told.count("stopped; the same command resumes it") == 2  # the one that ran, and the one in line
    assert len(list(tmp_path.glob("runs/*/attempts/*"))) == 1
    assert "2 of 2 runs have no result" in told
