from fractions import Fraction
from math import comb

import numpy as np
import pytest

from analysis.passk.estimator import pass_at_k_values, variance_values
from sweeper.rows.passk import pass_at_k, pass_at_k_of_every_count, pass_hat_k


def test_every_count_at_once_equals_one_count_at_a_time() -> None:
    for n, k in ((1, 1), (7, 3), (128, 64), (300, 1)):
        assert pass_at_k_of_every_count(n, k) == pytest.approx([pass_at_k(n, c, k) for c in range(n + 1)], abs=1e-15)


def test_a_hundred_thousand_samples_agree_with_whole_numbers() -> None:
    n = 100_000
    for c, k in ((1, 1), (3, 50_000), (40_000, 7), (20, 20_000), (99_000, 500)):
        exact = float(1 - Fraction(comb(n - c, k), comb(n, k)))
        found = pass_at_k_values(np.array([n]), np.array([c]), k)[0]
        assert found == pytest.approx(exact, rel=1e-12)
        assert pass_at_k_of_every_count(n, k)[c] == pytest.approx(exact, rel=1e-12)


def test_more_draws_than_samples_is_not_a_number_for_that_problem_alone() -> None:
    values = pass_at_k_values(np.array([4, 8]), np.array([4, 0]), 8)
    assert np.isnan(values[0])
    assert values[1] == 0.0


def test_all_of_k_correct_equals_the_exact_fraction() -> None:
    for n, c, k in ((10, 7, 3), (128, 127, 64), (5, 5, 5), (5, 2, 3)):
        assert pass_hat_k(n, c, k) == pytest.approx(float(Fraction(comb(c, k), comb(n, k))), rel=1e-12)
    assert pass_hat_k(4, 4, 5) is None


@pytest.mark.parametrize("n", [8, 128, 1024])
def test_the_estimator_has_no_bias(n: int) -> None:
    rng, p, sims = np.random.default_rng(n), 0.03, 20_000
    c = rng.binomial(n, p, sims)
    for k in (1, 4, 8):
        values = pass_at_k_values(np.full(sims, n), c, k)
        error = values.std(ddof=1) / np.sqrt(sims)
        assert abs(values.mean() - (1 - (1 - p) ** k)) < 4 * error


@pytest.mark.parametrize(("n", "k", "p"), [(16, 4, 0.1), (64, 8, 0.02), (16, 8, 0.3)])
def test_the_variance_within_half_the_samples_has_no_bias(n: int, k: int, p: float) -> None:
    from scipy.stats import binom

    c = np.arange(n + 1)
    weight, values = binom.pmf(c, n, p), pass_at_k_values(np.full(n + 1, n), c, k)
    truth = weight @ values**2 - (weight @ values) ** 2
    assert weight @ variance_values(np.full(n + 1, n), c, k) == pytest.approx(truth, rel=1e-9)


def test_beyond_half_the_samples_there_is_no_unbiased_variance() -> None:
    assert np.isnan(variance_values(np.array([16, 15]), np.array([3, 3]), 8)).tolist() == [False, True]


@pytest.mark.parametrize(("n", "k"), [(16, 16), (16, 11), (7, 4), (300, 200)])
@pytest.mark.parametrize("p", [0.001, 0.05, 0.4])
def test_the_variance_at_a_known_rate_is_that_of_the_binomial(n: int, k: int, p: float) -> None:
    from scipy.stats import binom

    from analysis.passk.prior import _variance

    c = np.arange(n + 1)
    values, weight = pass_at_k_values(np.full(n + 1, n), c, k), binom.pmf(c, n, p)
    truth = weight @ values**2 - (weight @ values) ** 2
    assert _variance(np.array([p]), n, k)[0] == pytest.approx(truth, rel=1e-6, abs=1e-15)


def test_a_range_outside_the_samples_is_refused() -> None:
    with pytest.raises(ValueError, match="outside"):
        pass_at_k_of_every_count(4, 5)
