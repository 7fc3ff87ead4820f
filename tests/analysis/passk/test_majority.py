from itertools import combinations

import numpy as np
import pytest

from analysis.passk.majority import Answer, majority_at_k


def by_hand(counts: list[int], correct: list[bool], k: int) -> float:
    samples = [i for i, count in enumerate(counts) for _ in range(count)]
    total = 0.0
    draws = list(combinations(samples, k))
    for draw in draws:
        votes = np.bincount(draw, minlength=len(counts))
        winners = np.flatnonzero(votes == votes.max())
        total += sum(correct[i] for i in winners) / len(winners)
    return total / len(draws)


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5, 8])
@pytest.mark.parametrize(
    ("counts", "correct"),
    [([5, 3, 2], [True, False, False]), ([3, 3, 1, 1], [True, False, True, False]), ([4, 4], [False, True])],
)
def test_majority_equals_counting_every_draw(counts: list[int], correct: list[bool], k: int) -> None:
    answers = [Answer(count=count, correct=right) for count, right in zip(counts, correct, strict=True)]
    assert majority_at_k(answers, k).value == pytest.approx(by_hand(counts, correct, k), rel=1e-12)


def test_one_vote_is_pass_at_one() -> None:
    assert majority_at_k([Answer(count=40, correct=True), Answer(count=216, correct=False)], 1).value == 40 / 256


def test_simulation_agrees_with_the_exact_value_within_its_stated_error() -> None:
    exact = [Answer(count=100, correct=True), Answer(count=90, correct=False), Answer(count=66, correct=False)]
    more = [Answer(count=101, correct=True), Answer(count=90, correct=False), Answer(count=66, correct=False)]
    found, truth = majority_at_k(more, 9), majority_at_k(exact, 9)
    assert found.error > 0
    assert truth.error == 0
    assert found.value == pytest.approx(truth.value, abs=5 * found.error + 0.01)


def test_more_votes_than_samples_are_undefined_with_the_reason() -> None:
    found = majority_at_k([Answer(count=3, correct=True)], 4)
    assert found.value is None
    assert "k=4" in (found.reason or "")
