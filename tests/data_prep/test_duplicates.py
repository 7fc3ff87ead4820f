"""Repetitions inside the training rows."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_prep.cleaning.normalised_text import letters_and_digits, same_gold
from data_prep.cleaning.shingles import Filter, jaccard, runs, shingle_set, shingles
from data_prep.spec import DataError
from tests.data_prep.cleaned import decontaminate, drop_exact_duplicates, drop_near_duplicates
from tests.data_prep.guru import PREFIX, SUFFIX, math_row, needs_real, real_rows

TRIANGLE = "In triangle $ABC$ the sides are $a = 3$, $b = 4$ and the angle at $C$ is right. How long is the side $c$?"


def _problem(seed: int, n_words: int = 60) -> str:
    rng = random.Random(seed)
    return " ".join("".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randrange(2, 9))) for _ in range(n_words))


def test_another_instruction_does_not_make_another_problem() -> None:
    kept, dropped = drop_exact_duplicates([math_row(TRIANGLE), math_row(PREFIX + TRIANGLE + SUFFIX)])
    assert (len(kept), len(dropped)) == (1, 1)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Compute \\( \\dfrac{1}{2} + x \\).", "compute $\\frac12+x$"),
        ("What is 3 \N{MULTIPLICATION SIGN} 5?", "What is $3 \\times 5$?"),
        ("Where is \N{GREEK SMALL LETTER ALPHA} ≤ 2?", "Where is $\\alpha \\leq 2$?"),
        ("The ﬁne café", "the fine cafe\N{COMBINING ACUTE ACCENT}"),
    ],
)
def test_typography_does_not_make_another_problem(one: str, other: str) -> None:
    assert letters_and_digits(one) == letters_and_digits(other)


def test_letters_of_other_scripts_tell_problems_apart() -> None:
    template = "{} 原始的答案是 $m/n$ 的形式，求 $m+n$"  # noqa: RUF001
    rows = [math_row(template.format("从正九边形中任取三个顶点")), math_row(template.format("在一个圆上随机取三点"))]
    assert drop_exact_duplicates(rows)[1] == []


@pytest.mark.parametrize(
    ("one", "gold", "other", "other_gold"),
    [
        ("75-51=?", "24", "755-1=?", "754"),
        ("4/2 = ?", "2", "4-2 = ?", "2"),  # two problems of one answer
        ("What is 1.5 + 2?", "3.5", "What is 15 + 2?", "17"),
        ("What is 5!", "120", "What is 5?", "5"),
        ("Add 12 3.", "15", "Add 1 23.", "24"),
        ("Is 3 < 5?", "yes", "Is 3 > 5?", "no"),
        ("(8-4)-2=?", "2", "8-(4-2)=?", "6"),
        ("How many in A ∪ B?", "7", "How many in A ∩ B?", "2"),  # noqa: RUF001
        ("Does A → B hold?", "yes", "Does A ↔ B hold?", "no"),
        ("What is 5% of 40?", "2", "What is 5 of 40?", "5"),
        ("How long is 5' of rope?", "1.5 m", 'How long is 5" of rope?', "0.1 m"),
        ("What is |-3|?", "3", "What is -3?", "-3"),
        ("What is f'(2)?", "4", "What is f(2)?", "5"),
        ('What does print("1"+"2") print?', "12", "What does print(1+2) print?", "3"),
        ("What is x_{1}2?", "a", "What is x_{12}?", "b"),
        ("The ratio 3:4", "0.75", "The ratio 34", "34"),
    ],
)
def test_symbols_count_where_they_stand(one: str, gold: str, other: str, other_gold: str) -> None:
    rows = [math_row(one, gold), math_row(other, other_gold)]
    assert drop_exact_duplicates(rows) == (rows, [])
    assert decontaminate(rows[:1], rows[1:]) == (rows[:1], [])
    asked = [math_row(PREFIX + row.prompt[0].content + SUFFIX, row.ground_truth) for row in rows]
    assert drop_exact_duplicates(asked) == (asked, [])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Compute \\( \\dfrac{1}{2} + x \\).", "compute $\\frac{1}{2}+x$"),
        ("What is x² + 1?", "What is $x^{2}+1$"),
        ("The numbers 1, 2 and 2,016 add up.", "The numbers 1,2 and 2016 add up"),
        ("A four-digit “nice” number", 'a four\N{HYPHEN}digit "nice" number.'),
        ("Find $3 \\in A \\cup B$", "Find 3 ∈ A ∪ B."),  # noqa: RUF001
        ("-5 + 3 = ?", "\N{MINUS SIGN}5+3=?"),
        ("Add *all* the `numbers`: 3 and 4", "Add all the numbers, 3 and 4"),
    ],
)
def test_typography_of_symbols_does_not_count(one: str, other: str) -> None:
    assert len(drop_exact_duplicates([math_row(one, "1"), math_row(PREFIX + other + SUFFIX, "2")])[1]) == 1


def test_in_a_long_problem_of_one_answer_brackets_and_quotes_are_style() -> None:
    long = f"{_problem(1)} what is called 'nice'"
    rows = [math_row(long), math_row(long.replace("'", "").replace("what", "(what)"))]
    assert len(drop_exact_duplicates(rows)[1]) == 1
    rows = [math_row(f"{long} if 7 < 8"), math_row(f"{long} if 7 > 8")]
    assert drop_exact_duplicates(rows) == (rows, [])


def test_problems_that_differ_in_a_sign_and_the_answer_are_both_kept() -> None:
    rows = [
        math_row("Add the roots of $x^2 + 5x + 6 = 0$.", "-5"),
        math_row("Add the roots of $x^2 - 5x + 6 = 0$.", "5"),
    ]
    assert drop_exact_duplicates(rows) == (rows, [])
    long = [math_row(_problem(1) + row.prompt[0].content, row.ground_truth) for row in rows]
    assert drop_near_duplicates(long) == (long, [])


def test_one_problem_with_two_answers_is_reported_as_such() -> None:
    _, [dropped] = drop_exact_duplicates([math_row(TRIANGLE, "5"), math_row(TRIANGLE + SUFFIX, "7")])
    assert "other gold" in dropped.reason
    assert "'5'" in dropped.reason
    assert "'7'" in dropped.reason


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("\\frac{3}{4}", "3/4", True),
        ("\\\\dfrac{3}{4}", "\\frac{3}{4}", True),
        ("n = 13", "13", True),
        ("15", "15^\\circ", True),
        ("\\(\\boxed{337}\\)", "337", True),
        ("61", "31", False),
        ("0.5", "1/2", False),
    ],
)
def test_spellings_of_a_gold_are_no_contradiction(one: str, other: str, same: bool) -> None:
    assert same_gold(one, other) is same


@given(st.permutations(range(12)))
def test_the_order_of_rows_does_not_decide_which_is_kept(order: list[int]) -> None:
    rows = [math_row(PREFIX * (n % 2) + _problem(n // 3) + SUFFIX * (n % 3), str(n)) for n in range(12)]
    kept, _ = drop_exact_duplicates([rows[place] for place in order])
    assert set(kept) == set(drop_exact_duplicates(rows)[0])
    near, _ = drop_near_duplicates([rows[place] for place in order])
    assert set(near) == set(drop_near_duplicates(rows)[0])


def test_cleaning_twice_finds_nothing_more() -> None:
    rows = [math_row(_problem(n // 2) + " x" * (n % 2), str(n)) for n in range(40)]
    for clean in (drop_exact_duplicates, drop_near_duplicates):
        kept, dropped = clean(rows)
        assert dropped or clean is drop_exact_duplicates
        assert clean(kept) == (kept, [])


def test_every_row_is_kept_or_dropped_with_a_reason() -> None:
    rows = [math_row(_problem(n // 2) + "y" * (n % 2), name=f"math-{n:016x}") for n in range(30)]
    kept, dropped = drop_near_duplicates(rows)
    assert sorted(row.problem_id for row in (*kept, *(item.row for item in dropped))) == [r.problem_id for r in rows]
    assert all("like math-" in item.reason for item in dropped)


def test_one_changed_word_in_sixty_is_a_near_duplicate_and_half_of_them_is_none() -> None:
    words = _problem(1).split()
    little, much = words.copy(), words.copy()
    little[30] = "hexagon"
    much[::2] = _problem(2).split()[::2]
    rows = [math_row(" ".join(text)) for text in (words, little, much)]
    _, dropped = drop_near_duplicates(rows)
    assert len(dropped) == 1
    assert dropped[0].row in rows[:2]


def test_the_same_question_about_other_numbers_is_kept() -> None:
    text = _problem(1) + " how many of the {} are left"
    rows = [math_row(text.format(17), "4"), math_row(text.format(18), "5")]
    assert drop_near_duplicates(rows) == (rows, [])


def test_nearly_the_same_problem_with_another_answer_is_reported_as_such() -> None:
    text = _problem(1) + " how many of the 17 are left"
    _, [dropped] = drop_near_duplicates([math_row(text, "4"), math_row(text.replace("how", "so how"), "5")])
    assert "other gold" in dropped.reason


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.9])
def test_every_pair_above_the_threshold_is_found(threshold: float) -> None:
    texts = []
    for seed in range(150):
        words = _problem(seed).split()
        texts += [
            " ".join(words),
            " ".join(f"{n}q{seed}" if n < 1 + seed % 15 else word for n, word in enumerate(words)),
        ]
    rows = [math_row(text) for text in texts]
    kept, _ = drop_near_duplicates(rows, threshold=threshold)
    kept_texts = {letters_and_digits(row.prompt[0].content) for row in kept}
    pairs = [
        (one, other)
        for one, other in zip(texts[::2], texts[1::2], strict=True)
        if jaccard(shingle_set(letters_and_digits(one)), shingle_set(letters_and_digits(other))) >= threshold
    ]
    missed = [pair for pair in pairs if {letters_and_digits(text) for text in pair} <= kept_texts]
    assert len(pairs) > 20
    assert len(missed) <= 0.01 * len(pairs)


def test_puzzles_of_one_template_are_no_near_duplicates() -> None:
    template = "There are five houses in a row and each has one owner, one pet and one drink. " * 6
    rows = [math_row(template + _problem(seed, 12)) for seed in range(40)]
    assert drop_near_duplicates(rows)[1] == []


@pytest.mark.parametrize("threshold", [0.0, -1.0, 1.5])
def test_a_threshold_that_means_nothing_is_refused(threshold: float) -> None:
    with pytest.raises(DataError, match="near-duplicates"):
        drop_near_duplicates([], threshold=threshold)


def test_no_rows_give_no_rows() -> None:
    assert drop_exact_duplicates([]) == ([], [])
    assert drop_near_duplicates([]) == ([], [])


@given(st.lists(st.text(max_size=40), min_size=1, max_size=8))
def test_shingles_in_chunks_are_those_of_each_text(texts: list[str]) -> None:
    for part in shingles(texts):
        for number, text in enumerate(texts[part.first : part.first + len(part.offsets) - 1]):
            own = part.hashes[part.offsets[number] : part.offsets[number + 1]]
            assert sorted(set(own.tolist())) == shingle_set(text).tolist()


@given(st.text(alphabet="ab", min_size=5, max_size=60), st.text(alphabet="ab", max_size=30))
def test_equal_runs_have_equal_hashes_wherever_they_are(text: str, before: str) -> None:
    [alone] = runs([text], 5)
    [moved] = runs([before + text, text], 5)
    assert alone.hashes.tolist() == moved.hashes[len(moved.hashes) - len(alone.hashes) :].tolist()
    assert moved.hashes[moved.offsets[1] - len(alone.hashes) : moved.offsets[1]].tolist() == alone.hashes.tolist()


def test_a_filter_never_denies_a_member() -> None:
    members = shingle_set(_problem(3))
    assert Filter(members, bits=8).may_hold(members).all()


@needs_real
def test_the_published_quarter_repeats_251_problems() -> None:
    rows = real_rows("math_curriculum/math__sampled_1_4_12800.parquet")
    kept, dropped = drop_exact_duplicates(rows)
    assert len(kept) + len(dropped) == 12_800
    # Three more have the same letters and digits, a hyphen, a comma or a blank apart: 254.
    assert len(dropped) == 251
    contradictory = {item.reason.partition("other gold: ")[2] for item in dropped} - {""}
    assert contradictory == {"'61' against '31'", "'49995000' against '50000000'"}
