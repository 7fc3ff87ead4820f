"""Money in a report: beside device-hours where a price is set, and nowhere else."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from analysis.report.evidence import Evidence
from analysis.report.next_run import next_steps
from analysis.report.run_sections import run_sections
from analysis.report.sections import cost
from analysis.runs.selection import select
from sweeper.rows.row import row_path, write_row
from tests.analysis.synthetic_rows import write_grid
from tests.provenance import measured_on

OWN = {"train_s": 5000.0, "evaluate_s": 400.0}  # the other half hour made the base model
WHERE = measured_on(device="cuda", device_name="H100", n_devices=4)


def on_gpus(results: Path, *, unpriced: int = 0, currency: str = "EUR") -> Evidence:
    """Two runs of two hours, 90 minutes their own, on four GPUs each, at 2.5 an hour but for so many of them."""
    write_grid(results, models={"tiny-40k": 27_000}, grid="g")
    found = select(results, "g")
    for number, run in enumerate(found.runs):
        assert run.row.timing is not None
        row_path(results, run.row.run_id).unlink()
        write_row(results, replace(run.row, timing=replace(run.row.timing, total_s=7200.0, **OWN), provenance=WHERE))
        spec = results / "runs" / run.row.run_id / "spec.json"
        spec.parent.mkdir(parents=True)
        price = None if number < unpriced else 2.5
        cluster = {"device": "cuda", "price_per_gpu_hour": price, "currency": currency}
        spec.write_text(json.dumps({"cluster": cluster}))
    found = select(results, "g")
    assert found.record is not None
    named = replace(found, record=replace(found.record, grid="g", settings=()))
    return Evidence(selection=named, results_dir=results)


def of_runs(evidence: Evidence) -> list[str]:
    """What the part of each run says of its cost."""
    lines = [line for run in run_sections(evidence) for line in run.settings.data.itertuples(index=False)]
    return [value for what, value in lines if what == "Cost"]


def test_runs_their_means_and_the_next_step_are_priced(tmp_path: Path) -> None:
    evidence = on_gpus(tmp_path)
    assert all(", 4 x H100, EUR 20.00" in text for text in of_runs(evidence))
    assert len(of_runs(evidence)) == 2
    (table,) = cost.section(evidence).tables
    assert table.data["cost_EUR"].tolist() == [20.0]
    assert "Cost, EUR" in [column.title for column in table.columns]
    assert next(next_steps(evidence)).price == "about 12.0 device-hours, EUR 30.00"


@pytest.mark.parametrize("unpriced", [1, 2])
def test_what_has_no_price_is_given_none(unpriced: int, tmp_path: Path) -> None:
    evidence = on_gpus(tmp_path, unpriced=unpriced)
    assert sum("EUR" in text for text in of_runs(evidence)) == 2 - unpriced
    section = cost.section(evidence)
    said = "Money: 1 of 2 runs have no price, or no measured GPU-hours."
    assert (said in section.missing) == (unpriced == 1)
    means = section.tables[0].data
    assert means["cost_EUR"].isna().all() if unpriced == 1 else "cost_EUR" not in means
    assert next(next_steps(evidence)).price == "about 12.0 device-hours"
