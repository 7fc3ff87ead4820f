"""FLOPs at a step: one number for a run with fine-tuning before RL, wherever it is printed."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from analysis.drawing.answer import Chart
from analysis.questions import QUESTIONS
from analysis.report.report import write_report
from analysis.runs.selection import select
from analysis.runs.spent import flops_at, samples_at
from sweeper.rows.row import ResultRow, read_row, row_path
from tests.analysis.synthetic_rows import Truth, write_grid

TEN = Truth(n_problems=8, n_samples=8, steps=10)


def fine_tuned(results: Path, *, tokens: list[int | None] | None = None) -> ResultRow:
    """The only run of a folder: 40 of its 100 FLOPs went into fine-tuning before ten steps of RL."""
    (run_id,) = write_grid(results, models={"tiny-40k": 27_000}, scales=(64,), truth=TEN)
    row = read_row(row_path(results, run_id))
    assert row.flops is not None
    curve = tuple(
        replace(point, val_pass1=0.2 + 0.02 * point.step, tokens=tokens[point.step - 1] if tokens else 100)
        for point in row.curve
        if point.step
    )
    row = replace(row, n_sft=32, curve=curve, flops=replace(row.flops, total=100.0, fine_tuning=40.0))
    row_path(results, run_id).write_text(row.to_json())
    return row


def test_fine_tuning_was_paid_before_the_first_step(tmp_path: Path) -> None:
    row = fine_tuned(tmp_path)
    assert [flops_at(row, step) for step in (0, 1, 5, 10)] == pytest.approx([40, 46, 70, 100])
    assert [samples_at(row, step) for step in (0, 1, 10)] == [0, 128, 1280]


def test_flops_of_rl_follow_the_tokens_of_its_steps(tmp_path: Path) -> None:
    row = fine_tuned(tmp_path, tokens=[400, 200, *[50] * 8])
    assert [flops_at(row, step) for step in (1, 2, 10)] == pytest.approx([64, 76, 100])


def test_without_the_tokens_of_every_step_they_follow_the_steps(tmp_path: Path) -> None:
    row = fine_tuned(tmp_path, tokens=[400, None, *[50] * 8])
    assert flops_at(row, 1) == pytest.approx(46)


def test_a_run_without_a_total_has_no_flops_at_a_step(tmp_path: Path) -> None:
    row = fine_tuned(tmp_path)
    assert row.flops is not None
    assert flops_at(replace(row, flops=replace(row.flops, total=None)), 1) is None
    assert flops_at(replace(row, flops=None), 1) is None
    assert samples_at(replace(row, train_samples=None), 1) is None


def test_report_and_answers_print_the_same_flops_at_a_step(tmp_path: Path) -> None:
    fine_tuned(tmp_path)
    written = write_report(tmp_path, grid=None, out=tmp_path / "out.html")
    drawn = pd.read_csv(written.tables / "curves_compute.csv")
    assert drawn[drawn["mark"].isin(["point", "hollow"])]["x"].tolist() == pytest.approx(
        [46 + 6 * i for i in range(10)]
    )
    chart = QUESTIONS["compute"].ask(select(tmp_path)).figures["curves"]
    assert isinstance(chart, Chart)
    assert chart.traces[0].x[0] == pytest.approx(46)
