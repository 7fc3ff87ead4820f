import json
import time
from pathlib import Path

import pytest

from sweeper.job.exit import EXIT_EXPIRED, EXIT_FAILED, Expired, finish
from sweeper.job.phases import Measured
from sweeper.job.run import begin
from sweeper.launch.slurm.queue import Queue
from sweeper.plan.retry import consider
from sweeper.plan.view import plan_text
from sweeper.rows.failure_class import FailureClass
from sweeper.rows.row import Failure, write_row
from sweeper.runs.folder import RunDir
from sweeper.runs.state import State, state_of
from sweeper.spec.run import RunSpec
from tests.sweeper.called import Done, called
from tests.sweeper.points import plan, spec
from tests.sweeper.rows import row


def failed(results: Path, run: RunSpec, failure_class: FailureClass, *, times: int = 1) -> RunDir:
    run_dir = RunDir(results_dir=results, run_id=run.run_id)
    run_dir.freeze(run)
    for _ in range(times):
        run_dir.new_attempt().write("exit", {"status": "failed", "phase": "train", "class": failure_class})
    failure = Failure(phase="train", reason="odd", log="l", failure_class=failure_class, evidence="the line")
    write_row(results, row(run, failure=failure, attempts=len(run_dir.attempts())))
    return run_dir


def retry(results: Path, *arguments: str) -> Done:
    return called("retry", "--results", str(results), *arguments)


def test_retry_says_of_every_run_what_it_will_do_before_it_does_it(tmp_path: Path) -> None:
    oom = failed(tmp_path, spec("seed=1", "model.resources.actor_tokens_per_gpu=4096"), FailureClass.cuda_oom)
    failed(tmp_path, spec("seed=2"), FailureClass.reward)
    done = retry(tmp_path, "--dry-run")
    assert done.returncode == 0, done.stderr
    lines = {line.split(": ")[0]: line for line in done.stdout.splitlines()}
    assert "actor_tokens_per_gpu=2048 (was 4096)" in lines[oom.run_id]
    assert "cuda_oom (the line)" in lines[oom.run_id]
    assert "needs a fix first; then: retry --class reward" in lines[spec("seed=2").run_id]
    assert "1 of 2 runs" in done.stdout
    assert oom.spec().model.resources.actor_tokens_per_gpu == 4096  # a dry run changes nothing
    (told,) = json.loads(retry(tmp_path, "--dry-run", "--json", "--class", "oom").stdout)["data"]["runs"]
    assert told["changes"]["model.resources.actor_tokens_per_gpu"] == 2048
    assert "choose from oom" in retry(tmp_path, "--class", "gremlin").stderr


def test_retry_asks_before_what_a_launch_would_ask_about(tmp_path: Path) -> None:
    on_gpus = ("model_family=qwen2.5", "cluster=slurm", "cluster.confirm_gpu_hours=1")
    run_dir = failed(tmp_path, spec("seed=1", *on_gpus), FailureClass.cuda_oom)
    done = retry(tmp_path)
    assert done.returncode == 2
    assert "cluster.confirm_gpu_hours=1 needs a yes: add --yes. Nothing was started" in done.stderr
    assert run_dir.spec() == spec("seed=1", *on_gpus)
    assert retry(tmp_path, "--dry-run").returncode == 0


def test_a_retried_run_keeps_its_spec_and_its_id_and_its_next_attempt_is_adjusted(tmp_path: Path) -> None:
    run = spec("seed=1", "model.resources.actor_tokens_per_gpu=4096")
    run_dir = failed(tmp_path, run, FailureClass.cuda_oom)
    frozen = run_dir.spec_path.read_text()
    considered = consider(run_dir, Queue(elements={}, endings={}))
    assert considered is not None
    adjusted = considered.prepare()
    assert run_dir.spec_path.read_text() == frozen
    assert adjusted.run_id == run.run_id
    assert adjusted.model.resources.actor_tokens_per_gpu == 2048
    assert run_dir.spec() == adjusted
    history = json.loads((run_dir.path / "adjustment.json").read_text())["history"]
    assert history[0]["class"] == "cuda_oom"
    assert history[0]["evidence"] == "the line"


