import numpy as np
import pytest

from analysis.passk.interval import fixed_benchmark, over_problems, solve_rate_bound
from analysis.passk.paired import crossover, difference, pair, turning_points
from analysis.passk.resampling import resampled_means
from analysis.passk.sample import Sample
from sweeper.host.errors import ResultsError
from tests.analysis.known import ends, known


def sample_of(c: np.ndarray, n: int, first: int = 0) -> Sample:
    return Sample.of((f"p{i + first:05d}", n, int(x)) for i, x in enumerate(c))


def rates(rng: np.random.Generator, size: int | tuple[int, int]) -> np.ndarray:
    return rng.beta(0.4, 1.2, size)


TRUTH = {k: float(np.mean(1 - (1 - rates(np.random.default_rng(99), 400_000)) ** k)) for k in (1, 8, 32)}


@pytest.mark.nightly
@pytest.mark.parametrize("problems", [30, 120])
@pytest.mark.parametrize("k", [1, 8, 32])
def test_the_interval_over_problems_covers(problems: int, k: int) -> None:
    rng, hits, sims = np.random.default_rng(problems + k), 0, 400
    for _ in range(sims):
        sample = sample_of(rng.binomial(64, rates(rng, problems)), 64)
        low, high = ends(over_problems(sample.per_problem(k)))
        hits += low <= TRUTH[k] <= high
    assert 0.92 <= hits / sims <= 0.98


@pytest.mark.nightly
@pytest.mark.parametrize("k", [1, 8, 32, 40, 64])
def test_the_interval_of_this_benchmark_covers_its_own_truth_and_not_more(k: int) -> None:
    rng, hits, sims = np.random.default_rng(k), 0, 300
    p = rates(rng, 100)
    truth = float(np.mean(1 - (1 - p) ** k))
    for _ in range(sims):
        low, high = ends(fixed_benchmark(sample_of(rng.binomial(64, p), 64), k))
        hits += low <= truth <= high
    assert 0.92 <= hits / sims <= 0.98


@pytest.mark.nightly
@pytest.mark.parametrize("k", [40, 64])
@pytest.mark.parametrize("hard", [0.0, 0.02])
def test_beyond_half_the_samples_unsolvable_problems_do_not_widen_it(k: int, hard: float) -> None:
    """A third of the problems at one low rate: a Beta distribution of solve rates would not fit them."""
    rng, hits, sims = np.random.default_rng(3), 0, 300
    for i in range(sims):
        if i % 10 == 0:
            p = np.where(rng.random(100) < 0.3, hard, 0.6 if hard else rng.beta(0.5, 1, 100))
            truth = float(np.mean(1 - (1 - p) ** k))
        low, high = ends(fixed_benchmark(sample_of(rng.binomial(64, p), 64), k))
        hits += low <= truth <= high
    assert 0.90 <= hits / sims <= 0.98


def test_the_two_questions_have_different_answers() -> None:
    rng = np.random.default_rng(4)
    sample = sample_of(rng.binomial(128, rates(rng, 100)), 128)
    (low, high), same = ends(over_problems(sample.per_problem(1))), ends(fixed_benchmark(sample, 1))
    assert high - low > 4 * (same[1] - same[0])


@pytest.mark.nightly
@pytest.mark.parametrize("k", [1, 8])
def test_the_paired_interval_covers_and_is_narrower_than_unpaired(k: int) -> None:
    rng, hits, sims, ratio = np.random.default_rng(31 + k), 0, 300, []
    base_all = rates(np.random.default_rng(5), 400_000)
    truth = float(np.mean((1 - (1 - base_all**0.8) ** k) - (1 - (1 - base_all) ** k)))
    for _ in range(sims):
        p = rates(rng, 100)
        before, after = sample_of(rng.binomial(64, p), 64), sample_of(rng.binomial(64, p**0.8), 64)
        both = pair(before, after, (k,), draws=1000)
        low, high = ends(difference(both, k).problems)
        hits += low <= truth <= high
        unpaired = np.hypot(both.base_draws.std(), both.trained_draws.std()) * 2 * 1.96
        ratio.append((high - low) / unpaired)
    assert 0.92 <= hits / sims <= 0.98
    assert np.mean(ratio) < 0.5


def test_repeating_lines_changes_neither_value_nor_width() -> None:
    rng = np.random.default_rng(8)
    lines = [(f"p{i}", 16, int(c)) for i, c in enumerate(rng.binomial(16, rates(rng, 80)))]
    once, thrice = Sample.of(lines), Sample.of(lines * 3)
    assert thrice.per_problem(4) == pytest.approx(once.per_problem(4), abs=1e-15)
    a, b = (over_problems(s.per_problem(4)) for s in (once, thrice))
    assert (a.low, a.high) == pytest.approx((b.low, b.high), abs=1e-12)
    assert fixed_benchmark(once, 4).high == pytest.approx(fixed_benchmark(thrice, 4).high, abs=1e-12)


def test_the_order_of_problems_does_not_matter() -> None:
    values = np.random.default_rng(2).random((50, 3))
    assert (resampled_means(values, draws=100) == resampled_means(values[::-1], draws=100)).all()


