"""Planted curves: levels reached, multipliers, matched compute, unseen sizes, the rest of a run, signs of collapse."""

import json

import numpy as np
import pytest

from analysis.drawing.answer import Status, answer_json
from analysis.laws.catalogue import EXP_SATURATION, POWER
from analysis.laws.fitting import fit
from analysis.laws.inference import infer
from analysis.laws.losses import LOG_L2
from analysis.laws.sample import Sample
from analysis.passk.estimate import Estimate
from analysis.questions import QUESTIONS, Settings
from analysis.questions.compute_efficiency import multiplier
from analysis.questions.curve_laws import arm_laws
from analysis.questions.stability import signs_of
from analysis.questions.strata import configurations
from analysis.row_laws.extrapolation_reach import reach
from analysis.runs.checkpoints import Axis, checkpoints
from tests.analysis.questions.planted import Planted, curve, population, selection

TARGET = Settings(target=0.45)


def falling(scale: float, alpha: float = 0.2):
    return lambda step: 1 - 0.9 * (step * scale) ** -alpha


def ask(name, runs, *, settings=None, **world):
    return QUESTIONS[name].ask(selection(runs, **world), settings)


def rows(x, y):
    return Sample(columns={"x": np.asarray(x, dtype=np.float64)}, y=np.asarray(y, dtype=np.float64))


def test_reach_inverts_a_law_and_its_interval_covers_the_truth():
    x = np.geomspace(10, 1000, 30)
    truth = (0.5 / 0.9) ** (-1 / 0.15)
    held = []
    for i in range(120):
        noise = np.random.default_rng(i).normal(0, 0.02, 30)
        law = infer(fit(POWER, rows(x, 0.9 * x**-0.15 * np.exp(noise)), loss=LOG_L2), draws=0)
        found = reach(law, 0.5, seed=i)
        held.append(found.low <= truth <= found.high)
    assert np.mean(held) >= 0.90  # binomial, 120 at 95%: at least .90 in 99%


def test_a_level_above_the_ceiling_is_not_reached():
    x = np.linspace(1, 100, 60)
    y = 0.4 + 0.5 * np.exp(-x / 12) + np.random.default_rng(0).normal(0, 0.004, 60)
    found = reach(infer(fit(EXP_SATURATION, rows(x, y)), draws=0), 0.3)
    assert (found.x, found.high) == (None, None)
    assert "not reached" in found.reason


def test_a_level_the_base_model_has_is_reached_before_the_first_measurement():
    x = np.geomspace(10, 1000, 30)
    law = infer(fit(POWER, rows(x, 0.9 * x**-0.15 * np.exp(np.sin(x) / 99)), loss=LOG_L2), draws=0)
    assert "before" in reach(law, 0.95).reason


def test_flops_of_a_curve_follow_the_tokens_of_its_steps():
    points = curve(falling(1.0), steps=4, every=2, tokens=lambda step: 100 if step <= 2 else 300)
    run = selection([Planted(curve=points, steps=4, flops=800.0)]).runs[0]
    assert [point.x(Axis.compute) for point in checkpoints([run], {run.row.run_id: ""})] == [200.0, 800.0]
    assert "no validation" in "".join(ask("steps", [Planted()]).notes)


def two_arms(shift: float, *, seeds: int = 3, rng: int = 0) -> list[Planted]:
    return [
        Planted(
            algorithm=name,
            seed=seed,
            steps=40,
            flops=4e6,
            curve=curve(falling(scale), rng=100 * rng + 10 * seed + place),
        )
        for place, (name, scale) in enumerate((("a", 1.0), ("b", shift)))
        for seed in range(seeds)
    ]


def test_the_compute_multiplier_is_the_planted_shift():
    held = []
    for i in range(60):
        laws = arm_laws(configurations(selection(two_arms(2.0, rng=i)).runs), Axis.compute, [])
        found = multiplier(laws[0], laws[1], 0.45)
        assert isinstance(found, Estimate)
        held.append(found.low is not None and found.high is not None and found.low <= 2.0 <= found.high)
    assert np.mean(held) >= 0.88


def test_the_arm_that_needs_half_of_the_compute_is_said_to():
    found = ask("compute_efficiency", two_arms(2.0), settings=TARGET)
    (row,) = found.tables["multipliers"].to_dict("records")
    assert (row["arm"], row["reference"]) == ("m-1, b", "m-1, a")
    assert row["low"] > 1
    assert "m-1, a needs 2.02 [1.95, 2.13] times the compute of m-1, b" in found.text


