"""pass@k along training in the report and in `passk RUN`; the best checkpoint is never reported where it was chosen."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analysis.cli import main
from analysis.estimates.points import pass_at
from analysis.passk.best_step import best_step, chooses
from analysis.passk.interval import over_problems
from analysis.report.evidence import Evidence
from analysis.report.sections import passk
from analysis.report.sections.passk_along import along_table, best_of
from analysis.runs.selection import select
from sweeper.rows.row import problems_after_path, row_path
from sweeper.rows.score import ScoresAfter
from sweeper.rows.table import records, text
from tests.analysis.synthetic_rows import Truth, scores_of, write_counts, write_run

RUN, TRUTH = "tiny-40k_grpo_uniform_n64_s0-0123456789ab", Truth(n_problems=40, n_samples=16)
IDS = [f"p{i:04d}" for i in range(TRUTH.n_problems)]
SKILLS = {10: 0.3, 20: 0.6}  # by step; step 25 was not measured


def along(results: Path) -> None:
    """A run of 30 steps with the counts of two checkpoints."""
    row = write_run(results, RUN, model="tiny-40k", size=27_000, scale=64, algorithm="grpo", seed=0, truth=TRUTH)
    found = []
    for step, share in SKILLS.items():
        correct = np.random.default_rng(step).binomial(TRUTH.n_samples, share, TRUTH.n_problems)
        write_counts(problems_after_path(results, RUN, step), correct, TRUTH)
        found.append(ScoresAfter(step=step, scores=scores_of(correct, TRUTH)))
    found.append(ScoresAfter(step=25, scores=(), missing="its weights were not there"))
    row_path(results, RUN).write_text(replace(row, along=tuple(found)).to_json())


def test_a_step_chosen_among_equal_ones_is_too_good_where_it_was_chosen_and_not_elsewhere() -> None:
    rng, choosing = np.random.default_rng(0), np.array([chooses(name) for name in IDS])
    inside, outside = [], []
    for _ in range(60):
        truth = rng.beta(0.4, 1.2, len(IDS))
        steps = {step: (rng.binomial(16, truth) / 16)[None, :] for step in range(1, 21)}
        found = best_step(IDS, steps)
        assert not isinstance(found, str)
        assert found.value == pytest.approx(steps[found.step][:, ~choosing].mean())
        inside.append(steps[found.step][:, choosing].mean() - truth[choosing].mean())
        outside.append(found.value - truth[~choosing].mean())
    assert np.mean(inside) > 0.02
    assert abs(np.mean(outside)) < 3 * np.std(outside) / np.sqrt(len(outside))


def test_the_halves_are_those_of_every_run_and_what_has_no_two_halves_is_told() -> None:
    assert [name for name in IDS[:8] if chooses(name)] == ["p0000", "p0001", "p0002", "p0003"]
    assert "do not fall into two halves" in str(best_step(["p0000"], {1: np.ones((1, 1)), 2: np.ones((1, 1))}))
    assert "after one step alone" in str(best_step(IDS, {1: np.ones((1, len(IDS)))}))


def test_equally_good_steps_are_told_by_the_earliest_and_the_last_gains_nothing_on_itself() -> None:
    same = np.tile(np.linspace(0, 1, len(IDS)), (2, 1))
    found = best_step(IDS, {5: same, 10: same})
    last = best_step(IDS, {5: same / 2, 10: same})
    assert not isinstance(found, str)
    assert not isinstance(last, str)
    assert (found.step, found.gain) == (5, 0.0)
    assert (last.step, last.gain, last.gain_interval) == (10, 0.0, None)


def test_the_report_has_each_step_with_the_interval_that_every_pass_at_k_has(tmp_path: Path) -> None:
    along(tmp_path)
    evidence = Evidence(selection=select(tmp_path), results_dir=tmp_path)
    (point,) = evidence.points
    frame = along_table([point], [1, 8])
    assert frame["step"].tolist() == [0, 10, 20, 25, 30] * 2
    ten = frame[(frame["step"] == 10) & (frame["k"] == 8)].iloc[0]
    matrix = point.matrix(8, step=10)
    assert matrix is not None
    expected = over_problems(matrix)
    assert (ten["pass_at_k"], ten["pass_at_k_low"]) == (pytest.approx(matrix.mean()), expected.low)
    assert np.isnan(frame[frame["step"] == 25]["pass_at_k"]).all()
    assert pass_at(point, 1, step=10) != pass_at(point, 1)
    best = best_of(point)
    assert not isinstance(best, str)
    assert (best.step, best.of, best.chosen_on + best.reported_on) == (20, 3, 40)


def test_the_section_on_pass_at_k_says_what_was_not_measured_and_how_the_best_was_chosen(tmp_path: Path) -> None:
    along(tmp_path)
    section = passk.section(Evidence(selection=select(tmp_path), results_dir=tmp_path))
    said = " ".join(section.lead)
    assert f"Not measured, or not whole: step 25 of {RUN}: its weights were not there." in said
    assert "chosen by pass@1 on one half of the problems (by a hash of their ids), reported on the other half" in said
    assert {"pass_at_k_along_training", "pass_at_k_along_training_curves", "best_checkpoints"} <= section.data().keys()
    (line,) = section.data()["best_checkpoints"].to_dict("records")
    assert line["best_low"] < line["best"] < line["best_high"]
    assert line["gain"] == pytest.approx(line["best"] - line["last"])


def test_passk_of_a_run_prints_its_steps_and_the_best_of_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    along(tmp_path)
    asked = ["passk", RUN, "--results", str(tmp_path), "--ks", "1,32"]
    assert main([*asked, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["along"]
    assert [one["step"] for one in found["steps"]] == [0, 10, 20, 30]
    assert found["missing"] == [{"step": 25, "reason": "its weights were not there"}]
    assert found["best"]["step"] == 20
    assert "undefined" in found["steps"][1]["ks"][1]["reason"]
    assert main(asked) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "step 25 not measured: its weights were not there" in printed
    assert "best step: 20, of 3: pass@1 " in printed
    assert "problems that it was not chosen by" in printed


def test_results_have_a_column_per_step_and_a_line_in_words(tmp_path: Path) -> None:
    along(tmp_path)
    rows = [run.row for run in select(tmp_path).runs]
    (flat,) = records(rows)
    assert flat["pass@8_step_20"] == rows[0].along[1].scores[0].at(8)
    assert flat["pass@1_step_25"] is None
    (line,) = (line for line in text(rows).splitlines() if line.startswith("pass@1 along training of"))
    assert "step 25 not measured" in line
    assert line.endswith("its weights were not there")
