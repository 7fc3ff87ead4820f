"""Table questions: HiTab, MultiHiertt, FinQA."""

# ruff: noqa: RUF001 - look-alike characters are what some of these answers are about
import time

import pytest

from rewards import BadGroundTruth, check_gold, compute_score
from tests.rewards.labelled import is_right

_RIGHT = [
    ("45.2", "45.2"), ("45.20", "45.2"), (" 45.2 ", "45.2"), ("45.2.", "45.2"), ("45.23", "45.2"), ("$45.2", "45.2"),
    (r"\$45.2", "45.2"), ("45.2%", "45.2"), (r"45.2\%", "45.2"), (r"45.2 \%", "45.2"), ("45.2 percent", "45.2"),
    (r"\text{45.2}", "45.2"), (r"\text{45.2 million}", "45200000"), ("45.2 years", "45.2"), (r"45.2\text{ kg}", "45.2"),
    ("≈ 45.2", "45.2"), ("about 45.2", "45.2"), (r"\approx 45.2", "45.2"), ("4.52e1", "45.2"), (r"4.52 \times 10^1",
    "45.2"),
    ("1,234", "1234"), ("1234", "1,234"), ("1,234.0", "1234"), (r"1{,}234", "1234"), (r"1\,234", "1234"),
    ("$1,234,567", "1234567"),
    ("1234.00", "1234"), ("1234", "1234.0"), ("2019", "2019"), ("2019.0", "2019"), ("-5", "-5"), ("−5", "-5"),
    ("-$5", "-5"),
    ("$-5", "-5"), ("+5", "5"), ("0", "0"), ("0.0", "0"), ("1/2", "0.5"), (r"\frac{1}{2}", "0.5"), (r"\dfrac{1}{2}",
    "0.5"),
    ("0.5", "1/2"), ("50%", "0.5"), (r"50\%", "0.5"), ("50", "50%"), ("0.5", "50%"), ("53.19%", "0.5319148936170213"),
    ("0.532", "0.5319148936170213"), ("0.5319", "0.5319148936170213"), (".5", "0.5"), ("0.12", "0.12"), ("12%", "0.12"),
    ("€12", "12"), ("12 students", "12"), ("Canada", "canada"), ("CANADA", "Canada"), (r"\text{Canada}", "Canada"),
    (r"\textbf{Canada}", "Canada"), ("Canada.", "Canada"), ('"Canada"', "Canada"), ("new  york", "New York"),
    (r"\text{New York}", "new york"), ("U.S.", "US"), ("men's team", "mens team"), ("T-shirts", "t shirts"), ("yes",
    "Yes"),
    ("2010-11", "2010–11"), ("under 5 years", "Under 5 years"), (r"R\&D", "R&D"), ("a|b", "a|b"), ("b | a", "a|b"),
    ("B|A", "a|b"), (r"\text{a}|\text{b}", "a|b"), (r"\text{a} | \text{b}", "a|b"), (r"a \mid b", "a|b"),
    (r"a \| b", "a|b"),
    ("2|1", "1|2"), ("1.0|2.00", "1|2"), ("a, b", "a|b"), ("a and b", "a|b"), ("1,000|2,000", "1000|2000"),
    ("$5|$6", "5|6"),
    ("a|a|b", "a|b|a"), ("45.2%|10%", "45.2|10"), ("5 years", "5 years"), ("5", "5 years"), ("1.5 million", "1500000"),
]  # fmt: skip
_WRONG = [
    ("2020", "2019"), ("2018", "2019"), ("2020", "2019.0"), ("1235", "1234"), ("1234.5", "1234"), ("46", "45.2"),
    ("45", "45.2"),
    ("45.3", "45.2"), ("12.5", "0.125"), ("0.125", "12.5"), ("5", "-5"), ("-5", "5"), ("50", "0.5"), ("0.5", "50"),
    ("5000%", "0.5"),
    ("45.2 million", "45.2"), ("45.2 or 46", "45.2"), ("45.2, 46", "45.2"), ("45.2|46", "45.2"), ("45.2-46", "45.2"),
    ("45.2 46", "45.2"), ("1,23", "123"), ("12,34", "1234"), ("2019-2020", "2019"), ("1/0", "0"), ("0/0", "0"),
    ("2/1", "0.5"),
    ("USA", "Canada"), ("Canada and USA", "Canada"), ("Canada or USA", "Canada"), ("not Canada", "Canada"), ("Can",
    "Canada"),
    ("a|b|c", "a|b"), ("a", "a|b"), ("a|a", "a|b"), ("a|c", "a|b"), ("1|3", "1|2"), ("", "5"), ("five", "5"), ("x",
    "5"),
    ("__import__('os').system('true')", "5"), ("__import__('os').getpid()", "0"), ("exit()", "5"), ("9**9**9**9",
    "5"), ("3+2", "5"),
    ("10/2+0", "5"), ("int('5')", "5"), ("5e0**1", "5"), ("5e99999", "5"), ("0x5", "5"), ("5 != 6", "5"),
    ("open('/etc/passwd')", "x"),
    ("10-5", "5"), ("NaN", "5"), ("inf", "5"), ("5 years", "6 years"), ("5 years", "5 months"), ("5|", "5|6"), ("|",
    "5"),
    ("50", "5"), ("5.001", "5"), ("100000", "99999"), ("Yes", "No"), ("1e400", "5"),
]  # fmt: skip


