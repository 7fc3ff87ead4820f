"""Training problems that occur in an evaluation set."""

import random
import re

import pytest

from data_prep.cleaning.normalised_text import problem_text
from data_prep.files.row import Row
from tests.data_prep.cleaned import decontaminate
from tests.data_prep.guru import PREFIX, SUFFIX, math_row, needs_real, real_rows

PROBLEM = (
    "A farmer has 17 sheep and 23 goats on a meadow of 120 square meters. Every week he sells two sheep and buys three "
    "goats. After how many weeks are there twice as many goats as sheep?"
)
OTHERS = [
    math_row(f"Let $p_{n}$ be the {n}-th prime. Find the remainder of $p_{n} + {n * n}$ modulo {n + 2}.", str(n))
    for n in range(40)
]


def _kept(text: str, evaluation: str = PROBLEM) -> bool:
    kept, _ = decontaminate([math_row(text), *OTHERS], [math_row(evaluation, source="math__math")])
    return len(kept) == len(OTHERS) + 1


@pytest.mark.parametrize(
    "text",
    [
        PROBLEM,
        PREFIX + PROBLEM + SUFFIX,
        PROBLEM.upper().replace(" ", "  "),
        PROBLEM.replace("has", "owns").replace("meadow", "pasture"),
        f"Here is a problem of last year's contest. {PROBLEM} Give the number of weeks as an integer.",
        PROBLEM.replace("A farmer has", "Suppose that a farmer has").replace(" on a meadow of 120 square meters", ""),
    ],
)
def test_an_evaluation_problem_is_found_under_another_wording(text: str) -> None:
    assert not _kept(text)


@pytest.mark.parametrize(
    "text",
    [
        "A farmer has a meadow of 120 square meters. How long is its fence if the meadow is 8 meters wide?",
        "How many sheep and goats are there?",
        "After how many weeks?",
    ],
)
def test_a_shared_phrase_is_no_contamination(text: str) -> None:
    assert _kept(text)


def test_a_short_evaluation_problem_is_not_found_inside_long_ones() -> None:
    assert _kept(PROBLEM, evaluation="How many goats and sheep are there?")


def test_problems_that_differ_in_a_sign_and_the_answer_are_kept() -> None:
    train, evaluation = math_row("Compute 3 + 5.", "8"), math_row("Compute 3 - 5.", "-2")
    assert decontaminate([train], [evaluation]) == ([train], [])
    train, evaluation = math_row(f"{PROBLEM} Add 3 + 5.", "8"), math_row(f"{PROBLEM} Add 3 - 5.", "-2")
    assert decontaminate([train], [evaluation]) == ([train], [])


def test_the_reason_names_the_evaluation_set_and_the_problem() -> None:
    measured = math_row(PROBLEM, "5", source="math__math")
    _, [dropped] = decontaminate([math_row(PROBLEM + SUFFIX, "6")], [measured])
    assert measured.problem_id in dropped.reason
    assert "math__math" in dropped.reason
    assert "other gold: '6' against '5'" in dropped.reason


def test_the_order_of_rows_decides_nothing() -> None:
    train = [math_row(PROBLEM), *OTHERS, math_row(PROBLEM.replace("17", "18"), "9")]
    evaluation = [math_row(PROBLEM, source="math__math"), *OTHERS[:5]]
    expected = {item.row for item in decontaminate(train, evaluation)[1]}
    for seed in range(5):
        rng = random.Random(seed)
        found = decontaminate(rng.sample(train, len(train)), rng.sample(evaluation, len(evaluation)))[1]
        assert {item.row for item in found} == expected


def test_without_evaluation_problems_everything_is_kept() -> None:
    assert decontaminate(OTHERS, []) == (OTHERS, [])
    assert decontaminate([], OTHERS) == ([], [])


def _ascii_only(row: Row) -> str:
    """The rule that the published count of 32 leaked problems was made with: ASCII letters and digits alone."""
    text = problem_text(row).lower()
    for instruction in (PREFIX.lower(), SUFFIX.lower(), "please solve step by step and put your final answer within"):
        text = text.replace(instruction.strip(), "")
    return re.sub(r"[^a-z0-9]+", "", text)


@needs_real
def test_the_leaked_hold_out_problems_are_found() -> None:
    train = real_rows("math_curriculum/math__sampled_1_4_12800.parquet")
    held_out = real_rows("math_curriculum/holdout_500.parquet")
    _, dropped = decontaminate(train, held_out)
    found = {re.search(r"problem (\S+)", item.reason)[1] for item in dropped}  # type: ignore[index]
    seen = {_ascii_only(row) for row in train}
    published = [row for row in held_out if _ascii_only(row) in seen]
    # 21 of the 32 are within this quarter of the training rows, the others in rows that are not published any more.
    assert len(published) == 21
    missed = [problem_text(row) for row in published if row.problem_id not in found]
    # These two share with a training row a sentence on how to answer; the problems, in Chinese, are different ones.
    assert [text[:5] for text in missed] == ["从正九边形", "将正九边形"]


@needs_real
@pytest.mark.parametrize(
    ("name", "exact", "rows"),
    [
        ("math_curriculum/holdout_500.parquet", 19, 79),
        ("online_eval/math__math_500.parquet", 4, 9),
        ("online_eval/amc2023.parquet", 2, 9),
        ("online_eval/aime2024.parquet", 0, 0),
        ("online_eval/gsm8k.parquet", 0, 0),
    ],
)
def test_the_published_curriculum_is_contaminated(name: str, exact: int, rows: int) -> None:
    train = real_rows("math_curriculum/math__sampled_1_4_12800.parquet")
    _, dropped = decontaminate(train, real_rows(name))
    assert (sum(item.reason.startswith("same text") for item in dropped), len(dropped)) == (exact, rows)
