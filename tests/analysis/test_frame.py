"""Reading rows: grid membership, seeds, series, and refusals that name the file."""

import json
from pathlib import Path

import numpy as np
import pytest

from analysis.estimates.points import disagreement, gain, mean_gain, pass_at
from analysis.runs.selection import points_of, select, series_of
from sweeper.host.errors import ConfigError, ResultsError
from sweeper.rows.passk import pass_at_k
from sweeper.rows.row import problems_path
from tests.analysis.synthetic_rows import Truth, write_counts, write_grid


def test_a_grid_selects_its_runs_and_counts_the_missing_ones(tmp_path: Path) -> None:
    write_grid(tmp_path, grid="other", scales=(16,))
    ids = write_grid(tmp_path, missing=("tiny-40k_grpo_uniform_n64_s0",), failed=("tiny-130k_grpo_uniform_n64_s0",))
    chosen = select(tmp_path, "model_scale")
    assert len(chosen.completed) == 6
    assert len(chosen.failed) == 1
    assert chosen.missing == (ids[0],)
    assert len(select(tmp_path).runs) == 4 + 7


def test_an_unknown_grid_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    write_grid(tmp_path, models={"tiny-40k": 27_000})
    with pytest.raises(ConfigError, match="known grids: model_scale"):
        select(tmp_path, "model_scal")


def test_a_folder_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="no rows/ folder"):
        select(tmp_path)


@pytest.mark.parametrize("text", ["not json\n", '{"problem_id": "p1"}\n', "[1]\n"])
def test_a_broken_counts_file_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (run_id,) = write_grid(tmp_path, models={"tiny-40k": 27_000}, scales=(64,))
    problems_path(tmp_path, run_id).write_text(text)
    with pytest.raises(ResultsError, match=r"problems\.jsonl is not a file of per-problem counts"):
        select(tmp_path)


def test_a_problem_counted_twice_is_refused(tmp_path: Path) -> None:
    (run_id,) = write_grid(tmp_path, models={"tiny-40k": 27_000}, scales=(64,))
    path = problems_path(tmp_path, run_id)
    path.write_text(path.read_text() + path.read_text().splitlines()[0] + "\n")
    with pytest.raises(ResultsError, match="counts a problem twice"):
        select(tmp_path)


def test_counts_without_a_problem_are_refused_and_a_run_without_counts_is_not(tmp_path: Path) -> None:
    (run_id,) = write_grid(tmp_path, models={"tiny-40k": 27_000}, scales=(64,))
    path = problems_path(tmp_path, run_id)
    path.write_text("")
    with pytest.raises(ResultsError, match=r"problems\.jsonl holds no problem: nothing was measured"):
        select(tmp_path)
    path.unlink()
    (run,) = select(tmp_path).runs
    assert run.trained is None


def test_a_broken_grid_file_is_refused_by_name(tmp_path: Path) -> None:
    write_grid(tmp_path, models={"tiny-40k": 27_000})
    (tmp_path / "grids" / "model_scale.json").write_text(json.dumps({"grid": "model_scale"}))
    with pytest.raises(ResultsError, match=r"model_scale\.json is damaged: 'run_ids' is missing"):
        select(tmp_path, "model_scale")


def test_seeds_of_one_configuration_are_one_point(tmp_path: Path) -> None:
    write_grid(tmp_path, seeds=(0, 1, 2))
    points = points_of(select(tmp_path).completed)
    assert len(points) == 8
    assert {len(point.runs) for point in points} == {3}


@pytest.mark.parametrize(
    ("scales", "algorithms", "labels"),
    [
        ((64, 512), ("grpo",), {"n64", "n512"}),
        ((64,), ("grpo", "ppo"), {"grpo", "ppo"}),
        ((64,), ("grpo",), {"n64"}),
        ((64, 512), ("grpo", "ppo"), {"grpo · n64", "grpo · n512", "ppo · n64", "ppo · n512"}),
    ],
)
def test_series_are_told_apart_by_what_varies(
    tmp_path: Path, scales: tuple[int, ...], algorithms: tuple[str, ...], labels: set[str]
) -> None:
    write_grid(tmp_path, scales=scales, algorithms=algorithms)
    assert set(series_of(select(tmp_path).completed).values()) == labels


def test_pass_at_k_from_the_counts_is_the_rows_pass_at_k(tmp_path: Path) -> None:
    write_grid(tmp_path, models={"tiny-40k": 27_000}, scales=(64,))
    (run,) = select(tmp_path).completed
    assert run.trained is not None
    score = run.row.score()
    assert score is not None
    for item in score.pass_at_k:
        assert np.mean(run.trained.pass_at(item.k)) == pytest.approx(item.value, abs=1e-12)
    assert disagreement(run) is None
    assert np.isnan(run.trained.pass_at(129)).all()
    assert pass_at_k(128, 3, 129) is None


def test_counts_that_contradict_their_row_are_found(tmp_path: Path) -> None:
    (run_id,) = write_grid(tmp_path, models={"tiny-40k": 27_000}, scales=(64,))
    write_counts(problems_path(tmp_path, run_id), np.full(64, 5), Truth())
    (run,) = select(tmp_path).completed
    found = disagreement(run)
    assert found is not None
    assert "its counts give 0.039062" in found


def test_without_counts_there_is_a_value_and_no_interval(tmp_path: Path) -> None:
    (run_id,) = write_grid(tmp_path, models={"tiny-40k": 27_000}, scales=(64,))
    problems_path(tmp_path, run_id).unlink()
    (point,) = points_of(select(tmp_path).completed)
    for found in (pass_at(point, 1), gain(point), mean_gain([point])):
        assert found is not None
        assert found.value > 0
        assert found.low is None


def test_base_and_trained_on_different_problems_are_not_paired(tmp_path: Path) -> None:
    (run_id,) = write_grid(tmp_path, models={"tiny-40k": 27_000}, scales=(64,))
    path = problems_path(tmp_path, run_id)
    path.write_text(path.read_text().replace('"p0000"', '"q0000"'))
    (point,) = points_of(select(tmp_path).completed)
    found = gain(point)
    assert found is not None
    assert found.low is None
