"""Files of single verdicts, as HumanEval, lm-eval and evalplus write them, are counts."""

import json
from pathlib import Path

import pytest

from analysis.passk.reading import read_counts
from sweeper.host.errors import ResultsError


def counts(path: Path, text: str) -> dict[str, list[tuple[int, int]]]:
    path.write_text(text)
    return {name: list(zip(s.n.tolist(), s.c.tolist(), strict=True)) for name, s in read_counts(path).items()}


def lines(*values: dict[str, object]) -> str:
    return "\n".join(json.dumps(value) for value in values)


def test_one_verdict_a_line_is_counted_by_problem_and_that_is_said(tmp_path: Path, capsys) -> None:
    passed = [{"task_id": task, "completion": "x", "passed": right} for task, right in (("a", True), ("a", False), ("b", True))]  # fmt: skip # noqa: E501
    assert counts(tmp_path / "x_results.jsonl", lines(*passed)) == {"all": [(2, 1), (1, 1)]}
    assert "3 samples, one a line (task_id, passed)" in capsys.readouterr().err
    assert counts(tmp_path / "x.csv", "task_id;correct\na;1\na;0\nb;true\n") == {"all": [(2, 1), (1, 1)]}


def test_filters_of_lm_eval_and_tests_of_evalplus_are_groups(tmp_path: Path) -> None:
    told = [{"doc_id": i, "filter": f, "resps": [["x"]], "exact_match": 1.0} for i in (0, 1) for f in ("one", "two")]
    assert counts(tmp_path / "samples_x.jsonl", lines(*told)) == {"one": [(1, 1)] * 2, "two": [(1, 1)] * 2}
    samples = [{"base_status": "pass", "plus_status": status} for status in ("pass", "fail")]
    found = counts(tmp_path / "eval_results.json", json.dumps({"eval": {"H/0": samples}}))
    assert found == {"base": [(2, 2)], "plus": [(2, 1)]}


@pytest.mark.parametrize("wrong", [{"exact_match": 0.5}, {"exact_match": None}, {"resps": [["x", "y"]]}])
def test_a_verdict_that_is_neither_right_nor_wrong_is_refused(wrong: dict[str, object], tmp_path: Path) -> None:
    good = {"doc_id": 0, "resps": [["x"]], "exact_match": 1.0}
    with pytest.raises(ResultsError, match="line 2: "):
        counts(tmp_path / "a.jsonl", lines(good, good | wrong))