def test_drawing_kinds_is_drawing_problems() -> None:
    """Mean and spread of the draws are those of the plain bootstrap, for few kinds and for as many as problems."""
    rng = np.random.default_rng(3)
    for values in (rng.integers(0, 4, 400) / 4, rng.random(400)):
        draws = resampled_means(values[:, None], draws=20_000)[:, 0]
        plain = values[rng.integers(0, 400, (20_000, 400))].mean(axis=1)
        assert draws.mean() == pytest.approx(plain.mean(), abs=4 * plain.std() / 100)
        assert draws.std() == pytest.approx(plain.std(), rel=0.04)


def test_a_benchmark_never_solved_gets_upper_bounds() -> None:
    sample = sample_of(np.zeros(20, dtype=int), 10)
    values = sample.per_problem(5)
    other, same = over_problems(values), fixed_benchmark(sample, 5)
    assert (other.low, other.high) == (0.0, pytest.approx(1 - 0.05 ** (1 / 20)))
    assert (same.low, same.high) == (0.0, pytest.approx(1 - 0.05 ** (5 / 200)))
    assert solve_rate_bound(10) == pytest.approx(1 - 0.05**0.1)


def test_one_problem_gives_no_interval_over_problems_but_says_why() -> None:
    found = over_problems(np.array([0.4]))
    assert (found.low, found.high) == (None, None)
    assert found.reason


def test_pairing_uses_common_problems_and_refuses_none() -> None:
    left, right = sample_of(np.array([1, 2, 3]), 4), sample_of(np.array([1, 2, 3]), 4, first=1)
    assert len(pair(left, right, (1,)).dropped) == 2
    with pytest.raises(ResultsError, match="no problem is in both"):
        pair(left, sample_of(np.array([1]), 4, first=9), (1,))


def sharpened(rng: np.random.Generator, problems: int) -> tuple[Sample, Sample]:
    """Training makes problems that are solved sometimes easier and rarely solved ones rarer still."""
    p = rates(rng, problems)
    return sample_of(rng.binomial(128, p), 128), sample_of(rng.binomial(128, np.where(p < 0.08, p * 0.15, p**0.6)), 128)


GRID = (1, 2, 3, 4, 6, 8, 11, 16, 23, 32, 45, 64, 91, 128)


@pytest.mark.nightly
def test_the_crossover_interval_covers() -> None:
    big = rates(np.random.default_rng(77), 1_000_000)
    after = np.where(big < 0.08, big * 0.15, big**0.6)
    fine = np.geomspace(1, 128, 60)
    gap = np.array([float(np.mean((1 - big) ** k - (1 - after) ** k)) for k in fine])
    truth = float(turning_points(fine, gap[None, :])[0])
    assert 2 < truth < 64
    rng, hits, sims = np.random.default_rng(12), 0, 200
    for _ in range(sims):
        found = known(crossover(pair(*sharpened(rng, 200), GRID, draws=500)))
        hits += (found.low or 0) <= truth <= (found.high or np.inf)
    assert hits / sims >= 0.90


def verdicts(power: float, sims: int) -> list[str]:
    rng, found = np.random.default_rng(13), []
    for _ in range(sims):
        p = rates(rng, 200)
        both = pair(sample_of(rng.binomial(128, p), 128), sample_of(rng.binomial(128, p**power), 128), GRID, draws=300)
        found.append(known(crossover(both)).verdict)
    return found


@pytest.mark.nightly
def test_no_crossover_is_found_where_there_is_none() -> None:
    assert verdicts(0.8, 200).count("none") >= 190


@pytest.mark.nightly
def test_models_that_nearly_meet_are_not_said_to_cross() -> None:
    found = verdicts(0.97, 100)
    assert found.count("crossover") <= 5
    assert found.count("undecided") > 5


def test_a_base_model_ahead_from_the_start_is_no_crossover() -> None:
    rng = np.random.default_rng(1)
    p = rates(rng, 100)
    both = pair(sample_of(rng.binomial(64, p), 64), sample_of(rng.binomial(64, p**3), 64), GRID[:10])
    found = known(crossover(both))
    assert found.k is None
    assert found.low is None
    assert "ahead from k = 1" in (found.reason or "")


@pytest.mark.parametrize("off", [-1e-17, 1e-17, -9e-13, 9e-13])
def test_a_difference_that_rounding_makes_is_a_tie(off: float) -> None:
    rows = np.array([[0.1, off], [off, 0.1], [off, -0.1], [off, off]])
    assert turning_points(np.array([1.0, 2.0]), rows).tolist() == [np.inf, np.inf, 1.0, np.inf]


def test_resamples_in_which_both_models_solve_as_much_are_ties() -> None:
    """Both solve the same ten rates, of other problems, so that many resamples are ties: told by whole numbers."""
    base, trained = np.array([1, 2, 3, 4, 5, 1, 2, 3, 4, 5]), np.array([2, 1, 4, 3, 5, 2, 1, 4, 3, 5])
    both = pair(sample_of(base, 7), sample_of(trained, 7), (1, 2), draws=2000)
    units = 21 * 10  # 7 samples make 21 pairs; ten problems
    whole = np.rint((both.trained_draws - both.base_draws) * units)
    assert (whole == 0).all(axis=1).sum() > 20
    exact = turning_points(np.array([1.0, 2.0]), whole)
    found = known(crossover(both))
    assert found.probability_none == pytest.approx(float(np.mean(~np.isfinite(exact))), abs=1e-12)
    assert found.reason == "the two are equal at every k"
