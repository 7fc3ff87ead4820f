import itertools
from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.rows.passk import Count, mean_pass_at_k, pass_at_k


@given(st.integers(1, 200).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n))))
def test_pass_at_k_equals_the_exact_fraction(case: tuple[int, int, int]) -> None:
    n, c, k = case
    exact = 1 - Fraction(comb(n - c, k), comb(n, k))
    assert pass_at_k(n, c, k) == pytest.approx(float(exact), abs=1e-12)


def test_pass_at_k_equals_counting_subsets() -> None:
    samples = [1, 0, 0, 1, 0, 0]
    draws = list(itertools.combinations(samples, 3))
    assert pass_at_k(6, 2, 3) == pytest.approx(sum(any(draw) for draw in draws) / len(draws))


def test_it_is_stable_for_a_hundred_thousand_samples() -> None:
    assert pass_at_k(100_000, 1, 1) == pytest.approx(1e-5, rel=1e-12)
    assert pass_at_k(100_000, 99_999, 100_000) == 1.0


def test_more_draws_than_samples_is_undefined() -> None:
    assert pass_at_k(8, 8, 9) is None
    assert mean_pass_at_k([Count(16, 3), Count(8, 1)], 16) is None
    assert mean_pass_at_k([], 1) is None


@pytest.mark.parametrize(("n", "c", "k"), [(4, 5, 1), (4, -1, 1), (4, 1, 0)])
def test_impossible_counts_are_refused(n: int, c: int, k: int) -> None:
    with pytest.raises(ValueError, match=r"must be|outside"):
        pass_at_k(n, c, k)
