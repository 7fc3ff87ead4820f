"""A run whose rollout engine samples from other weights than the actor's stops."""

import json
import os
from pathlib import Path

import pytest

from sweeper.host.errors import OtherWeightsError
from sweeper.rows.curve import read_curve
from sweeper.rows.failure_class import FailureClass
from sweeper.runs.folder import RunDir
from sweeper.runs.retry_changes import NEEDS_A_FIX
from sweeper.runs.triage import of_exception
from sweeper.spec.run import RunSpec
from sweeper.training.watch import Watch
from tests.sweeper.points import spec

GOLDEN = Path(__file__).parents[1] / "golden" / "sources"


def watched(results: Path, run: RunSpec, *differences: float) -> None:
    """What the watch of an attempt does after its steps have been logged."""
    run_dir = RunDir(results_dir=results, run_id=run.run_id)
    run_dir.freeze(run)
    attempt = run_dir.new_attempt()
    watch = Watch(run, attempt, "here", os.getpid())
    watch.phase("train")
    for step, value in enumerate(differences, start=1):
        data = {"critic/score/mean": 0.5, "training/rollout_probs_diff_mean": value}
        with attempt.metrics.open("a") as file:
            file.write(json.dumps({"step": step, "data": data}) + "\n")
        watch.tick()


def test_a_step_sampled_from_other_weights_ends_the_run_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(OtherWeightsError, match=r"step 2 was sampled from other weights .* differ by 0\.31"):
        watched(tmp_path, spec(), 0.004, 0.31)


def test_rounding_ends_no_run(tmp_path: Path) -> None:
    watched(tmp_path, spec(), 3e-7, 3e-4, 0.005, 0.02, float("nan"))


@pytest.mark.parametrize("cut", ["training.top_p=0.9", "+verl.actor_rollout_ref.rollout.top_k=5"])
def test_an_engine_that_draws_from_a_part_of_the_distribution_is_not_judged(cut: str, tmp_path: Path) -> None:
    watched(tmp_path, spec(cut), 0.31)


def test_such_a_failure_has_a_class_and_is_not_tried_again_blindly() -> None:
    assert of_exception(OtherWeightsError("x")) is FailureClass.other_weights
    assert FailureClass.other_weights in NEEDS_A_FIX


@pytest.mark.parametrize("file", sorted(GOLDEN.glob("*.jsonl")), ids=lambda path: path.stem)
def test_real_runs_on_cpu_are_five_orders_of_magnitude_below_the_threshold(file: Path) -> None:
    differences = [point.probs_diff for point in read_curve([file]) if point.reward is not None]
    assert differences
    assert max(value for value in differences if value is not None) < 5e-7
    assert None not in differences