@pytest.mark.parametrize("source", ["table__hitab", "table__multihier", "table__finqa"])
@pytest.mark.parametrize(("box", "gold"), _RIGHT)
def test_an_answer_is_right_in_any_usual_form(source: str, box: str, gold: str) -> None:
    assert is_right(source, f"So it is \\boxed{{{box}}}", gold)


@pytest.mark.parametrize("source", ["table__hitab", "table__multihier", "table__finqa"])
@pytest.mark.parametrize(("box", "gold"), _WRONG)
def test_any_other_answer_is_wrong(source: str, box: str, gold: str) -> None:
    assert not is_right(source, f"So it is \\boxed{{{box}}}", gold)


@pytest.mark.parametrize(
    ("response", "right"),
    [
        (r"\boxed{4} no, \boxed{5}", True),
        (r"\boxed{5} no, \boxed{4}", False),
        (r"\boxed{5", False),
        ("5", False),
        ("", False),
        (r"<think>\boxed{5}</think>", False),
        (r"<think>\boxed{4}</think> \boxed{5}", True),
        (r"\boxed{\boxed{5}}", True),
    ],
)
def test_the_last_complete_box_counts(response: str, right: bool) -> None:
    assert is_right("table__hitab", response, "5") is right


def test_a_gold_that_is_a_number_in_the_file_is_read() -> None:
    assert is_right("table__finqa", r"\boxed{53.2\%}", 0.532)
    assert is_right("table__finqa", r"\boxed{12}", 12)
    assert not is_right("table__finqa", r"\boxed{13}", 12.0)


def test_no_box_is_no_answer() -> None:
    assert compute_score("table__hitab", "The answer is 5.", "5")["outcome"] == "no_answer"


@pytest.mark.parametrize("box", ["5" * 1_000_000, "1|" * 500_000, "(" * 500_000, "," * 1_000_000, r"\text" * 100_000])
def test_a_megabyte_takes_no_time(box: str) -> None:
    start = time.process_time()
    assert not is_right("table__hitab", f"\\boxed{{{box}}}", "1|2")
    assert time.process_time() - start < 1


@pytest.mark.parametrize("gold", ["", "  ", "a||b", "|"])
def test_an_empty_gold_answer_is_a_data_error(gold: str) -> None:
    with pytest.raises(BadGroundTruth):
        check_gold("table__hitab", gold)
