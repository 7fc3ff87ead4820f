"""Turns of an agent: planted slopes are found, flat ones claimed seldom, laws refused where they do not predict."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from analysis.drawing.answer import Answer, Status
from analysis.estimates.panel import pull
from analysis.questions import QUESTIONS
from analysis.row_laws.turns_law import TurnsLaw, TurnsPoint, turns_law
from analysis.runs.acting import within_turns
from analysis.runs.ceilings import ceiling
from analysis.runs.selection import Run, Selection
from tests.analysis.questions.planted import population
from tests.analysis.questions.planted_agents import Acting, PlantedAgent, agents

RISING, FLAT = (-1.5, -0.5, 0.3, 0.8), (0.2, 0.2, 0.2, 0.2)


def asked(chosen: Selection) -> Answer:
    return QUESTIONS["agent_turns"].ask(chosen)


def ladder(*, seeds: int = 1, step: float = 0.3, skills: tuple[float, ...] = RISING) -> list[PlantedAgent]:
    return [
        PlantedAgent(
            model=f"m-{size}", size=size, seed=seed, trained=Acting(skills=tuple(skill + step * i for skill in skills))
        )
        for i, size in enumerate((1000, 4000, 16_000))
        for seed in range(seeds)
    ]


def rise_of(skills: tuple[float, ...]) -> float:
    """Slope of acc@t in log2 t over the population of problems."""
    accuracy = np.array([population(skill) for skill in skills])
    return float(pull(np.arange(1.0, len(skills) + 1)) @ accuracy)


def test_the_planted_rise_over_turns_lies_in_its_interval_as_often_as_it_should() -> None:
    truth, n, inside = rise_of(RISING), 80, 0
    for rng in range(n):
        found = asked(agents([PlantedAgent(trained=Acting(skills=RISING))], rng=rng, n_problems=40, n_samples=16))
        (row,) = found.tables["overall"].to_dict("records")
        inside += row["low"] <= truth <= row["high"]
    assert inside / n >= 0.88


def test_more_turns_are_called_better_with_the_mean_rise_over_sizes_and_how_it_changes_with_size() -> None:
    found = asked(agents(ladder(seeds=2)))
    (row,) = found.tables["overall"].to_dict("records")
    assert found.status is Status.answered
    assert found.verdict.startswith("More turns are better: pass@1 rises by 0.")
    assert "averaged over 3 configurations" in found.verdict
    rises = found.tables["rises"]["per_doubling"]
    assert row["per_doubling"] == pytest.approx(rises.mean())
    assert row["per_doubling_of_size"] == pytest.approx((rises.iloc[2] - rises.iloc[0]) / 4)


def test_turns_that_add_nothing_are_claimed_to_add_nothing() -> None:
    found = asked(agents([PlantedAgent(trained=Acting(skills=FLAT))]))
    assert found.verdict.startswith("Not decided: pass@1 changes by 0")
    assert found.status is Status.not_identified


def test_fewer_turns_are_counted_on_the_same_trajectories() -> None:
    chosen = agents([PlantedAgent()])
    surface = asked(chosen).tables["surface"].set_index(["turns", "k"])
    counts = chosen.runs[0].trained
    assert counts is not None
    for turns in (1, 2, 3, 4):
        right = [item.correct_at_turns[turns - 1] / item.n for item in counts.trajectories if item]
        assert surface.loc[(turns, 1), "pass_at_k"] == pytest.approx(np.mean(right))
    assert surface.loc[(4, 1), "pass_at_k"] == pytest.approx(np.mean(np.array(counts.c) / np.array(counts.n)))


def test_turns_are_counted_apart_for_problems_that_need_more_calls() -> None:
    plain = asked(agents([PlantedAgent(settings={"data.tasks": "answers"})]))
    assert "turns_by_need" not in plain.tables  # nothing says how many calls its problems need
    chosen = agents([PlantedAgent()])
    table = asked(chosen).tables["turns_by_need"].set_index(["calls_needed", "turns"])
    counts = chosen.runs[0].trained
    assert counts is not None
    for need in (1, 2, 3):
        at = [i for i, level in enumerate(counts.difficulties) if level == need]
        right = [item.correct_at_turns[1] / item.n for i, item in enumerate(counts.trajectories) if item and i in at]
        assert table.loc[(need, 2), "problems"] == len(at)
        assert table.loc[(need, 2), "pass1"] == pytest.approx(np.mean(right))


def test_runs_without_an_agent_are_no_answer() -> None:
    found = asked(agents([PlantedAgent(agent=None)]))
    assert found.status is Status.missing
    assert "no completed run has an agent (agent=NAME" in found.text


def test_a_prompt_that_tells_the_budget_leaves_fewer_turns_unmeasured() -> None:
    found = asked(agents([PlantedAgent(trained=Acting(tells_budget=True))]))
    assert found.status is Status.missing
    assert "tells the budget (agent.tell_budget), so acc@t is not what it says" in found.text


def test_a_run_without_counts_of_turns_is_named() -> None:
    chosen = agents([PlantedAgent()])
    bare = replace(chosen, runs=tuple(Run(row=run.row, trained=None, base=None) for run in chosen.runs))
    found = asked(bare)
    assert found.status is Status.missing
    assert f"{chosen.runs[0].row.run_id} has no counts of right answers by turns" in found.text
    with pytest.raises(ValueError, match="was not measured within 2 turns"):
        within_turns(bare.runs[0], 2)


def test_runs_trained_with_different_turns_are_compared_each_with_its_own() -> None:
    told = [PlantedAgent(trained=Acting(skills=RISING[:most], tells_budget=True)) for most in (1, 2, 4)]
    found = asked(agents(told))
    table = found.tables["trained_turns"]
    assert list(table["max_turns"]) == [1, 2, 4]
    assert list(table["pass1"]) == sorted(table["pass1"])
    assert found.status is Status.answered
    assert found.verdict.startswith("Training with more turns gives more in 1 of 1 settings and less in 0")


def points(error: Callable[[int, int, float], float], *, flops: bool = False, sd: float = 0.01) -> list[TurnsPoint]:
    rng = np.random.default_rng(0)
    return [
        TurnsPoint(
            model=f"m{size}",
            size=size,
            turns=turns,
            flops=compute if flops else None,
            error=float(error(size, turns, compute) * np.exp(rng.normal(0, sd))),
        )
        for size in (1000, 4000, 16_000, 64_000)
        for turns in (1, 2, 3, 4)
        for compute in (1e9, 1e11, 1e13)
    ]


def test_a_product_of_powers_is_recovered_and_predicts_size_and_turns_that_it_never_saw() -> None:
    law = turns_law(points(lambda n, t, _: 2 * n**-0.1 * t**-0.4))
    assert isinstance(law, TurnsLaw)
    assert law.predicts
    for name, truth in (("size", 0.1), ("turns", 0.4)):
        low, high = law.exponents[name].low, law.exponents[name].high
        assert low is not None
        assert high is not None
        assert low <= truth <= high
    assert not law.with_compute


def test_compute_is_a_factor_of_its_own_where_it_moves_apart_from_size() -> None:
    law = turns_law(points(lambda n, t, c: 3 * n**-0.1 * t**-0.4 * c**-0.03, flops=True))
    assert isinstance(law, TurnsLaw)
    assert law.with_compute
    assert law.predicts
    assert law.exponents["compute"].value == pytest.approx(0.03, abs=0.01)


def test_a_law_is_not_given_where_the_last_value_is_nearer() -> None:
    law = turns_law(points(lambda n, t, _: 0.9 - 0.2 * min(t, 3) / 3 - 0.1 * (n > 2000)))
    assert isinstance(law, TurnsLaw)
    assert not law.predicts


def test_an_answer_gives_no_exponent_of_a_law_that_does_not_predict() -> None:
    runs = ladder(step=0.0, skills=(-1.5, 0.5, 0.6, 0.6))
    found = asked(agents(runs, n_problems=120))
    assert "exponent_of" not in found.tables["turns_law"]
    assert "predicts no better than the last value" in found.text
    assert found.verdict.endswith("; no law of it beats the last value.")


def test_the_last_value_of_a_held_out_size_is_that_of_the_next_smaller_at_the_same_turns() -> None:
    law = turns_law(points(lambda n, t, _: 1 / t - n / 1e6, sd=0.0))
    assert isinstance(law, TurnsLaw)
    by_size, by_turns = law.held_out
    assert by_size.last_value_mae == pytest.approx((64_000 - 16_000) / 1e6)
    assert by_turns.last_value_mae == pytest.approx(1 / 3 - 1 / 4)


def test_too_few_sizes_or_turns_carry_no_law() -> None:
    few = [item for item in points(lambda _, t, __: 0.5 / t) if item.size < 5000]
    assert "2 sizes and 4 numbers of turns" in str(turns_law(few))


def test_the_ceiling_of_a_game_stands_beside_what_was_reached() -> None:
    game = {"agent.environment": "higher_lower"}
    chosen = agents([PlantedAgent(agent="higher_lower", settings=game)])
    # Levels 1, 2, 3 hide one of 4 to 7, 8 to 15, 16 to 31 numbers.
    expected = np.mean([np.mean([min(1, 3 / n) for n in range(2**k, 2 ** (k + 1))]) for k in (2, 3, 4)])
    assert ceiling(chosen.runs[0], 2) == pytest.approx(expected)
    assert ceiling(chosen.runs[0], 5) == 1.0
    surface = asked(chosen).tables["surface"].set_index(["turns", "k"])
    assert surface.loc[(2, 1), "ceiling"] == pytest.approx(expected)
    labels = [trace.label for trace in asked(chosen).figures["turns all runs"].traces]  # type: ignore[union-attr]
    assert "ceiling of the environment" in labels
    assert ceiling(agents([PlantedAgent()]).runs[0], 2) is None
