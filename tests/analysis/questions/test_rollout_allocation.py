"""Planted rollouts at fixed samples: the best n and its growth found where they are, refused where rows cannot tell."""

from collections.abc import Callable

import numpy as np
import pytest

from analysis.drawing.answer import Answer, Status
from analysis.questions import QUESTIONS
from tests.analysis.questions.planted import Planted, selection

STEPS = (10, 20, 40)
PER_STEP = 128


def grid(
    skill: Callable[[int, int], float], *, ns: tuple[int, ...] = (4, 8, 16, 32), seeds: int = 2, **row: object
) -> list[Planted]:
    """Three budgets; `skill` of n and the budget's number, on a logit scale."""
    return [
        Planted(
            skill=skill(n, i),
            steps=steps,
            seed=seed,
            n_unique=steps * PER_STEP // n,
            flops=1e6 * steps,
            row={"rollout_n": n, "train_samples": steps * PER_STEP, "reuse": 1.0, **row},
        )
        for i, steps in enumerate(STEPS)
        for n in ns
        for seed in range(seeds)
    ]


def topped(first: float, growth: float, bend: float) -> Callable[[int, int], float]:
    """A quadratic in log2 n, highest at log2 n = first + growth x the budget's number."""
    return lambda n, i: 0.4 + 0.2 * i - bend * (np.log2(n) - first - growth * i) ** 2


def ask(runs: list[Planted], **world: object) -> Answer:
    return QUESTIONS["rollout_allocation"].ask(selection(runs, **world))


def test_the_planted_best_n_of_every_budget_and_its_growth_are_found():
    found = ask(grid(topped(3.0, 0.5, 0.2), seeds=3), n_problems=200, seed_sd=0.02)
    best = found.tables["best"].to_dict("records")
    (growth,) = found.tables["growth"].to_dict("records")
    assert found.status is Status.answered
    assert [row["samples"] for row in best] == [1280, 2560, 5120]
    assert all(row["low"] <= 2 ** (3.0 + 0.5 * i) <= row["high"] for i, row in enumerate(best))
    assert all(row["low"] >= 4 < row["high"] / row["low"] * 4 for row in best)
    assert growth["low"] <= 0.5 <= growth["high"]
    assert growth["low"] > 0
    assert growth["tilt_low"] > 0
    assert "it grows with compute, by 0." in found.verdict
    assert "at 1,280 samples (10 steps)" in found.text
    assert len(found.figures["all runs"].guides) == 3


def test_a_best_n_that_stays_where_it_is_has_no_growth_that_is_called_one():
    found = ask(grid(topped(3.5, 0.0, 0.2), seeds=3), n_problems=200, seed_sd=0.02)
    (growth,) = found.tables["growth"].to_dict("records")
    assert growth["low"] <= 0 <= growth["high"]
    assert "whether it moves with compute is not decided" in found.verdict


def flat(n: int, i: int) -> float:
    return 0.4 + 0.2 * i


def given(found: Answer) -> int:
    return int(found.tables["best"]["best_n"].notna().sum())


def test_where_n_makes_no_difference_no_best_n_is_given():
    found = [ask(grid(flat), rng=i, n_problems=48, seed_sd=0.05) for i in range(6)]
    assert sum(item.status is Status.not_identified for item in found) >= 5
    refused = next(item for item in found if item.status is Status.not_identified)
    assert "Not decided: no best number of responses per prompt can be given at any of 3 budgets." in refused.verdict
    assert "tried" in refused.reason
    assert "a best number is given at 0 of 3 budgets" in refused.tables["growth"]["reason"][0]


@pytest.mark.nightly
@pytest.mark.parametrize("seed_sd", [0.0, 0.1, 0.3])
def test_a_flat_truth_is_said_to_be_none_in_about_nineteen_of_twenty_sweeps(seed_sd):
    found = [ask(grid(flat), rng=i, n_problems=48, seed_sd=seed_sd) for i in range(200)]
    assert np.mean([item.status is Status.not_identified for item in found]) >= 0.92  # binomial, 200 at .95: 97%


