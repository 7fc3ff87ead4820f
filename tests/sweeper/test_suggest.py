"""`python -m sweeper suggest`, over rows that were never run."""

import json
import math
from pathlib import Path

import pytest

from sweeper.cli.main import main
from sweeper.rows.row import write_row
from sweeper.runs.folder import RunDir
from sweeper.spec.run import RunSpec
from tests.sweeper.points import plan, spec
from tests.sweeper.rows import row

MEASURED = [(model, scale) for model in ("tiny-40k", "tiny-130k", "tiny-430k") for scale in ("n64", "n320")]


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Three of four sizes measured at both data scales, with an error that falls with both; larger ones cost more."""
    for number, (model, scale) in enumerate(MEASURED):
        run = spec(f"model={model}", f"data_scale={scale}")
        n, d = run.model.architecture.n_params_non_embedding, run.n_unique or 0
        error = 2 * n**-0.1 * d**-0.05 * (1 + 0.01 * math.sin(5.0 * number))
        measured(tmp_path, run, pass1=1 - error, total_s=100.0 * (1 + n / 1e5))
    # One run of the largest model, of another mix of domains: it says what that model costs, and nothing else.
    other = spec("model=tiny-1.4m", "domain_mix=math")
    measured(tmp_path, other, total_s=1500.0)
    return tmp_path


def measured(results: Path, run: RunSpec, *, total_s: float, pass1: float = 0.5) -> None:
    RunDir(results_dir=results, run_id=run.run_id).freeze(run)
    write_row(results, row(run, pass1=pass1, total_s=total_s))


def suggested(capsys: pytest.CaptureFixture[str], results: Path, *arguments: str) -> dict[str, object]:
    assert main(["suggest", *arguments, f"results_dir={results}", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["data"]
    assert isinstance(found, dict)
    return found


def test_picks_fit_the_budget_narrow_the_prediction_and_come_as_commands(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import shlex

    found = suggested(capsys, results, "+grid=model_scale", "seed=0,1,2", "--budget-gpu-hours", "3")
    assert (found["law"], found["n_rows"]) == ("power_nd", 6)
    picks, (target,) = found["picks"], found["targets"]  # type: ignore[misc]
    assert target["name"] == spec("model=tiny-1.4m", "data_scale=n320").run_id
    assert picks
    assert sum(pick["cost"] for pick in picks) == pytest.approx(picks[-1]["spent"])
    assert picks[-1]["spent"] <= 3
    widths = [target["now"]["high"] - target["now"]["low"], *(pick["width"][0] for pick in picks)]
    assert widths == sorted(widths, reverse=True)
    assert target["after"]["high"] - target["after"]["low"] == pytest.approx(widths[-1])
    left = {run.run_id for run in plan(results, "+grid=model_scale", "seed=0,1,2").to_run}
    for pick in picks:
        words = shlex.split(pick["command"])
        assert words[:3] == ["python", "-m", "sweeper"]
        assert words[-1] == f"results_dir={results}"
        assert spec(*words[3:]).run_id == pick["run_id"]
        assert pick["run_id"] in left


def test_the_settings_of_a_grid_file_are_in_the_commands(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import shlex

    arguments = (
        "+grid=model_x_data",
        "--budget-gpu-hours",
        "1",
        "--predict",
        "model=tiny-430k data_scale.n_unique=4096",
    )
    found = suggested(capsys, results, *arguments)
    for pick in found["picks"]:  # type: ignore[attr-defined]
        words = shlex.split(pick["command"])
        assert "training.total_steps=null" in words
        assert spec(*words[3:]).run_id == pick["run_id"]


def test_the_text_says_the_law_the_interval_and_the_price(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["suggest", "+grid=model_scale", f"results_dir={results}", "--budget-gpu-hours", "3", "--law", "power"]
    assert main(arguments) == 0
    text = capsys.readouterr().out
    for words in (
        "law: power (ln y = ln_A - alpha ln x)",
        "95% [",
        "python -m sweeper model=tiny-1.4m",
        "device-hours: ",
    ):
        assert words in text


def test_where_nothing_is_left_to_run_it_says_so(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    models = ",".join(dict.fromkeys(model for model, _ in MEASURED))
    scales = ",".join(dict.fromkeys(scale for _, scale in MEASURED))
    arguments = [f"model={models}", f"data_scale={scales}", "--budget-gpu-hours", "3", f"results_dir={results}"]
    assert main(["suggest", *arguments]) == 2
    assert "nothing is left to run of these 6 points; add some, e.g. another seed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["+grid=algorithm", "--budget-gpu-hours", "3"], "the points differ in algorithm"),
        (["+grid=model_scale", "domain_mix=code", "--budget-gpu-hours", "3"], "a law over size needs two"),
        (["+grid=model_scale", "--budget-gpu-hours", "3", "--predict", "model=tiny-9b"], "there is no such model"),
        (
            ["+grid=model_scale", "--budget-gpu-hours", "3", "model=my-model"],
            "there is no such model. One of your own: sweeper add-model, with its folder or its hub id. Choose",
        ),
    ],
)
def test_what_no_law_can_answer_is_refused_with_the_cure(
    arguments: list[str], words: str, results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["suggest", *arguments, f"results_dir={results}"]) == 2
    assert words in capsys.readouterr().err


def test_an_answer_without_a_damaged_row_ends_with_1_and_names_it(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (results / "rows" / "x.json").write_text("[" * 100_000)
    words = ["+grid=model_scale", "seed=0,1", "--budget-gpu-hours", "3", f"results_dir={results}", "--json"]
    assert main(["suggest", *words]) == 1
    told = capsys.readouterr()
    assert json.loads(told.out)["data"]["picks"]
    assert "x.json is damaged: it is nested too deep" in told.err
