import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from data_prep.files.lock import LockedError, locked
from sweeper.host.errors import RunFailedError
from sweeper.job.exit import EXIT_NO_ROOM
from sweeper.job.sign_of_life import signs_of_life
from sweeper.launch.progress import outcome
from sweeper.rows.failure_class import FailureClass
from sweeper.rows.row import Failure, read_row, row_path, write_row
from sweeper.runs.attempt import Heartbeat
from sweeper.runs.folder import RunDir, find_run
from sweeper.runs.state import State, state_of
from sweeper.spec.run_id import RunId
from tests.sweeper.points import spec
from tests.sweeper.rows import row

HOLD = (
    "import sys, time; from pathlib import Path; from data_prep.files.lock import locked\n"
    "with locked(Path(sys.argv[1]), wait=False):\n"
    "    print('held', flush=True); time.sleep(600)"
)


def holder(path: Path) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    return process


LIVE = (
    "import sys, time; from pathlib import Path\n"
    "from sweeper.job import sign_of_life; from sweeper.runs.attempt import Attempt\n"
    "sign_of_life.SECONDS = 0.1\n"
    "with sign_of_life.signs_of_life(Attempt(path=Path(sys.argv[1]))):\n"
    "    print('alive', flush=True); time.sleep(600)"
)

FULL = (
    "import errno, os, sys; from pathlib import Path; from sweeper.job import run as job\n"
    "def begin(*_):\n"
    "    os.dup2(os.open('/dev/full', os.O_WRONLY), 1)\n"
    "    print('what Python cannot print at its end')\n"
    "    raise OSError(errno.ENOSPC, 'No space left on device')\n"
    "job.begin = begin; sys.exit(job.run(Path(sys.argv[1]), sys.argv[2]))"
)


def folder(results_dir: Path, *overrides: str) -> RunDir:
    run = spec(*overrides)
    run_dir = RunDir(results_dir=results_dir, run_id=run.run_id)
    run_dir.freeze(run)
    return run_dir


def test_a_lock_is_held_against_other_processes_and_released_by_kill_9(tmp_path: Path) -> None:
    run_dir = folder(tmp_path)
    process = holder(run_dir.path / "lock")
    assert state_of(run_dir) is State.running
    with pytest.raises(LockedError, match="already running"), locked(run_dir.path / "lock", wait=False):
        pass
    process.kill()
    process.communicate()
    assert state_of(run_dir) is State.new
    with locked(run_dir.path / "lock", wait=False):
        assert run_dir.is_locked()


def test_a_reader_of_the_state_does_not_hold_the_lock(tmp_path: Path) -> None:
    run_dir = folder(tmp_path)
    with locked(run_dir.path / "lock", wait=False):
        pass
    assert not run_dir.is_locked()
    process = holder(run_dir.path / "lock")
    process.kill()
    process.communicate()


def test_a_second_job_on_a_run_exits_75_and_leaves_no_attempt(tmp_path: Path) -> None:
    run_dir = folder(tmp_path)
    process = holder(run_dir.path / "lock")
    command = [sys.executable, "-m", "sweeper.job.run", str(tmp_path), run_dir.run_id]
    done = subprocess.run(command, capture_output=True, text=True)
    process.kill()
    process.communicate()
    assert done.returncode == 75
    assert "already running" in done.stderr
    assert run_dir.attempts() == []


def test_a_terminated_job_exits_143_without_a_row_and_is_interrupted(tmp_path: Path) -> None:
    run_dir = folder(tmp_path, "model.warm_start.n_examples=200000")
    process = subprocess.Popen([sys.executable, "-m", "sweeper.job.run", str(tmp_path), run_dir.run_id], cwd=Path.cwd())
    while not (run_dir.attempts() and run_dir.attempts()[0].heartbeat()):
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 143
    assert state_of(run_dir) is State.interrupted
    assert '"terminated"' in (run_dir.attempts()[0].path / "exit.json").read_text()