@pytest.mark.nightly
def test_intervals_of_the_best_n_and_of_its_growth_hold_what_was_planted():
    found = [ask(grid(topped(3.0, 0.5, 0.2)), rng=i, n_problems=100, seed_sd=0.05) for i in range(200)]
    best = [
        row["low"] <= 2 ** (3.0 + 0.5 * i) <= row["high"]
        for item in found
        for i, row in enumerate(item.tables["best"].to_dict("records"))
        if row["reason"] is None
    ]
    growth = [row for item in found for row in item.tables["growth"].to_dict("records") if row["reason"] is None]
    assert len(best) >= 400
    assert np.mean(best) >= 0.90
    assert np.mean([row["low"] <= 0.5 <= row["high"] for row in growth]) >= 0.90


@pytest.mark.parametrize(("sign", "edge"), [(1, "32"), (-1, "4")])
def test_a_best_n_at_the_edge_of_those_tried_is_refused_and_the_tilt_still_given(sign, edge):
    rising = grid(lambda n, i: sign * 0.15 * np.log2(n) * (i + 1), seeds=3)
    found = ask(rising, n_problems=128, seed_sd=0.02)
    (growth,) = found.tables["growth"].to_dict("records")
    assert found.status is Status.not_identified
    assert f"highest at the edge of the numbers of responses tried ({edge}" in found.reason
    assert growth["tilt"] * sign > 0
    assert min(growth["tilt_low"] * sign, growth["tilt_high"] * sign) > 0


def test_three_numbers_of_responses_carry_no_curve():
    found = ask(grid(topped(3.0, 0.0, 0.3), ns=(4, 8, 16)))
    assert found.status is Status.not_identified
    assert "3 numbers of responses were run and a curve with a check needs 4" in found.reason
    assert len(found.tables["responses"]) == 9


def test_larger_groups_that_cost_more_samples_are_no_allocation():
    runs = [
        Planted(seed=s, row={"rollout_n": n, "train_samples": 20 * 16 * n}) for n in (4, 8, 16, 32) for s in range(2)
    ]
    found = ask(runs)
    assert found.status is Status.missing
    assert "no two numbers of responses per prompt were run with the same samples" in found.reason


def test_a_budget_of_one_n_and_runs_that_do_not_say_theirs_are_named():
    runs = [item for item in grid(topped(3.0, 0.0, 0.3)) if item.steps < 40 or item.row["rollout_n"] == 8]
    found = ask([*runs, Planted()])
    assert any("5,120 samples in 40 steps were run with one number" in note for note in found.notes)
    assert any("1 of 19 runs do not say how many responses" in note for note in found.notes)
    assert len(found.tables["best"]) == 2


def test_what_else_moves_with_n_is_said():
    def made(item: Planted) -> Planted:
        n = item.row["rollout_n"]
        return Planted(
            skill=item.skill,
            steps=item.steps,
            seed=item.seed,
            flops=(item.flops or 0) * (1.5 if n == 4 else 1),
            row={**item.row, "reuse": 32.0 / n},
        )

    found = ask([made(item) for item in grid(flat)])
    assert any("problems were seen 1 to 8 times" in note for note in found.notes)
    assert any("took up to 1.50 times the FLOPs of the cheapest" in note for note in found.notes)


def test_lost_samples_were_paid_for_and_do_not_part_a_budget():
    runs = grid(flat)
    runs[0] = Planted(
        skill=runs[0].skill,
        steps=10,
        n_unique=runs[0].n_unique,
        flops=1e7,
        row={**runs[0].row, "train_samples": 1270, "lost_samples": 10},
    )
    best = ask(runs).tables["best"]
    assert len(best) == 3
    assert best["arms"].tolist()[1:] == [4, 4]