def test_larger_models_need_fewer_samples_where_that_was_planted():
    runs = [
        Planted(model=f"m{n}", size=n, seed=s, steps=40, curve=curve(falling(scale), rng=n + s))
        for n, scale in ((100_000, 1.0), (400_000, 3.0))
        for s in range(3)
    ]
    found = ask("sample_efficiency", runs, settings=Settings(target=0.4))
    table = found.tables["reached"].set_index("n_params_non_embedding")
    assert found.status is Status.answered
    assert table.loc[100_000, "low"] > table.loc[400_000, "high"]
    assert table.loc[100_000, "x"] / table.loc[400_000, "x"] == pytest.approx(3, rel=0.3)


def test_arms_of_one_size_are_compared_by_samples_where_there_is_only_one():
    found = ask("sample_efficiency", two_arms(2.0), settings=TARGET)
    table = found.tables["reached"].set_index("arm")
    assert table.loc["m-1, a", "low"] > table.loc["m-1, b", "high"]


def test_steps_and_compute_count_in_how_many_configurations_the_error_falls():
    runs = [
        Planted(n_unique=n, steps=40, seed=s, flops=4e6, curve=curve(line, rng=n + s))
        for n, line in ((64, falling(1.0)), (128, lambda _: 0.3))
        for s in range(3)
    ]
    for name in ("steps", "compute"):
        found = ask(name, runs)
        assert "falling in 1 of 2 configurations and rising in 0" in found.text
        assert "95% each, not corrected for 2 comparisons" in found.text
        assert found.tables["curves"].set_index("arm")["alpha"].iloc[0] == pytest.approx(0.2, abs=0.02)


def test_one_run_a_configuration_is_a_lower_bound_on_uncertainty():
    found = ask("steps", [Planted(steps=40, curve=curve(falling(1.0)))])
    assert any("lower bound on uncertainty" in note for note in found.notes)
    assert "One seed" in found.text


def algorithms(skill: float, flops: float) -> list[Planted]:
    return [
        Planted(
            algorithm=name,
            skill=own,
            seed=seed,
            steps=40,
            flops=cost,
            curve=curve(falling(1.0), rng=7 * seed + len(name)),
        )
        for name, own, cost in (("grpo", 0.5, 4e6), ("ppo", skill, flops))
        for seed in range(3)
    ]


def test_algorithms_are_compared_at_the_compute_of_the_cheaper_one():
    found = ask("algorithm", algorithms(0.5, 8e6), n_problems=128)
    (row,) = found.tables["differences"].to_dict("records")
    # The dearer arm is moved back along error = C^-0.2 by a factor of 2 in compute.
    truth = (1 - population(0.5)) * (2**0.2 - 1)
    assert row["matched_flops"] == pytest.approx(4e6)
    assert row["matched_low"] <= truth <= row["matched_high"]
    assert row["end_low"] <= 0 <= row["end_high"]


def test_without_a_curve_there_is_no_comparison_at_matched_compute():
    runs = [Planted(algorithm=name, flops=cost, seed=s) for name, cost in (("grpo", 1e6), ("ppo", 2e6)) for s in (0, 1)]
    found = ask("algorithm", runs)
    assert found.status is Status.not_identified
    assert "at the end of training" in found.text


def sizes(skills: dict[int, float]) -> list[Planted]:
    return [Planted(model=f"m{n}", size=n, skill=skill, seed=s) for n, skill in skills.items() for s in range(2)]


def test_an_unseen_size_is_predicted_within_its_interval_and_without_its_rows():
    smooth = {10**5 * 4**i: 0.15 * i for i in range(5)}
    runs = sizes(smooth)
    found = ask("unseen_size", runs, n_problems=200)
    (row,) = found.tables["predictions"].to_dict("records")
    assert row["low"] <= row["measured"] <= row["high"]
    assert row["law_off"] < row["last_value_off"]
    changed = ask("unseen_size", sizes(smooth | {10**5 * 4**4: -2.0}), n_problems=200)
    (other,) = changed.tables["predictions"].to_dict("records")
    assert (other["predicted"], other["low"], other["high"]) == (row["predicted"], row["low"], row["high"])
    assert "outside the interval" in changed.text


def test_three_sizes_predict_no_fourth():
    assert ask("unseen_size", sizes({10**5: 0.0, 10**6: 0.5, 10**7: 1.0})).status is Status.missing


