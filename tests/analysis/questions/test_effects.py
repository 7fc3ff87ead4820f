"""Planted effects of arms: found where they are, not found where they are not, refused where rows cannot tell."""

import json

import numpy as np
import pytest

from analysis.drawing.answer import Status, answer_json
from analysis.estimates.panel import Panel, panel
from analysis.passk.estimate import Estimate
from analysis.questions import QUESTIONS, Settings
from analysis.questions.sft_share import optimum
from analysis.questions.strata import Stratum, arms
from tests.analysis.questions.planted import DOMAINS, Planted, population, selection

SHARES = {0: 0.0, 256: 0.5, 512: 0.7, 768: 0.5, 921: 0.0}  # SFT problems of 1,024 -> skill, highest at a half


def ask(name, runs, *, settings=None, **world):
    return QUESTIONS[name].ask(selection(runs, **world), settings)


def curricula(effect: float, seeds: int) -> list[Planted]:
    return [
        Planted(curriculum=name, skill=skill, seed=seed)
        for name, skill in (("mixed", 0.0), ("easy_to_hard", effect))
        for seed in range(seeds)
    ]


def test_a_better_curriculum_is_found_with_the_truth_in_its_interval():
    found = ask("curriculum", curricula(0.5, 3), n_problems=128, seed_sd=0.05)
    (row,) = found.tables["differences"].to_dict("records")
    assert found.status is Status.answered
    assert "better" in row["finding"]
    assert row["low"] <= population(0.5) - population(0.0) <= row["high"]


def test_equal_curricula_are_called_different_in_about_one_of_twenty_sweeps():
    findings = []
    for i in range(120):
        found = ask("curriculum", curricula(0.0, 3), rng=i, n_problems=32, seed_sd=0.2, interaction=0.3)
        findings.append(found.tables["differences"].to_dict("records")[0]["finding"])
    different = np.mean([("better" in item) or ("worse" in item) for item in findings])
    assert different <= 0.10  # binomial, 120 sweeps at 5%: at most .10 in 98%


def test_a_difference_beyond_the_margin_is_hardly_ever_called_equivalent():
    equivalent = []
    for i in range(100):
        found = ask("curriculum", curricula(0.15, 3), rng=i, n_problems=32, seed_sd=0.05)
        equivalent.append("equivalent" in found.tables["differences"].to_dict("records")[0]["finding"])
    assert population(0.15) - population(0.0) > 0.02
    assert np.mean(equivalent) <= 0.10


def test_precise_equal_curricula_are_equivalent_within_the_margin_that_was_set():
    found = ask("curriculum", curricula(0.0, 3), n_problems=400, n_samples=256, settings=Settings(margin=0.03))
    assert "equivalent within 0.03" in found.text
    assert found.status is Status.answered


def test_one_seed_of_a_curriculum_is_a_lower_bound_and_no_common_seed_is_no_answer():
    assert "One seed" in ask("curriculum", curricula(0.5, 1)).text
    apart = [Planted(curriculum="mixed", seed=0), Planted(curriculum="easy_to_hard", seed=1)]
    assert ask("curriculum", apart).status is Status.missing


def shares(skills: dict[int, float], seeds: int) -> list[Planted]:
    return [
        Planted(n_unique=1024 - n, n_sft=n, skill=skill, seed=seed)
        for n, skill in skills.items()
        for seed in range(seeds)
    ]


def bent(top: float) -> dict[int, float]:
    """Skills of five shares that are a quadratic in the logit scale of the question, highest at a share."""
    share = np.arange(5) / 5.5
    z, best = (np.log((0.05 + 0.9 * x) / (0.95 - 0.9 * x)) for x in (share, top))
    return {int(1024 * x): float(0.8 - 0.12 * (own - best) ** 2) for x, own in zip(share, z, strict=True)}


def test_the_best_share_of_sft_is_found_with_a_flat_top_around_it():
    found = ask("sft_share", shares(bent(0.5), 3), n_problems=200, seed_sd=0.05)
    best = optimum(shares_panel(bent(0.5), rng=0))
    assert found.status is Status.answered
    assert isinstance(best.at, Estimate)
    assert best.at.low <= 0.5 <= best.at.high
    assert best.flat[0] <= best.at.value <= best.flat[1]
    assert found.figures["1024 problems"].guides


def shares_panel(skills: dict[int, float], *, rng: int) -> Panel:
    made = selection(shares(skills, 2), rng=rng, seed_sd=0.06)
    stratum = Stratum(label="", runs=made.runs)
    found = panel(arms(stratum, label=lambda _: "", x=lambda row: row.n_sft / 1024))
    assert isinstance(found, Panel)
    return found


