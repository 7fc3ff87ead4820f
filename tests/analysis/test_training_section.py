"""The report's section on training."""

import json
from pathlib import Path

from analysis.report.evidence import MOST_LINES, Evidence
from analysis.report.sections.training import FIELDS, section
from analysis.runs.selection import select
from tests.analysis.synthetic_rows import write_grid


def test_what_only_runs_logged_that_are_not_drawn_is_told_and_costs_no_figure(tmp_path: Path) -> None:
    algorithms = tuple(f"a{number}" for number in range(MOST_LINES + 1))
    write_grid(tmp_path, models={"tiny-40k": 27_000}, scales=(64,), algorithms=algorithms)
    for file in (tmp_path / "rows").glob("*.json"):
        row = json.loads(file.read_text())
        logs = row["algorithm"] == algorithms[-1]
        for number, point in enumerate(row["curve"]):
            point["kl"] = number / 100 if logs else None
        file.write_text(json.dumps(row))
    made = section(Evidence(selection=select(tmp_path, None), results_dir=tmp_path))
    assert f"Logged only by runs that are not drawn: {FIELDS['kl'][0]}." in made.missing
    assert made.figures
