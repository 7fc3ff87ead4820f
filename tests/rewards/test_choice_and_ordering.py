"""Option letters and orderings."""

import pytest

from rewards import BadGroundTruth, compute_score


@pytest.mark.parametrize("box", ["B", "b", "(B)", r"\text{B}", "B.", " B ", "B. 5 m/s"])
def test_an_option_letter_is_read_in_any_usual_form(box: str) -> None:
    assert compute_score("stem__supergpqa", f"\\boxed{{{box}}}", "B")["outcome"] == "correct"


@pytest.mark.parametrize("box", ["ABCDEFGHIJ", "A, B", "Acceleration", "J. 5 A", "12", "5 A"])
def test_several_letters_or_words_are_not_option_a(box: str) -> None:
    assert compute_score("stem__supergpqa", f"\\boxed{{{box}}}", "A")["score"] == 0.0


def test_no_choice_scores_zero_every_time() -> None:
    assert {compute_score("stem__supergpqa", f"hm {i}", "A")["score"] for i in range(200)} == {0.0}


@pytest.mark.parametrize(
    "answer", ["red, Blue, green", "red,blue,green", "[red, blue, green]", "red\nblue\ngreen", "'red', 'blue', 'green'"]
)
def test_an_order_is_read_in_any_usual_form(answer: str) -> None:
    gold = ["red", "blue", "green"]
    assert compute_score("logic__ordering_puzzle_dataset", f"<answer>{answer}</answer>", gold)["outcome"] == "correct"


def test_hyphenated_names_and_capitals_match() -> None:
    gold = '["T-shirt", "O\'Neil"]'
    scored = compute_score("logic__ordering_puzzle", "<answer>draft</answer> <answer>t-shirt, O'Neil</answer>", gold)
    assert scored["outcome"] == "correct"


@pytest.mark.parametrize("answer", ["red, green, blue", "red, blue", "red, blue, green, green", "red blue green"])
def test_another_order_is_wrong(answer: str) -> None:
    gold = ["red", "blue", "green"]
    assert compute_score("logic__ordering_puzzle", f"<answer>{answer}</answer>", gold)["outcome"] == "wrong"


def test_an_order_that_is_no_list_is_a_data_error() -> None:
    with pytest.raises(BadGroundTruth, match="list of names"):
        compute_score("logic__ordering_puzzle", "<answer>a</answer>", '"a, b"')