def test_the_interval_of_the_best_share_covers_a_planted_quadratic():
    found = [optimum(shares_panel(bent(0.5), rng=i)) for i in range(60)]
    given = [best.at for best in found if isinstance(best.at, Estimate)]
    assert len(given) >= 40
    assert np.mean([best.low <= 0.5 <= best.high for best in given]) >= 0.90


def test_shares_that_are_no_quadratic_widen_the_interval_and_are_said_to_be_none():
    found = ask("sft_share", shares(SHARES, 3), n_problems=200)
    assert any("further off a quadratic" in note and "measured is 0.50" in note for note in found.notes)
    best = optimum(shares_panel(SHARES, rng=0))
    assert isinstance(best.at, str) or best.at.low <= 0.5 <= best.at.high


@pytest.mark.parametrize("skills", [{0: 0.0, 256: 0.3, 512: 0.6, 768: 0.9}, {0: 0.9, 256: 0.6, 512: 0.3, 768: 0.0}])
def test_a_best_share_at_the_edge_of_those_tried_is_refused(skills):
    found = ask("sft_share", shares(skills, 2), n_problems=128)
    assert found.status is Status.not_identified
    assert "edge" in found.reason


def test_three_shares_carry_no_quadratic():
    found = ask("sft_share", shares({0: 0.0, 512: 0.5, 768: 0.1}, 2))
    assert found.status is Status.not_identified
    assert "3 shares" in found.reason


def mixes(gains: dict[str, dict[str, float]], seeds: int = 2) -> list[Planted]:
    return [Planted(domain_mix=name, by_domain=own, seed=seed) for name, own in gains.items() for seed in range(seeds)]


def test_transfer_is_the_ratio_of_gains_with_the_truth_in_its_interval():
    own = {name: dict.fromkeys(DOMAINS, 0.4) | {name: 1.2} for name in ("math", "logic")}
    found = ask("transfer", mixes(own), n_problems=400, seed_sd=0.02)
    table = found.tables["transfer"].set_index(["trained_on", "measured_on"])
    cell = table.loc["math", "logic"]
    truth = (population(0.4) - population(0.0)) / (population(1.2) - population(0.0))
    assert found.status is Status.answered
    assert cell["transfer_low"] <= truth <= cell["transfer_high"]
    assert cell["p_holm"] < 0.05


def test_a_mixed_control_has_its_share_of_each_gain_and_is_no_pair():
    own = {name: dict.fromkeys(DOMAINS, 0.0) | {name: 1.2} for name in ("math", "logic")}
    alone = ask("transfer", mixes(own), n_problems=400, seed_sd=0.02)
    found = ask("transfer", mixes(own | {"uniform": dict.fromkeys(DOMAINS, 0.6)}), n_problems=400, seed_sd=0.02)
    table = found.tables["transfer"].set_index(["trained_on", "measured_on"])
    truth = (population(0.6) - population(0.0)) / (population(1.2) - population(0.0))
    for domain in ("math", "logic"):
        cell = table.loc["uniform", domain]
        assert cell["transfer_low"] <= truth <= cell["transfer_high"]
        assert np.isnan(cell["p_holm"])
    assert "of 2 pairs of different domains" in found.text
    assert "of 2 pairs of different domains" in alone.text
    assert any("a control that is not tested: uniform" in note for note in found.notes)
    assert found.figures["all runs"].rows == ("logic", "math", "uniform")


def test_transfer_is_no_number_where_a_domain_does_not_gain_from_itself():
    none = {name: dict.fromkeys(DOMAINS, 0.0) for name in ("math", "logic")}
    found = ask("transfer", mixes(none, seeds=3), n_problems=64, seed_sd=0.05)
    assert found.status is Status.not_identified
    assert found.tables["transfer"]["transfer"].isna().all()
    assert found.tables["transfer"]["why_no_ratio"].str.contains("holds 0").any()


def test_without_any_transfer_few_matrices_have_a_starred_cell():
    none = {name: dict.fromkeys(DOMAINS, 0.0) for name in ("math", "logic", "stem")}
    starred = [
        (ask("transfer", mixes(none), rng=i, n_problems=80, seed_sd=0.1).tables["transfer"]["p_holm"] < 0.05).any()
        for i in range(60)
    ]
    assert np.mean(starred) <= 0.12  # binomial, 60 matrices at a family-wise 5%: at most .12 in 98%


def scales(skills: dict[int, float], *, seeds: int = 2, **more: object) -> list[Planted]:
    return [Planted(n_unique=n, skill=skill, seed=seed, **more) for n, skill in skills.items() for seed in range(seeds)]


