"""`import sweeper`: a results folder as data frames."""

import ast
import json
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import sweeper
from rewards.program import EXIT_OK, run_main
from sweeper.host.errors import ConfigError, ResultsError, RunFailedError
from sweeper.rows.grid_file import Member, Membership
from sweeper.rows.row import base_problems_path, read_row, row_path, write_row
from sweeper.rows.trajectories import SUMMED, Trajectories
from sweeper.runs.folder import RunDir
from tests.sweeper.kept_run import kept_run

NOTEBOOK = Path(__file__).parents[2] / "docs" / "notebook.ipynb"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[RunDir]:
    """Two runs of one grid, in a folder named as the default is."""
    results = tmp_path_factory.mktemp("project") / "results"
    found = [kept_run(results, f"model={model}") for model in ("tiny-40k", "tiny-130k")]
    members = tuple(Member(run_id=run.run_id, choice=(run.spec().model.name,)) for run in found)
    axes = {"model": ("tiny-40k", "tiny-130k")}
    Membership(name="model_scale", grid="model_scale", axes=axes, members=members).write(results)
    return found


def folder(runs: list[RunDir]) -> Path:
    return runs[0].results_dir


def test_results_are_the_rows_and_columns_of_the_verb(runs: list[RunDir], capsys: pytest.CaptureFixture[str]) -> None:
    frame = sweeper.results("model_scale", results_dir=folder(runs))
    arguments = ["results", "model_scale", "--json", "--results", str(folder(runs))]
    assert run_main("sweeper.cli.main", arguments) == EXIT_OK
    said = json.loads(capsys.readouterr().out)["data"]
    assert list(frame.columns) == list(dict.fromkeys(name for item in said for name in item))
    assert list(frame["run_id"]) == [item["run_id"] for item in said] == sorted(run.run_id for run in runs)
    assert list(frame["pass@1"]) == [item["pass@1"] for item in said]
    assert frame["gpu_seconds"].isna().all()


def test_a_damaged_row_is_left_out_with_a_warning_that_names_it(tmp_path: Path) -> None:
    run = kept_run(tmp_path)
    row_path(tmp_path, "other").write_text("{")
    with pytest.warns(UserWarning, match=r"left out: .*other\.json is damaged"):
        assert list(sweeper.results(results_dir=tmp_path)["run_id"]) == [run.run_id]


def test_curves_are_tidy_and_have_what_was_measured_alone(runs: list[RunDir]) -> None:
    frame = sweeper.curves("model_scale", results_dir=folder(runs))
    assert list(frame.columns) == ["run_id", "step", "metric", "value"]
    assert set(frame["metric"]) == {"reward", "response_length", "entropy", "kl", "seconds"}
    own = frame[(frame["run_id"] == runs[0].run_id) & (frame["metric"] == "reward")]
    assert list(zip(own["step"], own["value"], strict=True)) == [(1, 0.1), (2, 0.2)]
    one = sweeper.curves(runs[1].run_id[-8:], results_dir=folder(runs))
    assert set(one["run_id"]) == {runs[1].run_id}
    assert len(sweeper.curves(results_dir=folder(runs))) == len(frame)


def test_a_curve_names_accuracy_on_validation_problems_and_what_an_agent_did_per_trajectory(tmp_path: Path) -> None:
    run = kept_run(tmp_path)
    kept = read_row(row_path(tmp_path, run.run_id))
    acted = Trajectories(
        **dict.fromkeys(SUMMED, 6) | {"n": 4, "used_a_tool": 3}, ended={"answered": 3, "turn_limit": 1}
    )
    point = replace(kept.curve[0], val_pass1=0.25, trajectories=acted)
    row_path(tmp_path, run.run_id).unlink()
    write_row(tmp_path, replace(kept, curve=(point,)))
    frame = sweeper.curves(run.run_id, results_dir=tmp_path).set_index("metric")["value"]
    assert (frame["val_accuracy"], frame["turns"], frame["used_a_tool"]) == (0.25, 1.5, 0.75)
    assert (frame["ended_answered"], frame["reward"]) == (0.75, 0.1)
    assert "val_pass1" not in frame


def test_the_curve_of_a_run_that_is_training_is_read_as_far_as_it_is(tmp_path: Path) -> None:
    run = kept_run(tmp_path)
    row_path(tmp_path, run.run_id).unlink()
    line = {"step": 1, "data": {"critic/score/mean": 0.25}}
    (run.path / "attempts" / "001" / "metrics.jsonl").write_text(json.dumps(line) + "\n")
    frame = sweeper.curves(run.run_id, results_dir=tmp_path)
    assert frame.to_dict("records") == [{"run_id": run.run_id, "step": 1, "metric": "reward", "value": 0.25}]


