"""Intervals over problems: honest coverage, pairing that helps, no certainty from nothing."""

import numpy as np
import pytest

from analysis.passk.interval import of_difference, over_problems
from tests.analysis.known import ends


def test_a_paired_interval_covers_the_true_difference_and_is_narrower_than_an_unpaired_one() -> None:
    hits, paired, unpaired = 0, [], []
    for i in range(200):
        rng = np.random.default_rng(i)
        p_base = rng.beta(0.8, 2, 64)
        p_trained = np.clip(p_base + 0.1, 0, 1)
        truth = float(np.mean(np.clip(np.random.default_rng(10**6).beta(0.8, 2, 200_000) + 0.1, 0, 1)) - 0.8 / 2.8)
        base, trained = rng.binomial(128, p_base) / 128, rng.binomial(128, p_trained) / 128
        low, high = ends(of_difference(trained - base))
        hits += low <= truth <= high
        paired.append(high - low)
        low, high = ends(over_problems(trained))
        unpaired.append(high - low)
    assert 0.90 <= hits / 200 <= 0.985
    assert np.mean(paired) < 0.5 * np.mean(unpaired)


def test_the_same_values_give_the_same_interval() -> None:
    values = np.linspace(0, 1, 50)
    assert over_problems(values) == over_problems(values.copy())
    assert of_difference(values) == of_difference(values.copy())


@pytest.mark.parametrize("values", [[0.4], [0.0, 0.0, 0.0], [1.0, 1.0], [0.3] * 30, [0.1, float("nan"), 0.4]])
def test_no_interval_of_a_difference_is_claimed_where_the_values_say_nothing(values: list[float]) -> None:
    found = of_difference(np.array(values))
    assert (found.low, found.high) == (None, None)
    assert found.reason


@pytest.mark.parametrize("values", [[0.4], [0.3, 0.3], [0.1, float("nan"), 0.4]])
def test_no_interval_of_a_mean_is_claimed_where_the_values_say_nothing(values: list[float]) -> None:
    found = over_problems(np.array(values))
    assert (found.low, found.high) == (None, None)
    assert found.reason


@pytest.mark.parametrize("values", [[0.0, 0.0, 0.0], [1.0, 1.0]])
def test_problems_that_are_all_alike_at_an_end_give_a_one_sided_bound(values: list[float]) -> None:
    found = over_problems(np.array(values))
    bound = 0.05 ** (1 / len(values))
    assert (found.low, found.high) == pytest.approx((0.0, 1 - bound) if values[0] == 0 else (bound, 1.0))


def test_a_mean_next_to_an_end_has_no_interval_up_to_the_other_end() -> None:
    values = np.zeros((2, 64))
    values[0, 0] = 2 / 128  # one of two seeds solved one problem twice
    found = over_problems(values)
    assert ends(found) == pytest.approx((0.0, 1 - 0.05 ** (1 / 64)))
    assert ends(over_problems(1 - values)) == pytest.approx((0.05 ** (1 / 64), 1.0))


def test_no_problem_is_an_error() -> None:
    with pytest.raises(ValueError, match="there is no problem"):
        over_problems(np.array([]))


@pytest.mark.parametrize("share", [0.1, 0.2, 0.3, 0.7])
def test_problems_that_are_solved_alike_give_a_mean_no_interval(share: float) -> None:
    found = over_problems(np.full(30, share))
    assert (found.low, found.high) == (None, None)
    assert found.reason