def test_the_rest_of_a_run_is_predicted_by_the_form_it_was_drawn_from():
    runs = [
        Planted(seed=s, steps=100, curve=curve(falling(1.0, 0.25), steps=100, every=4, rng=s, sd=0.003))
        for s in range(5)
    ]
    found = ask("rest_of_run", runs)
    forms = found.tables["forms"]
    assert found.status is Status.answered
    assert forms["form"].iloc[0] in ("power", "power_floor")
    assert forms["high"].iloc[0] < 0


def test_flat_noisy_runs_give_no_form_that_beats_the_last_value_reliably():
    runs = [Planted(seed=s, steps=40, curve=curve(lambda _: 0.3, every=1, rng=s, sd=0.02)) for s in range(2)]
    assert ask("rest_of_run", runs).status is not Status.missing
    assert ask("rest_of_run", [Planted(curve=curve(falling(1.0), steps=10))]).status is Status.missing


def test_each_sign_of_collapse_is_flagged_by_its_own_threshold():
    kinds = {
        "reward collapse": {"reward": lambda step: 0.6 if step < 30 else 0.05},
        "entropy collapse": {"entropy": lambda step: 0.8 * 0.9**step},
        "large KL": {"kl": lambda step: 0.05 * step},
        "response length": {"response_length": lambda step: 10.0 + step},
        "overfitting": {"reward": lambda step: 0.3 + 0.01 * step, "val_pass1": lambda step: 0.5 - 0.005 * step},
    }
    for name, others in kinds.items():
        run = selection([Planted(steps=40, n_unique=320, curve=curve(falling(1.0), **others))]).runs[0]
        assert [sign.sign for sign in signs_of(run) if sign.flagged] == [name]
    calm = selection([Planted(steps=40, curve=curve(falling(1.0)))]).runs[0]
    assert not any(sign.flagged for sign in signs_of(calm))


def test_a_run_that_saw_no_problem_twice_is_not_said_to_overfit():
    apart = curve(falling(1.0), reward=lambda step: 0.3 + 0.01 * step, val_pass1=lambda step: 0.5 - 0.005 * step)
    once, twice = (Planted(steps=40, n_unique=n, curve=apart) for n in (1024, 320))
    found = ask("stability", [once])
    table = found.tables["signs"].set_index("sign")
    assert table.loc["overfitting", "value"] > 0.02
    assert table.loc["overfitting", "flagged"] is None
    assert "overfitting" not in found.text
    assert "1 of 1 runs saw no problem twice: no overfitting is read from them" in found.notes
    assert "overfitting" in ask("stability", [twice]).text


def test_no_sign_is_read_from_the_reward_of_an_ordered_curriculum():
    planted = curve(falling(1.0), reward=lambda step: 0.6 if step < 30 else 0.05)
    ordered = selection([Planted(steps=40, curriculum="easy_to_hard", curve=planted)]).runs[0]
    found = {sign.sign: sign for sign in signs_of(ordered)}
    assert found["reward collapse"].value < 0.5
    assert found["reward collapse"].flagged is None
    assert found["entropy collapse"].flagged is False


def test_a_curve_that_was_not_measured_is_not_called_calm():
    assert all(sign.flagged is None for sign in signs_of(selection([Planted()]).runs[0]))


def test_gains_over_the_base_model_are_stated_at_every_k_that_was_measured():
    found = ask("stability", [Planted(skill=1.0, seed=s) for s in range(2)], n_problems=128)
    table = found.tables["against_base"].set_index("k")
    truth = population(1.0) - population(0.0)
    assert table.loc[1, "low"] <= truth <= table.loc[1, "high"]


def test_what_was_read_from_a_curve_is_called_validation_accuracy_and_not_a_measured_pass_at_k():
    long = [Planted(seed=s, steps=100, flops=4e6, curve=curve(falling(1.0), steps=100, every=4, rng=s)) for s in (0, 1)]
    for name, runs in (("steps", long), ("compute", long), ("sample_efficiency", two_arms(2.0)), ("rest_of_run", long)):
        found = ask(name, runs, settings=TARGET)
        told = json.dumps(answer_json(found) | {"tables": None}).replace("pass@1 after training by compute", "")
        assert "accuracy" in told
        assert "validation pass@1" not in told
        assert "pass@1 of" not in told
    saved = ask("compute_efficiency", two_arms(2.0), settings=TARGET)
    assert "A validation accuracy of 0.450 is reached" in saved.text
