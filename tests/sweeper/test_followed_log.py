"""What `logs -f` prints of a run that is tried again, and how it ends; SLURM's programs are scripts."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from data_prep.files.lock import locked
from sweeper.cli.main import main
from sweeper.launch.slurm.array import Chunk
from sweeper.oversight import followed_log
from sweeper.oversight.followed_log import followed
from sweeper.rows.row import write_row
from sweeper.runs.folder import RunDir
from tests.sweeper.points import spec
from tests.sweeper.rows import row
from tests.waiting import wait_until

RUN = spec("seed=1")


@pytest.fixture
def run_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunDir:
    monkeypatch.setattr(followed_log, "SECONDS", 0.02)
    found = RunDir(results_dir=tmp_path / "r", run_id=RUN.run_id)
    found.freeze(RUN)
    return found


def attempt_of(run_dir: RunDir, text: str) -> None:
    run_dir.new_attempt().log.write_text(text)


def following(run_dir: RunDir, start: int = 0) -> tuple[list[str], Callable[[], bool]]:
    """What is printed and said, as it comes; and what waits for the end."""
    told = list[str]()

    def follow() -> None:
        for part in followed(run_dir, start, say=told.append):
            told.append(part.decode())

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    return told, lambda: wait_until(lambda: not thread.is_alive(), 60)


def test_a_log_is_followed_through_a_job_that_is_queued_again_to_the_end_of_the_run(
    run_dir: RunDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sweeper.launch.slurm.queue.KEPT_SECONDS", 0.0)
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("squeue", "sacct", "scontrol"):
        (programs / name).write_text(f"#!/bin/sh\ncat {tmp_path}/{name} 2>/dev/null\nexit 0\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    chunk = Chunk(name="sweep-1", run_ids=(RUN.run_id,), code="x", user=os.getuid())
    (run_dir.results_dir / "slurm").mkdir()
    chunk.write(run_dir.results_dir, "")
    chunk.remember(run_dir.results_dir, 7)

    def slurm_says(text: str) -> None:
        (tmp_path / "new").write_text(text)
        (tmp_path / "new").replace(tmp_path / "squeue")  # never half of it

    slurm_says("7|0|PENDING|Priority|sweep-1|comment=\n")
    told, has_ended = following(run_dir)
    assert wait_until(lambda: told == ["== queued: 7_0 PENDING (Priority)"], 60)
    slurm_says("7|0|RUNNING|None|sweep-1|comment=\n")
    attempt_of(run_dir, "one\n")
    assert wait_until(lambda: "one\n" in told, 60)
    slurm_says("7|0|PENDING|BeginTime|sweep-1|comment=\n")
    assert wait_until(lambda: told[-1] == "== queued: 7_0 PENDING (BeginTime)", 60)
    attempt_of(run_dir, "two\n")
    assert wait_until(lambda: "two\n" in told, 60)
    slurm_says("")
    write_row(run_dir.results_dir, row(RUN))
    assert has_ended()
    told = [line for line in told if line.split(":")[0] not in ("== queued", "== running")]
    assert told == ["== attempt 1", "one\n", "== attempt 2", "two\n", "== done"]


def test_a_run_on_this_machine_is_followed_from_where_it_was_read_to_its_end(run_dir: RunDir) -> None:
    attempt_of(run_dir, "read\nnew\n")
    with locked(run_dir.lock, wait=False):
        told, has_ended = following(run_dir, start=5)
        assert wait_until(lambda: told == ["new\n"], 60)
        with run_dir.attempts()[0].open_log() as _, run_dir.attempts()[0].log.open("a") as log:
            log.write("last words\n")
    assert has_ended()
    assert told == ["new\n", "last words\n", "== interrupted"]


def test_the_exit_code_says_whether_the_run_that_was_followed_has_a_result(
    run_dir: RunDir, capfd: pytest.CaptureFixture[str]
) -> None:
    where = ["--results", str(run_dir.results_dir)]
    assert main(["logs", "-f", RUN.run_id, *where]) == 1
    assert "== new: it has neither begun nor a job" in capfd.readouterr().err
    attempt_of(run_dir, "unfinished")
    assert main(["logs", "-f", RUN.run_id, *where]) == 1
    assert capfd.readouterr().out == "unfinished"
    write_row(run_dir.results_dir, row(RUN))
    assert main(["logs", "-f", RUN.run_id, *where]) == 0
