"""`python -m analysis fit CSV` and `rank CSV`, as people call them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.cli import main
from tests.analysis.laws.synthetic import K_MAX, N0, SIZES, kn_sample, sigmoid

KN = ["--law", "kn_loglinear", "--x", "flops", "--y", "test_loss", "--group", "N_B"]


@pytest.fixture
def curves(tmp_path: Path) -> Path:
    sample = kn_sample(0.003, seed=1)
    path = tmp_path / "curves.csv"
    frame = pd.DataFrame({"flops": sample.columns["x"], "N_B": sample.columns["n"], "test_loss": sample.y, "kind": "C"})
    frame["idx"] = frame.groupby("N_B").cumcount()
    frame.to_csv(path, index=False)
    return path


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main(["fit", *arguments, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["command"] == "fit"
    return dict(printed["data"])


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main([*arguments]) == 2
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    return error


def test_json_holds_parameters_intervals_objective_and_held_out_error(
    curves: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = answer(capsys, str(curves), *KN, "--weights", "per-group", "--holdout", "idx >= 24", "--draws", "50")
    assert (found["n"], found["n_held_out"], found["loss"], found["weights"]) == (96, 24, "l2", "per-group")
    slope, scale = found["parameters"]["K_max"], found["parameters"]["N0"]
    assert slope["low"] < K_MAX < slope["high"]
    assert scale["low"] < N0 < scale["high"]
    assert found["parameters"]["E[0.5]"]["status"] == "ok"
    assert found["objective"] == pytest.approx(96 * 0.003**2, rel=0.4)
    assert [item["group"] for item in found["held_out"]] == [f"{size:g}" for size in SIZES]
    assert all(0 < item["mae"] < item["last_value_mae"] for item in found["held_out"] if item["group"] != "0.5")
    assert any("lower bound on uncertainty" in flag for flag in found["flags"])
    assert len(found["sha256"]) == 64


def test_held_out_targets_reach_nothing_but_the_error(curves: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = answer(capsys, str(curves), *KN, "--holdout", "N_B = 32", "--draws", "20")
    frame = pd.read_csv(curves)
    late = frame["N_B"] == 32
    frame.loc[late, "test_loss"] = frame.loc[late, "test_loss"].to_numpy()[::-1]
    frame.to_csv(curves, index=False)
    after = answer(capsys, str(curves), *KN, "--holdout", "N_B = 32", "--draws", "20")
    assert after["parameters"] == before["parameters"]
    assert after["objective"] == before["objective"]
    assert after["held_out"] != before["held_out"]
    assert after["held_out"][0]["level_tuned_on_held_out"]["note"].startswith("uses held-out measurements")
    assert [item["group"] for item in after["rehearsal"]] == []  # three sizes left: none follows from three others


def test_columns_and_conditions_are_expressions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    n, d = (item.ravel() for item in np.meshgrid(np.geomspace(1e8, 1e10, 6), np.geomspace(1e9, 1e11, 6)))
    frame = pd.DataFrame({"Model Size": n, "C": 6 * n * d, "loss": 1.8 + 480 * n**-0.35 + 2000 * d**-0.37})
    frame.to_csv(tmp_path / "points.csv", index=False)
    columns = ["--n", "Model Size", "--d", 'C / (6 * "Model Size")', "--y", "loss"]
    request = ["--law", "chinchilla", *columns, "--loss", "huber:1e-3", "--where", "C > 1e18", "--draws", "20"]
    found = answer(capsys, str(tmp_path / "points.csv"), *request)
    assert found["n"] == int((frame["C"] > 1e18).sum())
    assert found["parameters"]["A"]["value"] == pytest.approx(480, rel=1e-3)


def test_a_ceiling_out_of_reach_is_null_with_its_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    x = np.geomspace(300, 6000, 40)
    noise = np.random.default_rng(0).normal(0, 0.006, 40)
    pd.DataFrame({"x": x, "y": sigmoid(x) + noise}).to_csv(tmp_path / "a.csv", index=False)
    found = answer(capsys, str(tmp_path / "a.csv"), "--law", "sigmoid", "--x", "x", "--y", "y")
    ceiling = found["parameters"]["A"]
    assert (ceiling["value"], ceiling["status"], ceiling["high"]) == (None, "not identified", None)
    assert "a ceiling needs 1.5" in ceiling["reason"]
    assert main(["fit", str(tmp_path / "a.csv"), "--law", "sigmoid", "--x", "x", "--y", "y"]) == 0
    assert "A      not identified: the data end at 0." in capsys.readouterr().out


def test_empty_cells_are_left_out_and_counted(curves: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame = pd.read_csv(curves)
    frame.loc[[3, 40], "test_loss"] = None
    frame.to_csv(curves, index=False)
    found = answer(capsys, str(curves), *KN, "--draws", "0")
    assert (found["n"], found["n_missing"]) == (118, 2)


def test_a_wrong_column_is_named_with_its_likely_spelling(curves: Path, capsys: pytest.CaptureFixture[str]) -> None:
    error = refusal(
        capsys, "fit", str(curves), "--law", "kn_loglinear", "--x", "flop", "--y", "test_loss", "--group", "N_B"
    )
    assert "--x 'flop' is neither a column of curves.csv" in error
    assert "did you mean 'flops'? columns: flops, N_B, test_loss, kind, idx" in error


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--law", "kn_loglinear", "--x", "flops", "--y", "test_loss"], "name their column with --group"),
        (["--law", "sigmoid", "--y", "test_loss"], "needs --x - name the columns"),
        (["--law", "sigmoid", "--x", "flops"], "fit CSV needs --y"),
        (["--x", "flops", "--y", "test_loss"], "fit CSV needs --law"),
        (["--law", "sigmoid", "--x", "flops", "--n", "N_B", "--y", "test_loss"], "has no --n - leave it out"),
        ([*KN, "--where", "N_B > 100"], "is true for none of 120 rows"),
        ([*KN, "--where", "N_B + 1"], "is not a condition"),
        ([*KN, "--holdout", "N_B > 100"], "some must be held out and some remain"),
        ([*KN, "--fix", "A=1"], "kn_loglinear can hold N0, K_max at a value"),
        ([*KN, "--fix", "N0"], "write NAME=NUMBER"),
        (["--law", "power", "--x", "kind", "--y", "test_loss"], "'C' is not a number"),
        ([*KN, "--loss", "l1"], "use l2, log-l2, lad or huber:DELTA"),
        ([*KN, "--where", "N_B IN (0.5, 1.5)"], "needs at least three groups"),
    ],
)
def test_requests_that_make_no_sense_end_with_the_cure(
    arguments: list[str], message: str, curves: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert message in refusal(capsys, "fit", str(curves), *arguments)


@pytest.mark.parametrize(
    "text",
    [
        "idx < 5) FROM rows; COPY rows TO 'stolen.csv'; SELECT (true",
        "(SELECT count(*) FROM read_csv('secret.csv')) > 0",
        "(SELECT count(*) FROM read_text('secret.csv')) > 0",
        "__import__('os').system('touch stolen.csv')",
        "idx < 5 -- and more",
    ],
)
def test_a_condition_reaches_no_file_and_runs_no_code(
    text: str, curves: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(curves.parent)
    Path("secret.csv").write_text("a\n1\n")
    code = main(["fit", str(curves), *KN, "--where", text, "--draws", "0"])
    assert code == (0 if text.startswith("idx < 5 --") else 2)
    assert not Path("stolen.csv").exists()
    assert "Traceback" not in capsys.readouterr().err


def test_a_missing_file_and_an_empty_one_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "there is no file" in refusal(capsys, "fit", str(tmp_path / "no.csv"), *KN)
    (tmp_path / "empty.csv").write_text("flops,N_B,test_loss\n")
    assert "holds no rows" in refusal(capsys, "fit", str(tmp_path / "empty.csv"), *KN)


@pytest.mark.parametrize(
    ("text", "arguments", "message"),
    [
        ("x,y\n" + "".join(f"{i},{i + 1},{3 / (i + 1)}\n" for i in range(8)), [], "3 fields a row, but 2 column names"),
        ("x,x,y\n1,2,3\n", [], "two columns named x"),
        ("x,X,y\n" + "1,9,3\n2,8,2\n3,7,1\n", ["--where", "x < 3"], "x and X differ in case only"),
        ("x,y\n1,2\n1_000,1\n2,1\n", [], "'1_000' is not a number"),
        ("x,y\n1,2\n1,2,3\n", [], "cannot be read as CSV"),
    ],
)
def test_files_that_would_be_read_wrongly_are_refused(
    text: str, arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.csv").write_text(text)
    request = ["fit", str(tmp_path / "a.csv"), "--law", "power", "--x", "x", "--y", "y", *arguments]
    assert message in refusal(capsys, *request)


def test_a_sample_cannot_be_seen_less_than_once(curves: Path, capsys: pytest.CaptureFixture[str]) -> None:
    law = ["--law", "data_reuse", "--unique", "flops", "--tau", "0.5", "--y", "test_loss"]
    assert "--tau below 1 (first: 0.5)" in refusal(capsys, "fit", str(curves), *law)


def test_draws_too_few_for_an_interval_are_refused(curves: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for draws in ("-1", "1", "many"):
        assert main(["fit", str(curves), *KN, "--draws", draws]) == 2
        assert "write 0, or at least 20" in capsys.readouterr().err


def test_repeated_independent_rows_are_counted_in_a_flag(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    x = np.geomspace(1, 100, 9)
    frame = pd.DataFrame({"x": x, "y": 2 * x**-0.1 * np.exp(np.random.default_rng(0).normal(0, 0.01, 9))})
    pd.concat([frame, frame.iloc[:4]]).to_csv(tmp_path / "a.csv", index=False)
    found = answer(capsys, str(tmp_path / "a.csv"), "--law", "power", "--x", "x", "--y", "y")
    assert any(flag.startswith("4 rows repeat another row in every value") for flag in found["flags"])


def test_rank_prints_every_form_beside_the_last_value(curves: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["rank", str(curves), "--x", "flops", "--y", "test_loss", "--group", "N_B"]
    assert main(arguments) == 0
    text = capsys.readouterr().out
    assert all(name in text for name in ("power_floor", "sigmoid", "exp_saturation", "last value", "from 25%"))
    assert main([*arguments, "--json"]) == 0
    forms = json.loads(capsys.readouterr().out)["data"]["forms"]
    assert len(forms) == 5
    assert forms[0]["mae"] == min(item["mae"] for item in forms)


def test_help_shows_every_law_and_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    from analysis.laws.catalogue import FORMS

    with pytest.raises(SystemExit):
        main(["fit", "--help"])
    text = capsys.readouterr().out
    assert all(f"  {name} " in text for name in FORMS)
    assert "python -m analysis fit points.csv --law chinchilla --n N --d D --y loss --loss huber:1e-3" in text
