"""Held-out rows: invisible to every parameter, compared with a baseline, and what forms are ranked by."""

import numpy as np
import pytest

from analysis.laws.catalogue import FORMS, KN_LOGLINEAR, POWER, ZOO
from analysis.laws.fitting import fit
from analysis.laws.heldout import error_of, evaluate, rehearse, split
from analysis.laws.inference import infer
from analysis.laws.losses import LOG_L2, parse_loss
from analysis.laws.ranking import BASELINE, rank
from analysis.laws.sample import Floats, LawError, Sample
from tests.analysis.laws.synthetic import X, ar1, curve, kn_sample
from tests.analysis.laws.test_forms import samples

LATE = X > 1e4


@pytest.mark.parametrize("name", FORMS)
def test_permuting_held_out_targets_changes_no_bit_of_any_parameter(name: str) -> None:
    clean, _ = samples()[name]
    rng = np.random.default_rng(2)
    y = clean.y + rng.normal(0, 0.003, clean.n_rows)
    first = next(iter(clean.columns.values()))
    held_out = first >= np.quantile(first, 0.6)
    permuted = y.copy()
    permuted[held_out] = rng.permutation(y[held_out]) * 0.5
    answers = []
    for targets in (y, permuted):
        training, held = split(Sample(columns=clean.columns, y=targets, group=clean.group), held_out)
        law = fit(FORMS[name], training)
        evaluate(law, held)
        answers.append((law.natural, infer(law, draws=50).estimates, law.predict(held).tobytes()))
    assert answers[0] == answers[1]


def test_the_level_of_an_unseen_size_comes_from_the_other_sizes() -> None:
    sample = kn_sample(0.001)
    training, held = split(sample, sample.columns["n"] == 32)
    law = fit(KN_LOGLINEAR, training)
    (error,) = evaluate(law, held)
    assert (error.group, error.trained, error.n) == ("32", 0, 30)
    assert error.level_tuned is not None
    assert error.level_tuned.mae < error.error.mae
    assert set(error.by_rule) != set()
    doubled = Sample(columns=held.columns, y=held.y / 2, group=held.group)
    assert np.array_equal(law.predict(doubled), law.predict(held))


def test_sizes_on_one_crossing_point_are_predicted_exactly_by_its_rule() -> None:
    from analysis.laws.levels import LevelRule

    n = np.repeat([1.0, 3.0, 9.0, 27.0], 20)
    x = np.tile(np.geomspace(1e3, 1e5, 20), 4)
    y = 10 ** (-0.2 / (1 + 5 / n) * np.log10(x / 100.0)) * 0.9  # every curve passes (100, .9)
    sample = Sample(columns={"x": x, "n": n}, y=y, group=tuple(f"{item:g}" for item in n))
    training, held = split(sample, n == 27)
    law = fit(KN_LOGLINEAR, training)
    assert law.predict(held, rules=(LevelRule.crossing,)) == pytest.approx(held.y, rel=1e-6)


def test_each_training_size_is_rehearsed_from_the_smaller_ones() -> None:
    steps = rehearse(fit(KN_LOGLINEAR, kn_sample(0.003)))
    assert [(step.group, step.n_smaller) for step in steps] == [("32", 3)]
    assert rehearse(fit(POWER, curve(2 * X**-0.1))) == ()


def test_the_baseline_repeats_the_last_training_value() -> None:
    y = 2 * X**-0.1
    training, held = split(curve(y), LATE)
    (error,) = evaluate(fit(POWER, training, loss=LOG_L2), held)
    assert error.last_value == pytest.approx(float(np.mean(y[~LATE][-1] - y[LATE])))
    assert error.error.mae < 1e-9


@pytest.mark.parametrize("held_out", [np.zeros(40, dtype=bool), np.ones(40, dtype=bool)])
def test_nothing_held_out_or_nothing_left_is_refused(held_out: np.ndarray) -> None:
    with pytest.raises(LawError, match="some must be held out and some remain"):
        split(curve(2 * X**-0.1), held_out)


def test_errors_are_those_of_their_definitions() -> None:
    error = error_of(np.array([1.0, 2.0, 4.0]), np.array([1.0, 3.0, 2.0]))
    assert [error.mae, error.bias] == pytest.approx([1.0, 1 / 3])
    assert error.rmse == pytest.approx(np.sqrt(5 / 3))
    assert error.r2 == pytest.approx(1 - 5 / 2)
    assert error_of(np.array([1.0]), np.array([2.0])).r2 is None


def broken(x: Floats) -> Floats:
    """A power law that meets a floor: steep, then flat."""
    return np.asarray(0.35 + 40 * x**-0.8)


def test_ranking_by_held_out_error_prefers_the_flexible_form_on_a_broken_power_law() -> None:
    x = np.geomspace(1e2, 1e5, 60)
    better = 0
    for seed in range(25):
        y = broken(x) + np.random.default_rng(seed).normal(0, 0.004, len(x))
        ranked = {item.form: place for place, item in enumerate(rank(curve(y, x)))}
        better += min(ranked["power_floor"], ranked["sigmoid"]) < ranked["power"]
    assert better >= 20


def test_every_form_stands_beside_the_last_value_and_its_in_sample_criterion() -> None:
    ranked = rank(curve(broken(X) + 0.001 * np.sin(np.arange(len(X)))))
    assert {item.form for item in ranked} == {BASELINE, *(form.name for form in ZOO)}
    assert [item.mae for item in ranked] == sorted(item.mae for item in ranked)
    assert all((item.aicc is None) == (item.form == BASELINE) for item in ranked)
    assert all(item.aicc is None for item in rank(curve(broken(X)), loss=parse_loss("lad")))


def test_on_a_curve_without_a_trend_no_form_is_far_from_the_last_values() -> None:
    rng = np.random.default_rng(0)
    ranked = rank(curve(0.5 + ar1(rng, len(X), 0.0, 0.01)))
    assert min(item.mae for item in ranked) < 0.02


def test_a_curve_too_short_to_cut_is_refused() -> None:
    with pytest.raises(LawError, match="ranking needs 5 before the first cut"):
        rank(curve(np.linspace(1, 2, 12), X[:12]))
