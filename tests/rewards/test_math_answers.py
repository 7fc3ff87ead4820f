"""Mathematical answers: notation that must not matter, differences that must, and answers meant to do harm."""

import threading
import time

import pytest

from rewards.math.answer import score_gsm8k, score_integer, score_math
from rewards.problem.extraction import last_boxed, last_boxes
from rewards.problem.verdict import Outcome
from tests.rewards.math_cases import MathCase, math_cases

_CASES = math_cases()
_CORE = [case for case in _CASES if case.is_core]
_DISPUTABLE = [case for case in _CASES if not case.is_core]


def _outcome(answer: str, gold: str) -> Outcome:
    return score_math(f"Thus \\boxed{{{answer}}}.", gold).outcome


def _is_correct(case: MathCase) -> bool:
    return score_math(case.response, case.gold).outcome is Outcome.CORRECT


@pytest.mark.parametrize("case", _CORE, ids=str)
def test_the_verdict_is_that_of_every_fair_judge(case: MathCase) -> None:
    assert _is_correct(case) is case.is_equal


@pytest.mark.parametrize("case", _DISPUTABLE, ids=str)
def test_where_judges_may_differ_the_verdict_is_the_documented_one(case: MathCase) -> None:
    assert _is_correct(case) is case.is_equal


@pytest.mark.parametrize("case", [case for case in _CORE if case.family == "attack"], ids=str)
def test_an_attack_is_answered_in_time(case: MathCase) -> None:
    started = time.monotonic()
    score_math(case.response, case.gold)
    assert time.monotonic() - started < 3.0


_FLOODS = {
    "unclosed boxes": "\\boxed{" * 150_000,
    "unclosed braces": "\\boxed{1" + "{" * 1_000_000,
    "a million digits": "\\boxed{" + "9" * 1_000_000 + "}",
    "four thousand digits": "\\boxed{" + "9" * 4_000 + "}",
    "four thousand decimals": "\\boxed{0." + "3" * 4_000 + "}",
    "blanks after the command": "\\boxed" + " " * 1_000_000,
    "many small boxes": "\\boxed{1}, " * 100_000,
    "many huge powers": "\\boxed{" + "x^{2^{19999}}+" * 200 + "1}",
    "many factorials": "\\boxed{" + "2004!+" * 500 + "1}",
    "a tower": "\\boxed{" + "2^{" * 200 + "2" + "}" * 200 + "}",
    "a deep fraction": "\\boxed{" + "\\frac{1}{1+" * 150 + "x" + "}" * 150 + "}",
    "deep brackets": "\\boxed{" + "(" * 2_000 + "1" + ")" * 2_000 + "}",
    "many signs": "\\boxed{" + "\\pm 1+" * 400 + "1}",
    "many bars": "\\boxed{" + "|" * 3_000 + "}",
    "many near-equal roots": "\\boxed{\\{" + ",".join(f"\\sqrt{{2.000000000{i}}}" for i in range(100, 300)) + "\\}}",
}


@pytest.mark.parametrize(
    "gold", ["7", "\\frac{\\pi}{7}", "x^2+1", "1,2", "(1,2]", "\\{\\sqrt2,\\sqrt3\\}", "\\text{yes}"]
)
@pytest.mark.parametrize("flood", _FLOODS)
def test_a_flood_is_wrong_and_quick(flood: str, gold: str) -> None:
    started = time.monotonic()
    outcome = score_math(_FLOODS[flood], gold).outcome
    assert outcome in (Outcome.WRONG, Outcome.NO_ANSWER)
    assert time.monotonic() - started < 1.5


def test_answers_are_scored_off_the_main_thread_and_at_once() -> None:
    pairs = [
        ("\\frac{1}{3}+y", "y+\\frac13"),
        ("\\sum_{k=1}^{n}k", "\\sum_{j=1}^{n} j"),
        ("2\\sin x\\cos x", "\\sin 2x"),
    ]
    outcomes: list[Outcome] = []
    threads = [
        threading.Thread(target=lambda pair=pair: outcomes.append(_outcome(*pair))) for pair in pairs for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [Outcome.CORRECT] * 12


def test_what_is_not_read_here_goes_to_computer_algebra() -> None:
    assert _outcome("\\gcd(12,18)", "6") is Outcome.CORRECT
    assert _outcome("\\gcd(12,18)", "5") is Outcome.WRONG


def test_verdicts_do_not_depend_on_what_was_scored_before() -> None:
    first = [_is_correct(case) for case in _CASES]
    assert [_is_correct(case) for case in reversed(_CASES)] == first[::-1]


def test_copying_the_question_into_the_box_earns_nothing_where_arithmetic_is_the_task() -> None:
    assert score_integer("\\boxed{17+25}", "42").outcome is Outcome.WRONG
    assert score_integer("\\boxed{42}", "42").outcome is Outcome.CORRECT


def test_a_truncated_answer_is_no_answer() -> None:
    assert score_math(r"so \boxed{\frac12", "1").outcome is Outcome.NO_ANSWER


def test_a_box_inside_the_thinking_part_does_not_count() -> None:
    assert score_math(r"<think>\boxed{4}</think> hm", "4").outcome is Outcome.NO_ANSWER


def test_the_last_complete_box_counts() -> None:
    assert last_boxed(r"put it in \boxed{}: \boxed{1}, no, \boxed {\frac{1}{2}} and \boxed{3") == r"\frac{1}{2}"
    assert last_boxed(r"\boxed{5} in \boxed{}") == "5"
    assert last_boxed(r"\fbox{\{1,2\}}") == r"\{1,2\}"
    assert last_boxed("") is None


def test_boxes_with_a_conjunction_between_them_belong_together() -> None:
    assert last_boxes(r"\boxed{9} is wrong. So the answers are $\boxed{1}$ and $\boxed{2}$.") == ["1", "2"]
    assert last_boxes(r"\boxed{1}. After that long remark we conclude \boxed{2}") == ["2"]


def test_a_hedge_over_several_boxes_earns_no_more_than_the_last() -> None:
    assert score_math(r"\boxed{5} or \boxed{6}", "5").outcome is Outcome.WRONG


def test_gsm8k_accepts_its_own_final_line() -> None:
    assert score_gsm8k("9 * 2 = 18\n#### $1,800", "1800").outcome is Outcome.CORRECT
    assert score_gsm8k("#### **72**", "72").outcome is Outcome.CORRECT
    assert score_gsm8k("#### -$5\n" + "and so on " * 1000, "-5").outcome is Outcome.CORRECT
    assert score_gsm8k("the answer is 18", "18").outcome is Outcome.NO_ANSWER
    assert score_gsm8k("\\boxed{18}", "9 * 2 = 18\n#### 18").outcome is Outcome.CORRECT


@pytest.mark.parametrize("box", ["x = x", "4x = 3x + x", "h = h"])
def test_an_identity_says_nothing_of_the_golds_variable(box: str) -> None:
    assert score_math(f"\\boxed{{{box}}}", "h = 36").outcome is Outcome.WRONG


def test_a_right_box_and_a_smaller_interval_behind_it_are_two_answers() -> None:
    gold = r"[3,7] \cup [8,9)"
    assert score_math(rf"\boxed{{{gold}}} or \boxed{{[4,7] \cup [8,9)}}", gold).outcome is Outcome.WRONG
    assert score_math(r"\boxed{[3,7]} and \boxed{[8,9)}", gold).outcome is Outcome.CORRECT
