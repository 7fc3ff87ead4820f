"""What a tool adds: planted gains at every budget, none claimed where samples alone explain it, refusals in words."""

from dataclasses import replace

import numpy as np
import pytest

from analysis.drawing.answer import Answer, Status
from analysis.questions import QUESTIONS
from analysis.runs.selection import Selection, series_of
from sweeper.rows.passk import pass_at_k
from tests.analysis.questions.planted import population
from tests.analysis.questions.planted_agents import Acting, PlantedAgent, agents

TOOL, PLAIN = Acting(skills=(-1.0, 0.0, 0.8)), Acting(skills=(-0.5,), tokens=9)


def asked(chosen: Selection) -> Answer:
    return QUESTIONS["tool_gain"].ask(chosen)


def both(tool: Acting = TOOL, plain: Acting = PLAIN, *, seeds: int = 1, sizes: int = 1) -> list[PlantedAgent]:
    return [
        PlantedAgent(agent=agent, trained=acting, seed=seed, model=f"m-{size}", size=size, per_answer=cost)
        for size in [1000 * 4**i for i in range(sizes)]
        for seed in range(seeds)
        for agent, acting, cost in (("calculator", tool, 3e6), (None, plain, 1e6))
    ]


def at(found: Answer, budget: str) -> dict[str, float]:
    (row,) = found.tables["tool_gains"].query("held_equal == @budget").to_dict("records")
    return {str(name): value for name, value in row.items()}


def test_the_planted_gain_lies_in_its_interval_as_often_as_it_should() -> None:
    truth, n, inside = population(0.8) - population(-0.5), 80, 0
    for rng in range(n):
        row = at(asked(agents(both(), rng=rng, n_problems=40, n_samples=16)), "equal samples")
        inside += row["low"] <= truth <= row["high"]
    assert inside / n >= 0.88


def test_at_equal_tokens_the_cheaper_arm_draws_as_many_samples_as_cost_the_same() -> None:
    chosen = agents(both())
    row = at(asked(chosen), "equal generated tokens")
    assert (row["samples_of_agent"], row["samples_of_none"]) == (1.0, pytest.approx(24 / 9))
    tool, plain = (run.trained for run in chosen.runs)
    assert tool is not None
    assert plain is not None
    two, three = (np.mean([pass_at_k(n, c, k) for n, c in zip(plain.n, plain.c, strict=True)]) for k in (2, 3))
    mixed = two / 3 + three * 2 / 3
    assert row["difference"] == pytest.approx(np.mean(np.array(tool.c) / np.array(tool.n)) - mixed)
    assert at(asked(chosen), "equal FLOPs of answering")["samples_of_none"] == pytest.approx(3.0)


def test_a_tool_that_gives_no_more_than_as_many_samples_gains_at_equal_samples_alone() -> None:
    three = Acting(skills=(-0.5,) * 3, copies=3, tokens=27)
    claimed, gained = 0, 0
    for rng in range(60):
        found = asked(agents(both(three), rng=rng, n_problems=40, n_samples=16))
        claimed += at(found, "equal generated tokens")["p_holm"] < 0.05
        gained += at(found, "equal samples")["p_holm"] < 0.05
    assert claimed / 60 <= 0.12
    assert gained == 60


def test_a_tool_without_a_gain_is_seldom_called_better_over_several_sizes() -> None:
    same, claimed = Acting(skills=(-0.5,) * 3, tokens=9), 0
    for rng in range(60):
        runs = [replace(item, per_answer=1e6) for item in both(same, sizes=3)]
        found = asked(agents(runs, rng=rng, n_problems=30, n_samples=16))
        claimed += found.status is Status.answered
    assert claimed / 60 <= 0.12


def test_a_tool_that_is_dearer_than_its_gain_is_said_to_lose_at_equal_tokens() -> None:
    found = asked(agents(both(Acting(skills=(-0.5, -0.2, 0.0), tokens=72), seeds=2)))
    assert at(found, "equal samples")["difference"] > 0
    assert at(found, "equal generated tokens")["high"] < 0
    assert found.verdict.startswith("With calculator the model gains 0.")
    assert ", but -0." in found.verdict
    assert found.verdict.endswith(" at equal generated tokens.")


def test_several_sizes_are_counted_with_holms_correction() -> None:
    found = asked(agents(both(sizes=3, seeds=2)))
    assert found.verdict.startswith("An agent clearly gains in 3 of 3 at equal samples and ")
    assert found.verdict.endswith("loses in none (Holm over 12).")
    assert len(found.tables["tool_gains"]) == 12
    assert [note.partition(": ")[0] for note in found.notes if "common problems" in note] == [
        f"m-{1000 * 4**i}" for i in range(3)
    ]


def test_runs_without_an_agent_are_called_so_beside_runs_with_one_however_many_they_are() -> None:
    chosen = agents([*both(), replace(both()[1], seed=1), replace(both()[1], seed=2)])
    assert set(series_of(chosen.runs).values()) == {"calculator", "no agent"}


def test_more_samples_than_were_drawn_are_no_number() -> None:
    found = asked(agents(both(Acting(skills=(0.5, 0.8), tokens=900)), n_samples=32))
    row = at(found, "equal generated tokens")
    assert np.isnan(row["difference"])
    assert row["why_no_difference"] == "it takes 100 samples per problem, and fewer were drawn"
    assert "; equal generated tokens cannot be compared" in found.verdict


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        ([PlantedAgent(agent=None)], "no completed run has an agent"),
        ([PlantedAgent()], "every run has an agent: a gain needs the same runs with agent=none"),
        (
            [PlantedAgent(), PlantedAgent(agent=None, row={"algorithm": "ppo"})],
            "no run with an agent has a partner without one and with otherwise the same settings: they differ in "
            "algorithm",
        ),
    ],
)
def test_without_a_pair_there_is_no_gain_and_the_reason_is_said(runs: list[PlantedAgent], said: str) -> None:
    found = asked(agents(runs))
    assert found.status is Status.missing
    assert said in found.text


def test_agents_of_one_name_are_told_apart_by_their_settings() -> None:
    runs = [
        PlantedAgent(agent="python", settings={"agent.feedback": feedback}, trained=TOOL) for feedback in (True, False)
    ]
    found = asked(agents([*runs, PlantedAgent(agent=None, trained=PLAIN)]))
    names = set(found.tables["tool_gains"]["agent"])
    assert names == {"python, feedback true", "python, feedback false"}