def test_a_failed_jobs_row_and_record_name_the_class_and_the_evidence(tmp_path: Path) -> None:
    run_dir = folder(tmp_path, "model.resources.nodes=2")
    done = subprocess.run([sys.executable, "-m", "sweeper.job.run", str(tmp_path), run_dir.run_id])
    assert done.returncode == 1
    failure = read_row(row_path(tmp_path, run_dir.run_id)).failure
    assert failure is not None
    assert failure.failure_class is FailureClass.config
    assert "model.resources.nodes=2" in str(failure.evidence)
    end = run_dir.attempts()[0].read("exit")
    assert end is not None
    assert (end["class"], end["evidence"]) == ("config", failure.evidence)


def test_a_row_of_a_failed_run_holds_what_the_phases_before_the_failure_found(tmp_path: Path) -> None:
    run_dir = folder(
        tmp_path,
        "model.warm_start.steps=0",  # an untrained model solves too little for one batch to be left after screening
        "data_scale=n64",
        "data.screen.n_samples=2",
        "data.screen.max_problems=8",
        "eval.problems_per_domain=2",
        "eval.val_problems_per_domain=2",
        "eval.n_samples=2",
        "eval.ks=[1,2]",
    )
    done = subprocess.run([sys.executable, "-m", "sweeper.job.run", str(tmp_path), run_dir.run_id])
    assert done.returncode == 1
    found = read_row(row_path(tmp_path, run_dir.run_id))
    assert found.failure is not None
    assert found.failure.phase == "screen"
    assert "of 8 measured problems" in found.failure.reason
    base = next(score for score in found.base if score.domain == "all")
    assert base.n_samples == 2
    assert found.n_sft == 0
    assert found.provenance is not None
    assert (tmp_path / "data" / str(found.provenance.data_digest)).is_dir()
    assert [path.name for path in (tmp_path / "models").glob(f"*-{found.provenance.model_digest}")]
    assert (found.trained, found.steps, found.flops) == ((), 0, None)
    assert found.timing is not None
    assert (found.timing.train_s, found.timing.startup_s, found.timing.evaluate_s) == (None, None, None)


def test_a_run_without_a_model_records_its_data_alone(tmp_path: Path) -> None:
    run_dir = folder(tmp_path, "model.source=hub", f"model.path={tmp_path}")  # a local folder cannot be warm-started
    assert subprocess.run([sys.executable, "-m", "sweeper.job.run", str(tmp_path), run_dir.run_id]).returncode == 1
    found = read_row(row_path(tmp_path, run_dir.run_id))
    assert found.failure is not None
    assert found.failure.phase == "model"
    assert found.provenance is not None
    assert found.provenance.data_digest is not None
    assert found.provenance.model_digest is None
    assert (found.base, found.n_sft) == ((), None)


def test_an_attempt_after_the_failed_row_is_what_counts(tmp_path: Path) -> None:
    run, run_dir = spec(), folder(tmp_path)
    run_dir.new_attempt()
    failure = Failure(phase="train", reason="x", log="y", failure_class=FailureClass.cuda_oom, evidence="CUDA out")
    write_row(tmp_path, row(run, failure=failure))
    assert state_of(run_dir) is State.failed
    assert run_dir.diagnosis().failure_class is FailureClass.cuda_oom  # type: ignore[union-attr]
    run_dir.new_attempt().log.write_text("OSError: [Errno 28] No space left on device\n")
    assert state_of(run_dir) is State.interrupted
    assert run_dir.diagnosis().failure_class is FailureClass.disk  # type: ignore[union-attr]


def test_the_spec_of_a_run_that_has_begun_is_not_changed_by_freezing_again(tmp_path: Path) -> None:
    run_dir = folder(tmp_path)
    run_dir.new_attempt()
    before = run_dir.spec_path.read_text()
    run_dir.freeze(spec("seed=7"))
    assert run_dir.spec_path.read_text() == before


def test_a_run_that_never_began_takes_what_is_launched_now(tmp_path: Path) -> None:
    run_dir = folder(tmp_path)
    run_dir.freeze(spec("cluster.max_parallel=1"))
    assert run_dir.spec() == spec("cluster.max_parallel=1")


