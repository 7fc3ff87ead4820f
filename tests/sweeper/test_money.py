"""What runs cost in a currency."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from sweeper.cli.main import main
from sweeper.grid.expand import expand
from sweeper.oversight.status import run_statuses, status_text
from sweeper.plan.plan import make_plan
from sweeper.plan.view import plan_json, plan_text
from sweeper.rows.money import Money, Price, cost_of
from sweeper.rows.row import ResultRow, write_row
from sweeper.runs.folder import RunDir
from sweeper.spec.run import RunSpec
from tests.provenance import measured_on
from tests.sweeper.points import spec
from tests.sweeper.rows import row

SLURM = ("model_family=qwen2.5", "cluster=slurm", "seed=0,1")
PRICED = ("cluster.device=cuda", "cluster.price_per_gpu_hour=2.5", "cluster.currency=EUR")


def on_gpus(run: RunSpec, *, hours: float = 2.0, devices: int = 4, device: str = "cuda") -> ResultRow:
    found = row(run)
    assert found.timing is not None
    where = measured_on(device=device, device_name="H100", n_devices=devices)
    return replace(found, timing=replace(found.timing, total_s=3600 * hours), provenance=where)


def stored(results: Path, found: ResultRow, run: RunSpec) -> RunDir:
    run_dir = RunDir(results_dir=results, run_id=run.run_id)
    run_dir.freeze(run)
    run_dir.new_attempt().write("env", {"time": 0.0, "device": "cuda"})
    write_row(results, found)
    return run_dir


def test_a_price_is_no_part_of_a_runs_identity() -> None:
    assert spec("seed=1", *PRICED).run_id == spec("seed=1", "cluster.device=cuda").run_id


def test_gpu_hours_cost_what_the_cluster_of_the_run_said(tmp_path: Path) -> None:
    run = spec("seed=1", *PRICED)
    stored(tmp_path, on_gpus(run), run)
    assert cost_of(tmp_path, on_gpus(run)) == Money(amount=20.0, currency="EUR")


@pytest.mark.parametrize("without", ["price", "gpu", "spec"])
def test_what_has_no_price_costs_nothing_that_could_be_told(without: str, tmp_path: Path) -> None:
    run = spec("seed=1", *(PRICED[:1] if without == "price" else PRICED))
    found = on_gpus(run, device="cpu" if without == "gpu" else "cuda")
    run_dir = stored(tmp_path, found, run)
    if without == "spec":
        run_dir.spec_path.unlink()
    assert cost_of(tmp_path, found) is None


def test_hours_of_cpus_have_no_price() -> None:
    assert Price.of(spec("cluster.device=cpu", *PRICED[1:]).cluster) is None


def test_a_plan_says_what_it_takes_in_money_beside_gpu_hours(tmp_path: Path) -> None:
    plan = make_plan(expand([*SLURM, *PRICED, f"results_dir={tmp_path}"], multirun=None), tmp_path)
    money, totals = plan_json(plan, overrides=None)["money"], plan.totals
    assert totals.gpu_hours is not None
    assert totals.device_hours_high is not None
    assert (money["cost"], money["currency"]) == (pytest.approx(2.5 * totals.gpu_hours), "EUR")
    assert money["cost_high"] == pytest.approx(2.5 * totals.device_hours_high)
    assert "at EUR 2.5 for a GPU-hour" in plan_text(plan)


def test_a_plan_without_a_price_says_nothing_of_money(tmp_path: Path) -> None:
    plan = make_plan(expand([*SLURM, f"results_dir={tmp_path}"], multirun=None), tmp_path)
    assert plan_json(plan, overrides=None)["money"] is None
    assert "USD" not in plan_text(plan)


def test_status_results_and_why_tell_the_money(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = spec("seed=1", *PRICED)
    stored(tmp_path, on_gpus(run), run)
    assert "8.00 device-hours spent, EUR 20.00" in status_text(run_statuses(tmp_path, None))
    where = f"results_dir={tmp_path}"
    assert main(["results", where]) == 0
    assert "EUR 20.00" in capsys.readouterr().out
    assert main(["results", where, "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["data"]
    assert (found["cost"], found["currency"]) == (20.0, "EUR")
    assert main(["results", where, "--sql", 'select "cost", currency from results']) == 0
    assert "20  EUR" in capsys.readouterr().out
    assert main(["why", run.run_id, where]) == 0
    assert "8.00 device-hours of 4 x" in (said := capsys.readouterr().out)
    assert ", EUR 20.00" in said


def test_status_sums_the_runs_that_have_a_price_and_counts_those_that_have_none(tmp_path: Path) -> None:
    for run in (spec("seed=1", PRICED[0]), spec("seed=2", *PRICED), spec("seed=3", *PRICED)):
        stored(tmp_path, on_gpus(run), run)
    for _ in ("read", "remembered"):
        statuses = run_statuses(tmp_path, None)
        assert "24.00 device-hours spent, EUR 40.00 (1 run has no price)" in status_text(statuses)
    by_seed = sorted(statuses, key=lambda item: str(item["run_id"]))
    assert [item.get("cost") for item in by_seed] == [None, 20.0, 20.0]
