"""What a run costs is its own: what the runs of a base model share is priced apart, and once."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sweeper.job.row import earlier_steps_s
from sweeper.plan.base_models import BaseModels
from sweeper.plan.cost import Pricer
from sweeper.plan.totals import totals_of
from sweeper.rows.device_time import built, device_time, own_seconds, untimed
from sweeper.rows.row import ResultRow
from sweeper.runs.folder import RunDir
from tests.provenance import measured_on
from tests.sweeper.points import spec
from tests.sweeper.rows import row as row_of


def measured(total_s: float) -> ResultRow:
    """Of a run of 85 s of its own, on two devices."""
    return replace(row_of(spec(), total_s=total_s), provenance=measured_on(n_devices=2), settings=spec().settings())


def test_a_run_that_built_the_base_model_costs_of_its_own_what_the_next_one_costs() -> None:
    first, second = (device_time(measured(total_s)) for total_s in (885.0, 85.0))
    assert first is not None
    assert second is not None
    assert first.own == second.own == pytest.approx(2 * 85 / 3600)
    assert (first.shared, second.shared) == (pytest.approx(2 * 800 / 3600), 0.0)


def test_an_interrupted_run_costs_what_a_whole_one_does_and_says_nothing_of_what_is_shared() -> None:
    row = measured(885.0)
    assert row.timing is not None
    twice = replace(row, timing=replace(row.timing, attempts=2, earlier_steps_s=30.0))
    time = device_time(twice)
    assert time is not None
    assert (time.own, time.shared) == (pytest.approx(2 * (85 + 30) / 3600), None)
    assert built([twice]) == {}
    assert (untimed(twice), untimed(row)) == (None, None)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"attempts": 2}, "the steps of its 2 attempts were not all timed"),
        ({"attempts": 2, "train_s": None, "earlier_steps_s": 9.0}, "its last attempt only evaluated"),
        ({"evaluate_s": None}, "training or evaluation was not timed"),
    ],
)
def test_a_run_without_a_price_of_its_own_says_why(changes: dict[str, Any], reason: str) -> None:
    row = measured(885.0)
    assert row.timing is not None
    found = replace(row, timing=replace(row.timing, **changes))
    assert own_seconds(found) is None
    assert str(untimed(found)).startswith(reason)


def test_steps_that_an_earlier_attempt_made_are_counted_once(tmp_path: Path) -> None:
    run_dir = RunDir(results_dir=tmp_path, run_id=spec().run_id)
    run_dir.freeze(spec())
    for steps in ((1, 2, 3), (3, 4)):
        attempt = run_dir.new_attempt()
        assert earlier_steps_s(run_dir) is None or len(run_dir.attempts()) > 1
        data = {"critic/score/mean": 0.1, "perf/time_per_step": 10.0 + len(run_dir.attempts())}
        attempt.metrics.write_text("".join(json.dumps({"step": step, "data": data}) + "\n" for step in steps))
    assert earlier_steps_s(run_dir) == 22.0  # steps 1 and 2; the last attempt made 3 again
    run_dir.attempts()[1].metrics.write_text("")
    assert earlier_steps_s(run_dir) == 33.0
    untold = {"step": 1, "data": {"critic/score/mean": 0.1}}
    run_dir.attempts()[0].metrics.write_text(json.dumps(untold) + "\n")
    assert earlier_steps_s(run_dir) is None


def test_a_base_model_that_rows_hold_is_not_priced_again(tmp_path: Path) -> None:
    run = spec("seed=1", "cluster=slurm", "model_family=qwen2.5")
    due = [(run, Pricer((), tmp_path).cost(run))]
    row = replace(measured(885.0), model=run.model.name, settings=run.settings())
    assert totals_of(due, tmp_path, BaseModels.of([row])).base_models == 0
    other = replace(row, settings=run.settings() | {"eval.n_samples": 7})
    assert totals_of(due, tmp_path, BaseModels.of([other])).base_models == 1


def test_building_is_said_once_per_model_with_what_it_took_here() -> None:
    found = BaseModels.of([measured(3685.0), measured(85.0)])
    assert found.text(0) == ""
    assert found.text(2) == (
        "building 2 base models, once per model, is not in it; with its pass@k it took 2.00 device-hours per model "
        "here (1 model)"
    )
    assert BaseModels().text(1).endswith("not measured here yet")