def test_a_launch_tries_failed_runs_again_by_the_same_policy(tmp_path: Path) -> None:
    for seed, failure_class in ((1, FailureClass.config), (2, FailureClass.unknown), (3, FailureClass.cuda_oom)):
        failed(tmp_path, spec(f"seed={seed}"), failure_class)
    failed(tmp_path, spec("seed=4"), FailureClass.unknown, times=3)
    found = plan(tmp_path, "seed=1,2,3,4")
    assert {run.state for run in found.runs} == {State.failed}
    assert [run.spec.seed for run in found.to_run if run.spec] == [2, 3]
    text = plan_text(found)
    assert "needs a fix first; then: retry --class config" in text
    assert "failed 3 times so (cluster.max_failures=3)" in text


def test_resources_given_at_a_launch_reach_the_next_attempt_and_count_as_a_fix(tmp_path: Path) -> None:
    failed(tmp_path, spec("seed=1"), FailureClass.config)
    run = plan(tmp_path, "seed=1,9", "model.resources.offload=true", "cluster.max_failures=7").to_run[0]
    assert run.considered is not None
    assert "model.resources.offload=True (was False)" in str(run.reason)
    adjusted = run.considered.prepare()
    assert adjusted.model.resources.offload
    assert adjusted.cluster.max_failures == 7
    again = plan(tmp_path, "seed=1,9", "model.resources.offload=true")
    assert [run.spec.seed for run in again.to_run if run.spec] == [9]  # it has them already: nothing is new


def test_a_setting_given_for_one_launch_is_not_kept_for_the_next(tmp_path: Path) -> None:
    run_dir = failed(tmp_path, spec("seed=1"), FailureClass.unknown)
    given = ("cluster.stalled_after_minutes=7", "model.resources.offload=true")
    for overrides, minutes, offload in ((given, 7.0, True), ((), 60.0, False), (given, 7.0, True)):
        considered = plan(tmp_path, "seed=1,9", *overrides).to_run[0].considered
        assert considered is not None
        adjusted = considered.prepare()
        assert adjusted == run_dir.spec()
        assert (adjusted.cluster.stalled_after_minutes, adjusted.model.resources.offload) == (minutes, offload)


def test_the_same_command_does_not_undo_what_a_failure_made_of_a_setting(tmp_path: Path) -> None:
    run_dir = failed(tmp_path, spec("seed=1"), FailureClass.cuda_oom)
    said = ("model.resources.actor_tokens_per_gpu=8192", "cluster.max_failures=9")
    for tokens in (8192, 4096, 2048):  # given, then halved at each failure, though the command still says 8192
        considered = plan(tmp_path, "seed=1,9", *said).to_run[0].considered
        assert considered is not None
        considered.prepare()
        assert run_dir.spec().model.resources.actor_tokens_per_gpu == tokens
        failed(tmp_path, spec("seed=1"), FailureClass.cuda_oom)


def test_a_change_is_made_once_an_attempt_and_not_at_every_submission_that_slurm_refuses(tmp_path: Path) -> None:
    run_dir = failed(tmp_path, spec("seed=1", "cluster=slurm_cpu"), FailureClass.host_oom)
    for _ in range(3):
        considered = consider(run_dir, Queue(elements={}, endings={}))
        assert considered is not None
        assert considered.prepare().cluster.memory_gb_per_gpu == 12
    again = consider(run_dir, Queue(elements={}, endings={}))
    assert again is not None
    assert "which was not tried yet: cluster.memory_gb_per_gpu=12 (was 8)" in again.text()
    failed(tmp_path, spec("seed=1", "cluster=slurm_cpu"), FailureClass.host_oom)
    considered = consider(run_dir, Queue(elements={}, endings={}))
    assert considered is not None
    assert considered.prepare().cluster.memory_gb_per_gpu == 18


def test_memory_that_is_stated_now_is_the_fix_and_is_not_raised(tmp_path: Path) -> None:
    run_dir = failed(tmp_path, spec("seed=1", "cluster=slurm_cpu"), FailureClass.host_oom)
    now = spec("seed=1", "cluster=slurm_cpu", "cluster.memory_gb_per_gpu=60")
    considered = consider(run_dir, Queue(elements={}, endings={}), now=now)
    assert considered is not None
    assert considered.prepare().cluster.memory_gb_per_gpu == 60


