import json
import os
import re
import time
from pathlib import Path

import pytest

from sweeper.host.errors import StalledError
from sweeper.host.process import run_child
from sweeper.runs.attempt import Attempt
from sweeper.runs.folder import RunDir
from sweeper.spec.run import RunSpec
from sweeper.training import checkpoint
from sweeper.training.step_time import Measured, measured, pace, patience
from sweeper.training.watch import Watch
from tests.sweeper.points import spec


def trained(results: Path, run: RunSpec, seconds: list[float]) -> RunDir:
    run_dir = RunDir(results_dir=results, run_id=run.run_id)
    run_dir.freeze(run)
    steps(run_dir.new_attempt(), seconds)
    return run_dir


def steps(attempt: Attempt, seconds: list[float], saves: dict[int, float] | None = None) -> None:
    with attempt.metrics.open("a") as file:
        for step, value in enumerate(seconds, start=1):
            data = {"critic/score/mean": 0.5, "perf/time_per_step": value}
            data |= {"timing_s/save_checkpoint": saves[step]} if saves and step in saves else {}
            file.write(json.dumps({"step": step, "data": data}) + "\n")


@pytest.mark.parametrize(
    ("seconds", "minutes", "expected"),
    [([60.0], "30", 10), ([300.0], "30", 6), ([7200.0], "30", 1), ([300.0], "null", 10), ([], "30", 10)],
)
def test_no_more_work_than_allowed_lies_between_two_checkpoints(
    seconds: list[float], minutes: str, expected: int
) -> None:
    run = spec(f"cluster.max_loss_minutes={minutes}")
    assert run.training.save_freq == 10
    assert pace(run, Measured(steps=tuple(seconds))).every == expected


@pytest.mark.parametrize(
    ("step", "saving", "expected", "said"),
    [
        (300.0, 10.0, 6, r"cluster.max_loss_minutes=30"),
        (1500.0, 10.0, 1, r"cluster.max_loss_minutes=30"),
        (1500.0, 300.0, 4, r"one every 1, but one takes 300 s and a step 1500 s, .* at most 5% .*; 100 minutes can be"),
        (1500.0, 9000.0, 10, r"250 minutes can be lost"),  # never more seldom than it was asked for
        (30.0, 9000.0, 10, None),
    ],
)
def test_saving_takes_at_most_a_twentieth_of_the_time_and_that_wins_over_the_bound_on_the_loss(
    step: float, saving: float, expected: int, said: str | None
) -> None:
    run = spec("cluster.max_loss_minutes=30")
    found = pace(run, Measured(steps=(step,), saves=(saving,)))
    assert found.every == expected
    assert found.why is None if said is None else re.search(said, str(found.why))


def test_before_a_save_was_measured_its_time_is_taken_from_its_size() -> None:
    run = spec("model_family=qwen2.5", "cluster=slurm", "model=qwen2.5-72b")
    n = run.model.architecture.n_params
    assert checkpoint.assumed_seconds(run) == pytest.approx((12 * n / 4 + 4 * n) / checkpoint.BANDWIDTH)
    found = pace(run, Measured(steps=(1500.0,)))
    assert found.every == 10
    assert pace(run, Measured(steps=(1500.0,), saves=(60.0,))).every == 1


def test_a_steps_time_is_without_its_save_and_saves_are_measured_too(tmp_path: Path) -> None:
    run = spec("seed=1")
    run_dir = trained(tmp_path, run, [])
    steps(run_dir.attempts()[0], [5.0, 65.0, 5.0], {2: 60.0})
    assert measured(run_dir, run) == Measured(steps=(5.0, 5.0, 5.0), saves=(60.0,))


def test_a_bound_on_the_loss_is_no_part_of_a_runs_identity() -> None:
    assert spec("cluster.max_loss_minutes=5").run_id == spec().run_id


def test_a_steps_time_is_known_from_earlier_attempts_else_from_runs_alike(tmp_path: Path) -> None:
    run, other = spec("seed=1"), spec("seed=2")
    new = RunDir(results_dir=tmp_path, run_id=run.run_id)
    assert measured(new, run) == Measured()
    trained(tmp_path, other, [9.0, 4.0, 5.0])
    trained(tmp_path, spec("seed=3", "training.max_response_length=10"), [1.0] * 5)  # shorter: says nothing
    trained(tmp_path, spec("seed=4"), [70.0])  # one step, which warmed up
    assert measured(new, run).steps == (9.0, 4.0, 5.0)
    assert measured(trained(tmp_path, run, [6.0, 7.0, 8.0]), run).steps == (6.0, 7.0, 8.0)


def test_a_run_is_stalled_after_many_median_steps_but_never_before_the_floor() -> None:
    run = spec("cluster.stalled_after_minutes=10", "cluster.stalled_after_steps=5")
    assert patience(run, []) == 600.0
    assert patience(run, [30.0]) == 600.0
    assert patience(run, [100.0, 200.0, 9000.0]) == 1000.0
    assert patience(spec("cluster.stalled_after_minutes=null"), [1.0]) is None


def test_a_child_that_stops_making_steps_is_killed(tmp_path: Path) -> None:
    run = spec("cluster.stalled_after_minutes=0.01", "cluster.stalled_after_steps=2")
    attempt = trained(tmp_path, run, [0.4, 0.5, 0.6]).attempts()[0]
    watch = Watch(run, attempt, "here", os.getpid())
    pid, began = tmp_path / "pid", time.monotonic()
    with pytest.raises(StalledError, match=r"its median step took 0\.5 s"):
        run_child(["sh", "-c", f"echo $$ >{pid}; sleep 60"], log=attempt.log, env={}, on_tick=watch.tick)
    assert time.monotonic() - began > 0.9
    assert not Path(f"/proc/{pid.read_text().strip()}").exists()


def test_a_phase_without_steps_is_stalled_when_it_prints_nothing_more(tmp_path: Path) -> None:
    run = spec("cluster.stalled_after_minutes=0.02")
    attempt = trained(tmp_path, run, [0.4]).attempts()[0]
    watch, began = Watch(run, attempt, "here", os.getpid()), time.monotonic()
    watch.phase("evaluate")
    talks = "for i in 1 2 3 4; do sleep 0.7; echo $i; done; sleep 60"
    with pytest.raises(StalledError, match="evaluate printed nothing for"):
        run_child(["sh", "-c", talks], log=attempt.log, env={}, on_tick=watch.listen)
    assert time.monotonic() - began > 4 * 0.7 + 1.2