def test_attempts_are_numbered_in_order(tmp_path: Path) -> None:
    run_dir = folder(tmp_path)
    numbers = [run_dir.new_attempt().number for _ in range(12)]
    assert numbers == [attempt.number for attempt in run_dir.attempts()] == list(range(1, 13))


def test_a_heartbeat_survives_its_file(tmp_path: Path) -> None:
    attempt = folder(tmp_path).new_attempt()
    assert attempt.heartbeat() is None
    beat = Heartbeat(
        phase="train",
        step=3,
        total_steps=20,
        reward=0.5,
        val_pass1=None,
        seconds_left=12.0,
        time=1.0,
        pid=os.getpid(),
        host="here",
    )
    attempt.beat(beat)
    assert attempt.heartbeat() == beat
    kept = attempt.read("heartbeat")
    assert kept is not None
    attempt.write("heartbeat", {name: kept[name] for name in kept.keys() - {"without_signal"}})  # of an earlier version
    assert attempt.heartbeat() == beat


def test_a_run_is_found_by_the_start_or_the_end_of_its_id(tmp_path: Path) -> None:
    one, _ = folder(tmp_path, "seed=1"), folder(tmp_path, "seed=2")
    assert find_run(tmp_path, one.run_id).run_id == one.run_id
    assert find_run(tmp_path, one.run_id[:-12]).run_id == one.run_id
    assert find_run(tmp_path, one.run_id[-6:]).run_id == one.run_id


def test_an_ambiguous_or_unknown_name_lists_the_candidates(tmp_path: Path) -> None:
    one, two = folder(tmp_path, "seed=1"), folder(tmp_path, "seed=2")
    with pytest.raises(RunFailedError, match="2 runs") as error:
        find_run(tmp_path, "tiny")
    assert one.run_id in str(error.value)
    assert two.run_id in str(error.value)
    with pytest.raises(RunFailedError, match="0 runs"):
        find_run(tmp_path, "qwen")


def test_a_whole_id_is_found_even_if_another_starts_with_it(tmp_path: Path) -> None:
    for name in ("run-1", "run-10"):
        RunDir(results_dir=tmp_path, run_id=RunId(name)).path.mkdir(parents=True)
    assert find_run(tmp_path, "run-1").run_id == "run-1"


def test_an_attempt_lasts_until_its_last_sign_of_life(tmp_path: Path) -> None:
    attempt = folder(tmp_path).new_attempt()
    assert attempt.seconds() == 0.0
    attempt.write("env", {"time": 1000.0})
    attempt.beat(
        Heartbeat(
            phase="train",
            step=None,
            total_steps=4,
            reward=None,
            val_pass1=None,
            seconds_left=None,
            time=1030.5,
            pid=1,
            host="here",
        )
    )
    assert attempt.seconds() == 30.5


def test_an_attempt_that_is_killed_in_a_phase_without_steps_lasted_until_then(tmp_path: Path) -> None:
    attempt = folder(tmp_path).new_attempt()
    began = time.time()
    attempt.write("env", {"time": began})
    with subprocess.Popen([sys.executable, "-c", LIVE, str(attempt.path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"alive\n"
        time.sleep(1)
        process.kill()
        killed = time.time()
    assert killed - began - 0.6 < attempt.seconds() <= killed - began
    with pytest.raises(KeyError), signs_of_life(attempt):
        raise KeyError
    assert attempt.seconds() > killed - began  # an end that is told is a sign of life, too


def test_a_job_that_can_write_nothing_for_want_of_room_says_so_by_its_exit_code(tmp_path: Path) -> None:
    run_dir = folder(tmp_path)
    done = subprocess.run([sys.executable, "-c", FULL, str(tmp_path), run_dir.run_id])
    assert done.returncode == EXIT_NO_ROOM
    assert state_of(run_dir) is State.interrupted
    found = run_dir.diagnosis(f"FAILED, exit {EXIT_NO_ROOM}:0")
    assert found is not None
    assert found.failure_class is FailureClass.disk
    assert outcome(run_dir, EXIT_NO_ROOM).startswith("stopped: no room on the disk of ")
