"""Golds against their own scorers."""

from dataclasses import replace

from tests.data_prep.cleaned import drop_bad_gold
from tests.data_prep.guru import math_row, needs_real, real_rows


def test_a_gold_that_its_scorer_reads_is_kept() -> None:
    rows = [math_row("a", "5"), math_row("b", "\\frac{1}{2}"), math_row("c", "(1, 2)")]
    assert drop_bad_gold(rows) == (rows, [])


def test_a_gold_that_no_answer_can_match_is_dropped_with_the_reason() -> None:
    row = replace(math_row("a", "maybe"), data_source="stem__supergpqa")
    good = math_row("b", "7")
    kept, [dropped] = drop_bad_gold([row, good])
    assert kept == [good]
    assert dropped.row is row
    assert dropped.step == "bad gold"
    assert "maybe" in dropped.reason


def test_no_rows_are_no_problem() -> None:
    assert drop_bad_gold([]) == ([], [])


@needs_real
def test_the_golds_of_the_published_choice_questions_are_good() -> None:
    assert drop_bad_gold(real_rows("online_eval/stem__supergpqa_200.parquet"))[1] == []
