"""Of an agent's trajectory only the model's own last turn is paid."""

from typing import Any

import pytest

from rewards import ScoreItem
from rewards.route.trajectory import compute_score, score_batch

PAID = "The tool says \\boxed{3901}"  # the transcript, as verl hands it over


def info(answer: str = "", ended: str = "answered", correct: bool | None = None) -> dict[str, Any]:
    return {"num_turns": 4, "agent": {"answer": answer, "ended": ended, "correct": correct, "turns": 2}}


def score(extra_info: Any) -> Any:
    return compute_score(
        data_source="math__synthetic", solution_str=PAID, ground_truth="3901", extra_info=extra_info, own=()
    )


def test_the_last_turn_is_scored_and_nothing_else_of_the_transcript() -> None:
    assert score(info("\\boxed{3901}"))["score"] == 1.0
    assert (score(info("I do not know"))["score"], score(info("\\boxed{1}"))["outcome"]) == (0.0, "wrong")


def test_a_transcript_that_ends_on_a_tools_boxed_answer_earns_nothing() -> None:
    for ended in ("turn_limit", "call_limit", "context_limit", "turn_cut"):
        found = score(info(ended=ended))
        assert (found["score"], found["acc"], found["outcome"]) == (0.0, 0.0, "no_answer")
        assert score(info("\\boxed{3901}", ended=ended))["score"] == 0.0


def test_an_environments_verdict_decides() -> None:
    assert score(info("7", correct=True))["acc"] == 1.0
    assert score(info("\\boxed{3901}", correct=False))["acc"] == 0.0


@pytest.mark.parametrize("extra_info", [None, {}, {"agent": None}, {"agent": {"answer": "\\boxed{3901}"}}])
def test_without_a_record_nothing_is_scored(extra_info: Any) -> None:
    with pytest.raises(KeyError, match="no record of a trajectory"):
        score(extra_info)


def test_many_are_scored_as_each_one_is() -> None:
    given = [
        *(info("\\boxed{3901}"), info(ended="turn_cut"), info("x", correct=True)),
        *(info("\\boxed{2}"), info("\\boxed{3901}")),
    ]
    items = [
        ScoreItem(data_source="math__synthetic", solution_str=PAID, ground_truth="3901", extra_info=one)
        for one in given
    ]
    assert score_batch(items) == [score(one) for one in given]
    assert [one["acc"] for one in score_batch(items)] == [1.0, 0.0, 1.0, 0.0, 1.0]
