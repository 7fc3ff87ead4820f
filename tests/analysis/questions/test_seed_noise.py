"""Seeds of arms that scatter unlike: intervals that cover where it is hard and cost little where it is not."""

import numpy as np
import pytest

from analysis.estimates.panel import Panel, panel
from analysis.laws.student import quantile
from analysis.passk.crossed import contrast_mean
from analysis.passk.seed_noise import SeedNoise
from tests.analysis.questions.seed_profiles import CONTRASTS, PROFILES, coverage
from tests.analysis.questions.test_arms import arms_of

PUBLIC = ("kk_hard", "mmlu_pro", "gsm8k", "math500", "equal")


@pytest.mark.nightly
@pytest.mark.parametrize("seeds", [2, 3])
@pytest.mark.parametrize("profile", PUBLIC)
@pytest.mark.parametrize("contrast", ["14B - 7B", "1.5B - 0.5B", "slope"])
def test_a_contrast_covers_whichever_arm_is_noisy(contrast: str, profile: str, seeds: int) -> None:
    held, _ = coverage(profile, contrast, seeds, 600)
    assert 0.895 <= held <= 0.99  # .92 to .98 and two standard errors of 600, .022


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("contrast", "seeds", "most"), [("slope", 2, 1.3), ("14B - 7B", 2, 1.25), ("slope", 3, 1.15), ("14B - 7B", 3, 1.15)]
)
def test_equal_noise_costs_little_width(contrast: str, seeds: int, most: float) -> None:
    assert coverage("equal", contrast, seeds, 400)[1] <= most


def test_a_slope_covers_although_the_largest_sizes_scatter_twenty_times_as_much() -> None:
    assert coverage("kk_hard", "slope", 3, 60)[0] >= 0.88  # pooled over the sizes: .85


def test_one_noisy_arm_widens_what_it_takes_part_in_and_nothing_else() -> None:
    quiet, noisy = (SeedNoise((1.0, 1.1, 0.9, last), (2, 2, 2, 2)) for last in (1.0, 400.0))
    assert noisy.part([1.0, 1.0, 0.0, 0.0]) == quiet.part([1.0, 1.0, 0.0, 0.0])
    variance, df = noisy.part([1.0, 1.0, 1.0, 1.0])
    assert variance > 300
    assert df < 3
    assert quiet.part([1.0, 1.0, 1.0, 1.0])[1] > 5


def test_arms_that_scatter_alike_have_nearly_the_interval_of_the_pooled_variance() -> None:
    many = SeedNoise((1.0,) * 12, (2,) * 12)
    variance, df = many.part([1.0] * 12)
    half = quantile(df) * variance**0.5
    assert half == pytest.approx(quantile(24) * 12**0.5, rel=0.1)


def test_one_arm_and_seeds_without_scatter_are_what_they_were() -> None:
    assert SeedNoise((0.3,), (4,)).part([0.5]) == (0.15, 4.0)
    assert SeedNoise((0.0, 0.0), (1, 1)).part([1.0, 1.0]) == (0.0, 2.0)


def test_an_arm_of_one_seed_borrows_the_pooled_variance() -> None:
    rng = np.random.default_rng(0)
    several = [np.repeat(rng.normal(0, 0.02, (3, 1)), 2, axis=1) for _ in range(2)]
    alone = np.zeros((1, 2))
    found = contrast_mean([*several, alone], [1.0, 0.0, -1.0])
    assert found.error == pytest.approx((several[0][:, 0].var(ddof=1) * (1 / 3 + 1)) ** 0.5)


def test_joint_draws_have_each_arms_own_noise() -> None:
    found = panel(arms_of({64.0: 0.0, 128.0: 0.0}, seeds=3))
    assert isinstance(found, Panel)
    loud = np.array([[-0.2], [0.0], [0.2]])
    unlike = Panel(arms=found.arms, each=(found.each[0], found.each[0] + loud), gain=False, n_dropped=0)
    quiet, noisy = np.subtract(*np.quantile(unlike.draws, [0.75, 0.25], axis=0))
    assert noisy > 2 * quiet
    assert "by configuration" in unlike.notes[0]


def test_profiles_and_contrasts_are_of_five_sizes() -> None:
    assert {len(item) for item in (*PROFILES.values(), *CONTRASTS.values())} == {5}
