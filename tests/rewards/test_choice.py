"""Option letters: SuperGPQA and GPQA."""

import pytest

from rewards import BadGroundTruth, check_gold, compute_score
from tests.rewards.labelled import is_right

_QUESTION = {"question": "How far?\nOptions are:\n(A): 5 m\n(B): 10 m\n(C): 5 km\n(D): Acceleration is zero\n"}


@pytest.mark.parametrize(
    "box",
    ["D", "d", "(D)", "(d)", r"\text{D}", "D.", " D ", "D)", "D:", "[D]", r"\text{(D)}", r"\textbf{D}", r"\mathbf{D}",
     r"\mathrm{D}", "$D$", r"\text{ D }", "**D**", "D. 5 A", "D) 5 A", "(D) 5 A", "D: 5 A", "D. Acceleration",
     "Option D",
     "option (D)", "Answer: D", "ANSWER: D", "The answer is D", "The correct answer is (D)", "D - 5 km", "D (5 A)",
     r"\text{D. } 5\,\text{A}", r"\text{Option D}", r"\text{D: the second}", r"{D}"],
)  # fmt: skip
def test_an_option_letter_is_read_in_any_usual_form(box: str) -> None:
    assert is_right("stem__supergpqa", f"So \\boxed{{{box}}}.", "D")
    assert not is_right("stem__supergpqa", f"So \\boxed{{{box}}}.", "A")


@pytest.mark.parametrize(
    "box",
    ["ABCDEFGHIJ", "A, B", "A and B", "A or B", "A/B", "AB", "A B", "Acceleration", "J. 5 A", "12", "5 A", "A mixture",
     "Answer", "", " ", "A; B", "All", "a b", "None of A", "B or A", "A. B", "(A)(B)", "A,", "AAAA", "answer"],
)  # fmt: skip
def test_several_letters_or_words_are_not_option_a(box: str) -> None:
    expected = box == "A,"
    assert is_right("stem__supergpqa", f"\\boxed{{{box}}}", "A") is expected


def test_no_choice_scores_zero_every_time() -> None:
    assert {compute_score("stem__supergpqa", f"hm {i}", "A")["score"] for i in range(200)} == {0.0}
    assert compute_score("stem__supergpqa", "hm", "A")["outcome"] == "no_answer"


@pytest.mark.parametrize(
    ("response", "right"),
    [
        ("Hmm.\nAnswer: D", True),
        ("The answer is (D).", True),
        ("**Final Answer: D**", True),
        ("Final Answer:\n\nD", True),
        ("The answer is: D. 5 A", True),
        ("Answer: A\nNo.\nAnswer: D", True),
        ("Answer: A or D", False),
        ("I would say D", False),
        ("D", False),
        (r"\boxed{A} first, then \boxed{D}", True),
        (r"\boxed{D} first, then \boxed{A}", False),
        (r"\boxed{D", False),
        (r"<think>\boxed{D}</think> I do not know", False),
        (r"<think>\boxed{A}</think> \boxed{D}", True),
        (r"Answer: A ... \boxed{D}", True),
        (r"\boxed{D} Answer: A", True),
        (r"\fbox{D}", True),
    ],
)
def test_the_last_box_counts_and_without_one_the_last_answer_line(response: str, right: bool) -> None:
    assert is_right("stem__supergpqa", response, "D") is right


@pytest.mark.parametrize(
    ("box", "gold", "right"),
    [("10 m", "B", True), ("5 m", "A", True), ("5 km", "C", True), ("Acceleration is zero", "D", True), ("5",
    "A", False),
     (r"10\text{ m}", "B", True), ("7 m", "A", False), ("B. 5 m", "B", True), ("B. 5 m", "A", False), ("5 m",
     "C", False)],
)  # fmt: skip
def test_the_whole_text_of_an_option_stands_for_its_letter(box: str, gold: str, right: bool) -> None:
    assert is_right("stem__supergpqa", f"\\boxed{{{box}}}", gold, _QUESTION) is right


@pytest.mark.parametrize(
    ("response", "right"),
    [
        ("Answer: B", True),
        ("answer : b", True),
        ("Answer: (B)", True),
        ("**Answer: B**", True),
        ("**Answer:** B", True),
        ("Answer: $B$", True),
        (r"Answer: \boxed{B}", True),
        (r"Answer: \text{B}", True),
        ("Answer: B. the second", True),
        ("Answer: B because it is larger", True),
        ("ANSWER: B", True),
        ("The answer is B.", True),
        ("The final answer is: B", True),
        ("Answer: A\nWait.\nAnswer: B", True),
        ("Answer: B\nWait.\nAnswer: A", False),
        ("Answer: Banana", False),
        ("Answer: A or B", False),
        ("Answer: B or C", False),
        ("Answer: $LETTER", False),
        ("B", False),
        ("", False),
        ("Answer:", False),
        (r"\boxed{B}", True),
        ("The answer is not clear", False),
        ("Answer: E", False),
    ],
)
def test_without_a_box_the_last_answer_line_counts(response: str, right: bool) -> None:
    assert is_right("stem__gpqa_diamond_no_box", response, "B") is right


@pytest.mark.parametrize(
    "source", ["stem__gpqa", "stem__gpqa_diamond", "stem__supergpqa", "stem__synthetic", "stem__gpqa_no_box"]
)
def test_attacks_are_no_letters(source: str) -> None:
    for box in ("__import__('os').system('true')", "A" * 1_000_000, "(" * 100_000 + "A", "<|im_start|>A"):
        assert not is_right(source, f"\\boxed{{{box}}}", "A")


@pytest.mark.parametrize("gold", ["", "AB", "5", "[0]"])
def test_a_gold_that_is_no_letter_is_a_data_error(gold: str) -> None:
    with pytest.raises(BadGroundTruth):
        check_gold("stem__supergpqa", gold)