def test_samples_are_chosen_as_by_the_verb(runs: list[RunDir]) -> None:
    def n(**wanted: Any) -> int:
        return len(sweeper.samples(runs[0].run_id, results_dir=folder(runs), **wanted))

    assert (n(), n(verdict="truncated"), n(source="math"), n(search="alert"), n(base=True)) == (18, 6, 9, 1, 15)
    frame = sweeper.samples(runs[0].run_id, step=10, results_dir=folder(runs))
    assert set(frame["verdict"]) == {"correct"}
    assert {"prompt", "response", "gold", "parsed", "why"} <= set(frame.columns)
    nothing = sweeper.samples(runs[0].run_id, search="no such words", results_dir=folder(runs))
    assert list(nothing.columns) == list(frame.columns)


def test_problems_have_the_counts_of_both_models_and_none_where_one_was_not_measured(tmp_path: Path) -> None:
    run = kept_run(tmp_path)
    frame = sweeper.problems(run.run_id, results_dir=tmp_path)
    assert list(frame["c"]) == [0, 3, 3, 3, 3, 3]
    assert list(frame["base_c"]) == [4, 0, 4, 0, 4, 0]
    path = base_problems_path(tmp_path, run.run_id)
    path.write_text("".join(path.read_text().splitlines(keepends=True)[1:]))
    assert sweeper.problems(run.run_id, results_dir=tmp_path)["base_c"].isna().tolist() == [True] + [False] * 5


@pytest.mark.nightly
def test_a_report_is_rendered_and_its_path_returned(runs: list[RunDir], tmp_path: Path) -> None:
    page = sweeper.report("model_scale", results_dir=folder(runs), out=tmp_path / "page.html")
    assert page == tmp_path / "page.html"
    assert "model_scale" in page.read_text()


def test_what_is_not_there_is_an_error_that_says_what_is(runs: list[RunDir], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such folder"):
        sweeper.results(results_dir=tmp_path / "nowhere")
    with pytest.raises(RunFailedError, match="names 0 runs"):
        sweeper.curves("no-such", results_dir=folder(runs))
    with pytest.raises(ResultsError, match="there are validations of steps 0, 10"):
        sweeper.samples(runs[0].run_id, step=3, results_dir=folder(runs))
    with pytest.raises(ConfigError, match="there are correct, wrong"):
        sweeper.samples(runs[0].run_id, verdict="rong", results_dir=folder(runs))
    with pytest.raises(ConfigError, match="give one of them"):
        sweeper.samples(runs[0].run_id, step=1, base=True, results_dir=folder(runs))
    with pytest.raises(AttributeError, match="no attribute 'resluts'"):
        sweeper.resluts  # type: ignore[attr-defined]  # noqa: B018


def test_a_value_of_another_kind_is_refused_with_what_is_wanted(runs: list[RunDir]) -> None:
    folder = runs[0].results_dir
    with pytest.raises(ConfigError, match="grid=5 is not text: give a name"):
        sweeper.results(5, results_dir=folder)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="step='20' is not a whole number"):
        sweeper.samples(runs[0].run_id, step="20", results_dir=folder)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="run=5 is not text"):
        sweeper.problems(5, results_dir=folder)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="results_dir=5 is no folder"):
        sweeper.curves(results_dir=5)  # type: ignore[arg-type]


def test_importing_the_package_alone_imports_nothing_heavy() -> None:
    code = "import sys, sweeper; print([name for name in ('pandas', 'numpy', 'pydantic') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.nightly
def test_the_notebook_runs_from_its_first_cell_to_its_last(runs: list[RunDir], monkeypatch: pytest.MonkeyPatch) -> None:
    import altair

    monkeypatch.chdir(folder(runs).parent)
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    names: dict[str, Any] = {}
    shown = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for cell in cells:
            if cell["cell_type"] != "code":
                continue
            parsed = ast.parse("".join(cell["source"]))
            last = parsed.body.pop()
            assert isinstance(last, ast.Expr)
            exec(compile(parsed, str(NOTEBOOK), "exec"), names)
            shown.append(eval(compile(ast.Expression(last.value), str(NOTEBOOK), "eval"), names))
    charts = [item for item in shown if isinstance(item, altair.Chart)]
    assert [len(chart.to_dict()["datasets"]) for chart in charts] == [1, 1]
    frames = [item for item in shown if isinstance(item, pd.DataFrame)]
    assert [len(frame) for frame in frames] == [2, 5, 10, 3]
