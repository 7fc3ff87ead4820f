"""Graph puzzles."""

import pytest

from rewards import BadGroundTruth, check_gold
from tests.rewards.labelled import is_right

_SOURCE = "logic__graph_logical_dataset"


@pytest.mark.parametrize(
    "answer",
    ["fdebme", " fdebme ", "\nfdebme\n", "FDEBME", "'fdebme'", '"fdebme"', "fdebme.", "`fdebme`", "**fdebme**",
     r"\text{fdebme}", "(fdebme)", "f, d, e, b, m, e", "f d e b m e", "f -> d -> e -> b -> m -> e", "```\nfdebme\n```"],
)  # fmt: skip
def test_a_word_is_read_in_any_usual_form(answer: str) -> None:
    assert is_right(_SOURCE, f"So <answer>{answer}</answer>", "fdebme")


@pytest.mark.parametrize(
    "response",
    ["", "fdebme", "<answer></answer>", "<answer>fdebm</answer>", "<answer>fdebmee</answer>", "<answer>edbmfe</answer>",
     "<answer>fdebme or abcdef</answer>", "<answer>abcdef, fdebme</answer>",
     "<answer>fdebme</answer><answer>x</answer>",
     "<answer>fdebme", "<think><answer>fdebme</answer></think>", "<answer>the word is fdebme</answer>",
     "<answer>eval('fdebme')</answer>", "<answer>" + "f" * 1_000_000 + "</answer>"],
)  # fmt: skip
def test_another_word_is_wrong(response: str) -> None:
    assert not is_right(_SOURCE, response, "fdebme")


def test_an_empty_gold_is_a_data_error() -> None:
    with pytest.raises(BadGroundTruth):
        check_gold(_SOURCE, " ")
