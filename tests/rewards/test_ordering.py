"""Ordering puzzles."""

# ruff: noqa: RUF001 - look-alike characters are what some of these answers are about
import time

import pytest

from rewards import BadGroundTruth, compute_score
from tests.rewards.labelled import is_right

_SOURCE = "logic__ordering_puzzle_dataset"
_GOLD = ["red", "blue", "green"]


@pytest.mark.parametrize(
    "answer",
    ["red, Blue, green", "red,blue,green", "[red, blue, green]", "red\nblue\ngreen", "'red', 'blue', 'green'",
     "['red', 'blue', 'green']", '["red", "blue", "green"]', "\n['red', 'blue', 'green']\n",
     "[\n'red',\n'blue',\n'green'\n]",
     "1. red\n2. blue\n3. green", "- red\n- blue\n- green", "red, blue, and green", "red; blue; green",
     "red -> blue -> green", "red → blue → green", "The order is: red, blue, green",
     "The order is ['red', 'blue', 'green'].",
     "```\n['red', 'blue', 'green']\n```", "RED, BLUE, GREEN.", "[‘red’, ‘blue’, ‘green’]"],
)  # fmt: skip
def test_an_order_is_read_in_any_usual_form(answer: str) -> None:
    assert is_right(_SOURCE, f"<answer>{answer}</answer>", _GOLD)


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        (["T-shirt", "O'Neil"], "t-shirt, O'Neil"),
        (["T-shirt", "O'Neil"], "['T-shirt', \"O'Neil\"]"),
        (["T-shirt", "O'Neil"], "T-Shirt, O’Neil"),
        (["Blue Jay", "Owl"], "blue  jay, owl"),
        (["blue-jay", "owl"], "['blue jay', 'owl']"),
        (["Zoë", "Ann"], "Zoë, Ann"),
        (["A", "B"], "A, B"),
        (["owl"], "['owl']"),
        (["owl"], "owl"),
    ],
)
def test_capitals_hyphens_and_apostrophes_match(gold: list[str], answer: str) -> None:
    assert is_right(_SOURCE, f"<answer>draft</answer> <answer>{answer}</answer>", gold)


@pytest.mark.parametrize(
    "answer",
    ["red, green, blue", "red, blue", "red, blue, green, green", "red blue green", "green, blue, red", "redbluegreen",
     "[red, blue, green] or [green, blue, red]", "['red', 'green', 'blue'], ['red', 'blue', 'green']",
     "red, blue, green, yellow", "red, blue, gren", "", "x", "__import__('os').system('true')", "list(gold)",
     "[name for name in gold]"],
)  # fmt: skip
def test_another_order_is_wrong(answer: str) -> None:
    assert not is_right(_SOURCE, f"<answer>{answer}</answer>", _GOLD)


@pytest.mark.parametrize("response", ["red, blue, green", "<answer>red, blue, green", "red</answer>"])
def test_an_order_outside_of_the_tag_is_no_answer(response: str) -> None:
    assert compute_score(_SOURCE, response, _GOLD)["outcome"] == "no_answer"


def test_an_order_that_is_no_list_is_a_data_error() -> None:
    with pytest.raises(BadGroundTruth, match="list of names"):
        compute_score(_SOURCE, "<answer>a</answer>", '"a, b"')


def test_a_gold_list_is_read_as_json_or_as_python_text() -> None:
    for gold in ('["a", "b"]', "['a', 'b']", b'["a", "b"]', ("a", "b")):
        assert is_right(_SOURCE, "<answer>a, b</answer>", gold)


def test_a_pathological_list_takes_no_time() -> None:
    start = time.process_time()
    for answer in ("[" + "a " * 300_000, "['" * 200_000, ",,," * 300_000):
        assert not is_right(_SOURCE, f"<answer>{answer}</answer>", _GOLD)
    assert time.process_time() - start < 1
