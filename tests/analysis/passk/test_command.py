import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.cli import main
from analysis.passk.reading import read_counts
from sweeper.host.errors import ResultsError
from sweeper.rows.row import problems_path
from tests.analysis.synthetic_rows import write_grid


def counts(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    assert main(["passk", *arguments, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert isinstance(found, dict)
    return found


SMALL = "problem_id,n,c,group\na,4,0,x\nb,4,4,x\nc,2,1,y\nd,2,2,y\n"


def test_values_are_those_of_the_estimator_and_undefined_ones_null(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = shown(capsys, counts(tmp_path / "c.csv", SMALL), "--ks", "1,2,4")
    groups = {item["group"]: item for item in found["data"]}  # type: ignore[attr-defined]
    assert list(groups) == ["all", "x", "y"]
    assert [point["pass@k"] for point in groups["x"]["ks"]] == [0.5, 0.5, 0.5]
    assert [point["pass@k"] for point in groups["y"]["ks"]] == [0.75, 1.0, None]
    assert "more than the samples of 2 of 2" in groups["y"]["ks"][2]["reason"]
    assert groups["all"]["ks"][2]["pass@k"] is None


def test_groups_that_share_problems_are_never_put_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = counts(tmp_path / "c.csv", "problem_id,n,c,group\na,4,0,base\na,4,2,rl\nb,4,1,base\nb,4,3,rl\n")
    found = shown(capsys, path, "--ks", "1", "--pair", "base", "rl")
    assert [item["group"] for item in found["data"]] == ["base", "rl"]  # type: ignore[attr-defined]
    assert found["paired"][0]["differences"][0]["value"] == 0.5  # type: ignore[index]


def test_a_problem_in_two_lines_is_one_problem(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    once = shown(capsys, counts(tmp_path / "a.csv", "problem_id,n,c\na,8,1\nb,8,4\nc,8,7\n"), "--ks", "2")
    twice = shown(capsys, counts(tmp_path / "b.csv", "problem_id,n,c\n" + "a,8,1\nb,8,4\nc,8,7\n" * 2), "--ks", "2")
    first, second = (item["data"][0] for item in (once, twice))  # type: ignore[index]
    assert second["n_problems"] == 3
    assert second["ks"][0]["low"] == pytest.approx(first["ks"][0]["low"])
    assert "replicates" in second["notes"][0]


def test_a_runs_own_counts_can_be_compared_by_domain(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = write_grid(tmp_path, models={"tiny-40k": 27_000}, scales=(64,))[0]
    rows = tmp_path / "rows"
    found = shown(
        capsys, str(rows / f"{run}.problems.jsonl"), "--base", str(rows / f"{run}.base_problems.jsonl"), "--ks", "1,128"
    )
    assert [item["group"] for item in found["paired"]] == ["all", "code", "logic", "math", "stem"]  # type: ignore[attr-defined]
    row = json.loads((rows / f"{run}.json").read_text())
    stated = {score["domain"]: score["pass_at_k"][0]["value"] for score in row["trained"]}
    for item in found["data"]:  # type: ignore[attr-defined]
        assert item["ks"][0]["pass@k"] == pytest.approx(stated[item["group"]], abs=1e-12)


def test_a_run_is_named_by_the_start_of_its_id_in_a_results_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = write_grid(tmp_path / "results", models={"tiny-40k": 27_000}, scales=(64,))[0]
    file = str(problems_path(tmp_path / "results", run))
    assert shown(capsys, run[:8], "--results", str(tmp_path / "results")) == shown(capsys, file)
    monkeypatch.chdir(tmp_path)
    assert shown(capsys, run) == shown(capsys, file)
    for arguments, told in (
        ((file, "--results", "results"), "reads that file alone; leave --results out, or name a run"),
        (("no-such-run",), "'no-such-run' names 0 runs in results"),
        (("nothing.csv",), "nothing.csv"),
    ):
        assert main(["passk", *arguments]) == 2
        assert told in capsys.readouterr().err
    Path(file).unlink()
    assert main(["passk", run]) == 2
    assert f"{run} has no counts" in capsys.readouterr().err


def test_text_names_both_questions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = counts(tmp_path / "c.csv", "problem_id,n,c\n" + "".join(f"p{i},16,{i}\n" for i in range(17)))
    assert main(["passk", path, "--ks", "1,64", "--beyond"]) == 0
    text = capsys.readouterr().out
    assert "other problems like these" in text
    assert "these problems again" in text
    assert "extrapolated" in text
    assert "never solved" in text


def test_all_k_correct_has_the_interval_of_any_k_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def of(name: str, number: str) -> dict[str, Any]:
        lines = "".join(f"p{i},16,{i % 17 if number == 'c' else 16 - i % 17}\n" for i in range(34))
        found = shown(capsys, counts(tmp_path / name, "problem_id,n,c\n" + lines), "--ks", "4")
        return dict(found["data"][0]["ks"][0])  # type: ignore[index]

    right, wrong = of("c.csv", "c"), of("w.csv", "n - c")
    assert right["pass^k"] == pytest.approx(1 - wrong["pass@k"], rel=1e-12)
    ends = right["pass^k_interval"]
    assert (ends["low"], ends["high"]) == pytest.approx((1 - wrong["high"], 1 - wrong["low"]))


def test_an_end_that_is_not_known_has_its_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for line, reason in (("a,8,3", "one problem says nothing"), ("a,8,8\nb,8,8", "every sample was correct")):
        assert main(["passk", counts(tmp_path / "c.csv", f"problem_id,n,c\n{line}\n"), "--ks", "4"]) == 0
        assert f"?: {reason}" in capsys.readouterr().out


def test_equal_models_lead_nowhere_and_one_problem_has_no_crossover(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    many = counts(tmp_path / "m.csv", "problem_id,n,c\n" + "".join(f"p{i},8,{i % 9}\n" for i in range(18)))
    one = counts(tmp_path / "o.csv", "problem_id,n,c\np0,8,5\n")
    assert main(["passk", many, "--base", many, "--ks", "1,8"]) == 0
    assert "the two are equal at every k" in capsys.readouterr().out
    found = shown(capsys, many, "--base", one, "--ks", "1,8")["paired"][0]  # type: ignore[index]
    assert found["crossover"] is None
    assert "two common problems" in found["crossover_reason"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("problem_id,n\na,4\n", "lacks the column c"),
        ("problem_id,n,c\na,4,5\n", "line 2"),
        ("problem_id,n,c\na,4,1.5\n", "not a whole number"),
        ("problem_id,n,c\n", "no line"),
        ("problem_id,n,c\na,4\n", "fewer fields"),
        ("problem_id,n,c,c\na,4,1,3\n", "two columns named c"),
        ("problem_id,n,c\na,nan,1\n", "not a whole number"),
        ("n,c\n4,1\n", "lacks the column problem_id"),
        ("problem_id,n,c\na,1e30,1\n", "the most samples of a problem"),
    ],
)
def test_bad_counts_are_refused_by_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, words: str
) -> None:
    assert main(["passk", counts(tmp_path / "c.csv", text), "--ks", "1"]) == 2
    assert words in capsys.readouterr().err


def test_a_runs_counts_without_a_problem_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["passk", counts(tmp_path / "r.problems.jsonl", ""), "--ks", "1"]) == 2
    assert "holds no problem: nothing was measured" in capsys.readouterr().err


def test_a_runs_counts_can_be_grouped_by_stated_difficulty(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [{"problem_id": f"p{i}", "n": 4, "c": i, "domain": "math", "difficulty": level} for i, level in
             enumerate((1.0, 1.0, None, 2.0))]  # fmt: skip
    path = counts(tmp_path / "r.problems.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
    found = shown(capsys, path, "--ks", "1", "--group-by", "difficulty")
    values = {item["group"]: item["ks"][0]["pass@k"] for item in found["data"]}  # type: ignore[attr-defined]
    assert values == pytest.approx({"all": 0.375, "1.0": 0.125, "2.0": 0.75, "unknown": 0.5})


def test_a_hundred_thousand_samples_a_problem_are_no_trouble(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = "".join(f"p{i},100000,{c}\n" for i, c in enumerate((0, 1, 3, 50_000, 100_000)))
    found = shown(capsys, counts(tmp_path / "c.csv", "problem_id,n,c\n" + lines), "--ks", "1,1000,60000,100000")
    one, some, most, whole = found["data"][0]["ks"]  # type: ignore[index]
    assert one["pass@k"] == pytest.approx((0.00001 + 0.00003 + 0.5 + 1) / 5, rel=1e-12)
    assert some["pass@k"] == pytest.approx((0.01 + (1 - 0.99 * (1 - 1000 / 99_999) * (1 - 1000 / 99_998)) + 2) / 5)
    assert whole["pass@k"] == 0.8
    assert found["data"][0]["unsolved"]["solve_rate_upper_bound"] == pytest.approx(-np.expm1(np.log(0.05) / 1e5))  # type: ignore[index]
    assert most["fixed_benchmark"]["low"] < most["pass@k"] < most["fixed_benchmark"]["high"]


def test_majority_votes_are_read_from_answers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = counts(tmp_path / "a.csv", "problem_id,answer,correct,count\na,1,1,5\na,2,0,3\na,,0,2\nb,7,1,10\n")
    found = shown(capsys, "--answers", path, "--ks", "1,3,20")
    points = found["majority"][0]["ks"]  # type: ignore[index]
    assert points[0]["maj@k"] == 0.75
    assert points[2]["maj@k"] is None
    assert points[1]["low"] < points[1]["maj@k"] < points[1]["high"]


def test_a_file_of_counts_is_bounded_and_refused_in_one_line(tmp_path: Path) -> None:
    files = {
        ",".join(f"c{i}" for i in range(50_000)) + "\n1\n": "lacks the column problem_id",
        ",".join(["a"] * 50_000) + "\n1\n": "two columns named a; rename one",
        f"problem_id,n,c\n{'x' * 200_000},4,1\n": "cannot be read as CSV",
    }
    path, began = tmp_path / "counts.csv", time.process_time()
    for text, said in files.items():
        path.write_text(text)
        with pytest.raises(ResultsError, match=said):
            read_counts(path)
    with path.open("wb") as file:
        file.truncate(3 << 30)
    with pytest.raises(ResultsError, match="larger than the 64 MiB"):
        read_counts(path)
    assert time.process_time() - began < 2
