"""Joint draws of arms and means over seeds and problems: coverage against planted truths."""

import numpy as np
import pytest

from analysis.estimates.panel import Arm, Panel, common_problems, panel, trend
from analysis.passk.crossed import crossed_mean
from sweeper.rows.clear_change import holm
from tests.analysis.questions.planted import Planted, population, selection, without_counts


def arms_of(skills: dict[float, float], *, seeds: int, **settings: float) -> tuple[Arm, ...]:
    runs = [Planted(skill=skill, n_unique=int(x), seed=seed) for x, skill in skills.items() for seed in range(seeds)]
    made = selection(runs, **settings).runs
    return tuple(Arm(label=str(x), x=x, runs=tuple(run for run in made if run.row.n_unique == int(x))) for x in skills)


def test_a_mean_over_seeds_and_problems_covers_the_truth_of_both():
    rng = np.random.default_rng(4)
    held = []
    for _ in range(400):
        seeds, problems = rng.normal(0, 0.02, (3, 1)), rng.normal(0, 0.15, (1, 64))
        low, high = crossed_mean(0.01 + seeds + problems + rng.normal(0, 0.1, (3, 64))).interval()[1:]
        held.append(low <= 0.01 <= high)
    assert 0.92 <= np.mean(held) <= 0.99  # binomial band of 400: .929 to .971; Satterthwaite errs to the wide side


def test_more_problems_do_not_hide_how_few_seeds_there_were():
    rng = np.random.default_rng(5)
    shift = rng.normal(0, 0.05, (3, 1))
    few, many = (crossed_mean(shift + rng.normal(0, 0.1, (3, n))) for n in (100, 10_000))
    assert many.error > 0.8 * few.error
    assert many.df < 3


def test_equivalence_is_a_test_and_not_the_absence_of_a_difference():
    rng = np.random.default_rng(6)
    noisy, quiet = (crossed_mean(rng.normal(0, sd, (3, 400))) for sd in (1.0, 0.01))
    assert noisy.p_value() > 0.05
    assert noisy.equivalence_p(0.01) > 0.05
    assert quiet.equivalence_p(0.01) < 0.001


def test_holm_multiplies_by_how_many_are_left_and_never_falls():
    assert holm([0.01, None, 0.04, 0.03]) == pytest.approx([0.03, None, 0.06, 0.06])


@pytest.mark.parametrize(("seeds", "seed_sd"), [(1, 0.0), (3, 0.3)])
def test_the_difference_of_two_arms_covers_the_truth(seeds, seed_sd):
    extra = float(np.hypot(seed_sd, 0.3))
    truth = population(0.6, extra_sd=extra) - population(0.0, extra_sd=extra)
    held = []
    for i in range(200):
        found = panel(arms_of({64: 0.0, 128: 0.6}, seeds=seeds, rng=i, seed_sd=seed_sd, interaction=0.3))
        assert isinstance(found, Panel)
        gap = found.difference(1, 0)
        held.append(gap.low <= truth <= gap.high)
    assert 0.91 <= np.mean(held) <= 0.985


def test_a_slope_of_single_seeds_has_the_scatter_of_its_arms():
    skills = {64.0: 0.0, 128.0: 0.2, 256.0: 0.4, 512.0: 0.6}
    truth = np.polyfit(np.log2(list(skills)), [population(skill, extra_sd=0.3) for skill in skills.values()], 1)[0]
    held = []
    for i in range(200):
        found = panel(arms_of(skills, seeds=1, rng=i, seed_sd=0.3))
        slope = trend(found)
        assert slope.scatter
        held.append(slope.slope.low <= truth <= slope.slope.high)
    assert np.mean(held) >= 0.92


def test_runs_without_counts_or_of_other_problems_are_refused_with_the_reason():
    run = selection([Planted()]).runs[0]
    assert "no per-problem counts" in common_problems([without_counts(run)])
    assert "base model" in common_problems([selection([Planted(base=None)]).runs[0]], gain=True)
    assert "0 problems of chess" in common_problems([run], domain="chess")