def test_the_fewest_problems_are_found_by_each_meaning_of_enough():
    plateau = {32: 0.0, 64: 0.4, 128: 1.0, 256: 1.0, 512: 1.0}
    found = ask(
        "min_data",
        scales(plateau, domain_mix="math", steps=32),
        n_problems=600,
        n_samples=128,
        settings=Settings(margin=0.05),
    )
    assert found.status is Status.answered
    assert "a gain above 0 from 64 problems on" in found.text
    assert "within noise of 512 from 128 on" in found.text
    assert "equivalent to it within 0.05 from 128 on" in found.text


def test_being_near_the_largest_means_nothing_without_any_gain():
    found = ask("min_data", scales({64: 0.0, 512: 0.0}), seed_sd=0.1)
    assert found.status is Status.not_identified


def test_no_base_model_is_no_gain():
    found = ask("min_data", scales({64: 0.5, 512: 0.9}, base=None))
    assert found.status is Status.missing
    assert any("base model" in note for note in found.notes)


def test_a_loss_from_reuse_is_found_at_the_planted_tau():
    found = ask("reuse", scales({320: 1.0, 160: 1.0, 64: 1.0, 16: 0.2, 8: 0.0}), n_problems=200)
    assert "no loss against seeing each problem once is seen up to 5 times" in found.text
    assert "a loss from 20 times on" in found.text


@pytest.mark.parametrize("name", ["data", "marginal_return"])
def test_the_return_of_a_doubling_holds_the_truth(name):
    skills = {64: 0.0, 128: 0.2, 256: 0.4, 512: 0.6}
    truth = np.polyfit(np.log2(list(skills)), [population(skill) for skill in skills.values()], 1)[0]
    found = ask(name, scales(skills, steps=32), n_problems=200)
    (row,) = found.tables["slopes" if name == "data" else "returns"].to_dict("records")
    assert found.status is Status.answered
    assert row["low"] <= truth <= row["high"]
    assert "per doubling of problems seen from 64 to 512" in found.text


def test_a_set_larger_than_what_the_steps_draw_counts_with_what_they_drew():
    skills = {128: 0.0, 1024: 0.6}  # 20 steps of 16 draw 320
    truth = (population(0.6) - population(0.0)) / np.log2(320 / 128)
    found = ask("data", scales(skills), n_problems=400)
    (row,) = found.tables["slopes"].to_dict("records")
    assert (row["x"], row["x_min"], row["x_max"]) == ("problems seen", 128, 320)
    assert row["low"] <= truth <= row["high"]
    assert "per doubling of problems seen from 128 to 320, of sets of 128 to 1,024" in found.text
    assert found.tables["scales"][["problems_seen", "n_unique"]].to_numpy().tolist() == [[128, 128], [320, 1024]]


def test_two_sets_of_which_as_many_problems_were_seen_are_no_axis_of_data():
    found = ask("data", scales({512: 0.0, 1024: 0.6}))
    assert found.text == (
        "Not answered: no two numbers of problems were seen at the same samples or at the same reuse."
    )


def test_data_are_counted_by_the_set_and_said_to_be_where_nobody_knows_what_was_seen():
    found = ask("data", scales({64: 0.0, 128: 0.6}, row={"problems_seen": None}), n_problems=200)
    assert "doubling of problems in the set (how many were seen is not known) from 64 to 128" in found.text


def test_without_a_return_most_sweeps_leave_the_question_open():
    flat = {64: 0.0, 128: 0.0, 256: 0.0}
    decided = [
        ask("data", scales(flat), rng=i, n_problems=32, seed_sd=0.15).status is Status.answered for i in range(100)
    ]
    assert np.mean(decided) <= 0.12


def test_size_holds_the_planted_slope_and_names_runs_that_are_not_in_it():
    sizes = {100_000: 0.0, 400_000: 0.6, 1_600_000: 1.2, 6_400_000: 1.8}
    runs = [Planted(model=f"m{n}", size=n, skill=skill, seed=s) for n, skill in sizes.items() for s in range(2)]
    runs.append(Planted(model="m100000", size=100_000, seed=9, failed=True))
    found = ask("size", runs, n_problems=200, missing=("not_yet",))
    truth = np.polyfit(np.log2(list(sizes)), [population(skill) for skill in sizes.values()], 1)[0]
    (row,) = found.tables["slopes"].to_dict("records")
    assert row["low"] <= truth <= row["high"]
    assert any("1 failed" in note for note in found.notes)
    assert any("1 run of the grid has no row" in note for note in found.notes)


@pytest.mark.parametrize("name", list(QUESTIONS))
@pytest.mark.parametrize(
    "runs",
    [[Planted()], [Planted(failed=True)], [Planted(base=None, n_unique=None, n_sft=None, curriculum=None, flops=0.0)]],
)
def test_no_question_is_answered_from_one_run_without_a_curve(name, runs):
    found = ask(name, runs)
    assert found.status is not Status.answered or name in ("compute_efficiency", "stability")
    json.dumps(answer_json(found), allow_nan=False)
