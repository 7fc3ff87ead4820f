"""What a run costs is its own: what the runs of a base model share is priced apart, and once."""

from dataclasses import replace
from pathlib import Path

import pytest

from sweeper.plan.base_models import BaseModels
from sweeper.plan.cost import Pricer
from sweeper.plan.totals import totals_of
from sweeper.rows.device_time import built, device_time
from sweeper.rows.row import ResultRow
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


def test_an_interrupted_run_says_nothing_of_its_own_share() -> None:
    row = measured(885.0)
    assert row.timing is not None
    time = device_time(replace(row, timing=replace(row.timing, attempts=2)))
    assert time is not None
    assert (time.own, time.shared) == (None, None)
    assert built([replace(row, timing=replace(row.timing, attempts=2))]) == {}


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
