"""Counts files as every reader of them gets them."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from sweeper.host.errors import ResultsError
from sweeper.rows.counts import MOST_SAMPLES, ProblemCount, read_counts, read_lines

WHOLE = asdict(
    ProblemCount(
        problem_id="p1",
        data_source="synthetic_math",
        domain="math",
        n=4,
        c=1,
        outcomes={"correct": 1, "wrong": 3},
        prompt_tokens=20,
        response_tokens=40,
        difficulty=2.0,
    )
)


def line(**values: object) -> str:
    return json.dumps(WHOLE | values) + "\n"


def without(key: str) -> str:
    return json.dumps({name: value for name, value in WHOLE.items() if name != key}) + "\n"


@pytest.mark.parametrize("text", ["", "\n", " \n\n"])
def test_a_file_without_a_problem_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "counts.jsonl"
    path.write_text(text)
    with pytest.raises(ResultsError, match=r"counts\.jsonl holds no problem: nothing was measured"):
        read_counts(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{\n", "line 2"),
        ("[1]\n", "line 2: not a JSON object"),
        (without("n"), "line 2: it lacks n"),
        (without("outcomes"), "line 2: it lacks outcomes"),
        (line(problem_id=None), "line 2: empty problem_id"),
        (line(problem_id=" "), "line 2: empty problem_id"),
        (line(n=0, c=0), "line 2: n=0, c=0"),
        (line(c=5), "line 2: n=4, c=5"),
        (line(c=-1), "line 2: n=4, c=-1"),
        (line(c=1.5), "c='1.5' is not a whole number"),
        (line(c=True), "c='True' is not a whole number"),
        (line(n=None), "n='None' is not a whole number"),
        (line(n=MOST_SAMPLES + 1), "the most samples of a problem"),
    ],
)
def test_a_line_that_counts_nothing_is_refused_by_its_number(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "counts.jsonl"
    path.write_text(line() + text)
    with pytest.raises(ResultsError, match=r"counts\.jsonl is not a file of per-problem counts") as error:
        read_counts(path)
    assert words in str(error.value)


def test_a_file_that_is_not_there_or_not_text_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match=r"counts\.jsonl is not a file"):
        read_lines(tmp_path / "counts.jsonl")
    (tmp_path / "counts.jsonl").write_bytes(b"\xff\xfe")
    with pytest.raises(ResultsError, match="not UTF-8"):
        read_lines(tmp_path / "counts.jsonl")


def test_counts_of_an_earlier_version_lack_the_difficulty_and_of_a_later_one_may_have_more(tmp_path: Path) -> None:
    path = tmp_path / "counts.jsonl"
    path.write_text(without("difficulty") + "\n" + line(problem_id="p2", colour="red"))
    one, two = read_counts(path)
    assert (one.difficulty, two.difficulty) == (None, 2.0)
    assert asdict(two) == WHOLE | {"problem_id": "p2"}
