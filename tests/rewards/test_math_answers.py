"""Mathematical answers: notation that must not matter, differences that must."""

import threading
import time

import pytest

from rewards import compute_score
from rewards.extraction import last_boxed


def _outcome(pred: str, gold: str, source: str = "math__math") -> object:
    return compute_score(source, f"Thus \\boxed{{{pred}}}.", gold)["outcome"]


@pytest.mark.parametrize(
    ("pred", "gold"),
    [
        ("0.5", r"\frac12"),
        (r"\dfrac{5}{4}", r"\\frac{5}{4}"),
        ("10,000", "10000"),
        (r"10{,}000", "10,000"),
        (r"12\,345", "12345"),
        ("n = 13", "13"),
        ("5", r"5\text{ cm}"),
        ("15", r"15^\circ"),
        ("24", "\uff12\uff14"),
        ("\u22123", "-3"),
        (r"\text{Evelyn}", "evelyn"),
        ("(C)", "C"),
        (r"4 \text{ or } -1", r"-1 \text{ or } 4"),
        (r"\{1,2\}", r"\{2,1\}"),
        (r"3\sqrt{2}", r"\sqrt{18}"),
        ("(x-1)(x+1)", "x^2-1"),
        ("6.02e23", r"6.02 \times 10^{23}"),
        (r"\begin{pmatrix}1\\2\end{pmatrix}", r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}"),
    ],
)
def test_equal_answers_in_other_notation_are_correct(pred: str, gold: str) -> None:
    assert _outcome(pred, gold) == "correct"


@pytest.mark.parametrize(
    ("pred", "gold"),
    [
        ("1234568", "1234567"),
        ("999999", "1000000"),
        ("4200", "42"),
        ("50", "0.5"),
        ("(2,5)", "(2,5]"),
        ("0.3", r"\frac13"),
        ("seat", "east"),
        ("1011_3", "1011_2"),
        ("101", "101_2"),
        ("1,1", "11"),
        ("5 or 6", "5"),
        ("B", "42"),
        ("", "0"),
    ],
)
def test_different_answers_are_not_correct(pred: str, gold: str) -> None:
    assert _outcome(pred, gold) != "correct"


@pytest.mark.parametrize(
    "pred",
    ["9^{9^{9}}", "9^{9^{9^{9}}}", "10^{1000000}", "((((9!)!)!)!)!", r"\int_0^1 x dx", "1" * 5000, "(" * 500],
)
def test_huge_expressions_are_wrong_and_quick(pred: str) -> None:
    started = time.monotonic()
    assert _outcome(pred, r"\frac{\pi}{7}") in ("wrong", "timeout")
    assert time.monotonic() - started < 5.0


def test_symbolic_answers_are_scored_off_the_main_thread() -> None:
    outcomes: list[object] = []
    thread = threading.Thread(target=lambda: outcomes.append(_outcome(r"\frac{1}{3}+y", r"y+\frac13")))
    thread.start()
    thread.join()
    assert outcomes == ["correct"]


def test_copying_the_question_into_the_box_earns_nothing() -> None:
    assert _outcome("17+25", "42", "math__synthetic") == "wrong"
    assert _outcome("42", "42", "math__synthetic") == "correct"


def test_a_truncated_answer_is_no_answer() -> None:
    assert compute_score("math__math", r"so \boxed{\frac12", "1")["outcome"] == "no_answer"


def test_a_box_inside_the_thinking_part_does_not_count() -> None:
    assert compute_score("math__math", r"<think>\boxed{4}</think> hm", "4")["outcome"] == "no_answer"


def test_the_last_complete_box_counts() -> None:
    assert last_boxed(r"put it in \boxed{}: \boxed{1}, no, \boxed {\frac{1}{2}} and \boxed{3") == r"\frac{1}{2}"
    assert last_boxed(r"\boxed{5} in \boxed{}") == "5"
    assert last_boxed(r"\fbox{\{1,2\}}") == r"\{1,2\}"


def test_box_search_is_linear() -> None:
    text = r"\boxed{" * 100_000
    started = time.monotonic()
    assert last_boxed(text) is None
    assert time.monotonic() - started < 2.0


def test_gsm8k_accepts_its_own_final_line() -> None:
    assert compute_score("openai/gsm8k", "9 * 2 = 18\n#### $1,800", "1800")["outcome"] == "correct"
    assert compute_score("openai/gsm8k", "the answer is 18", "18")["outcome"] == "no_answer"