def test_a_warning_with_time_left_is_a_preemption_and_fails_no_run_however_often_it_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = spec("cluster=slurm_cpu", "cluster.signal_seconds=120", "model.resources.hours=1")
    run_dir = RunDir(results_dir=tmp_path, run_id=run.run_id)
    run_dir.freeze(run)
    for name in ("SLURM_JOB_END_TIME", "SWEEPER_JOB_BEGAN"):
        monkeypatch.delenv(name, raising=False)
    codes = []
    for left in (3500.0, 3500.0, 3500.0, 150.0, 150.0):
        job = begin(run_dir, run, run_dir.new_attempt())
        env = job.attempt.read("env")
        assert env is not None
        job.attempt.write("env", env | {"time": time.time() - (3600 - left)})
        codes.append(finish(job, Measured(), Expired()))
    assert codes == [EXIT_EXPIRED, EXIT_EXPIRED, EXIT_EXPIRED, EXIT_EXPIRED, EXIT_FAILED]
    failure = run_dir.failure()
    assert failure is not None
    assert "two attempts in a row met the time limit" in failure.reason
    # The setup took so long that the attempt is younger than its job: near its limit, not preempted.
    monkeypatch.setenv("SWEEPER_JOB_BEGAN", str(round(time.time() - 3500)))
    job = begin(run_dir, run, run_dir.new_attempt())
    assert finish(job, Measured(), Expired()) == EXIT_EXPIRED
    end = job.attempt.read("exit")
    assert end is not None
    assert end["cause"] == "timeout"
    monkeypatch.setenv("SLURM_JOB_END_TIME", str(round(time.time() + 3000)))  # SLURM's own word wins
    job = begin(run_dir, run, run_dir.new_attempt())
    assert finish(job, Measured(), Expired()) == EXIT_EXPIRED
    end = job.attempt.read("exit")
    assert end is not None
    assert end["cause"] == "preempted"


def test_a_preempted_attempt_is_no_time_out(tmp_path: Path) -> None:
    run_dir = RunDir(results_dir=tmp_path, run_id=spec().run_id)
    run_dir.freeze(spec())
    for cause, told in (("preempted", "preempted"), ("timeout", "timeout"), (None, "timeout")):
        ending = {"status": "expired", "phase": "train", "steps": 0} | ({"cause": cause} if cause else {})
        run_dir.new_attempt().write("exit", ending)
        found = run_dir.diagnosis()
        assert found is not None
        assert found.failure_class == told


@pytest.mark.parametrize("status", ["expired", "terminated"])
def test_attempts_that_slurm_ended_do_not_count_as_failures(tmp_path: Path, status: str) -> None:
    run_dir = failed(tmp_path, spec("seed=1"), FailureClass.unknown)
    for _ in range(5):
        run_dir.new_attempt().write("exit", {"status": status, "phase": "train", "steps": 3})
    assert state_of(run_dir) is State.interrupted
    considered = consider(run_dir, Queue(elements={}, endings={}))
    assert considered is not None
    assert considered.decision.retry


def test_attempts_after_which_slurm_queued_the_same_job_again_are_no_failures_of_a_later_ones_class(
    tmp_path: Path,
) -> None:
    run = spec("seed=1", "cluster=slurm_cpu", "cluster.max_failures=3")
    run_dir = RunDir(results_dir=tmp_path, run_id=run.run_id)
    run_dir.freeze(run)
    # Killed by preemptions, which leave no record; then a job of its own that lacked memory.
    for name in ("7", "7", "7", "8"):
        run_dir.new_attempt().write("env", {"time": time.time(), "job": name})
    queue = Queue(elements={}, endings={run.run_id: "OUT_OF_MEMORY, exit 0:125"}, time=1.0)
    considered = consider(run_dir, queue)
    assert considered is not None
    assert considered.diagnosis.failure_class is FailureClass.host_oom
    assert considered.decision.retry
    for attempt in run_dir.attempts():
        attempt.write("env", {"time": time.time(), "job": attempt.path.name})
    refused = consider(run_dir, queue)
    assert refused is not None
    assert "failed 4 times so" in refused.decision.words
    preempted = consider(run_dir, Queue(elements={}, endings={run.run_id: "PREEMPTED, exit 0:0"}, time=1.0))
    assert preempted is not None
    assert preempted.decision.retry
