"""Use of a tool: planted shares and calls are found, need is claimed only where it is known, refusals in words."""

from dataclasses import replace

import numpy as np
import pytest

from analysis.drawing.answer import Answer, Stacks, Status
from analysis.questions import QUESTIONS
from analysis.runs.selection import Run, Selection
from tests.analysis.questions.planted_agents import Acting, PlantedAgent, agents, along

OFTEN, SELDOM = Acting(use=0.9), Acting(use=0.5)


def asked(chosen: Selection) -> Answer:
    return QUESTIONS["tool_use"].ask(chosen)


def rate(found: Answer, name: str) -> dict[str, float]:
    (row,) = found.tables["tool_use"].query("rate == @name").to_dict("records")
    return {str(key): value for key, value in row.items()}


def test_the_planted_change_of_use_lies_in_its_interval_as_often_as_it_should() -> None:
    n, inside = 80, 0
    for rng in range(n):
        run = PlantedAgent(size=1000 + rng, trained=OFTEN, base=SELDOM)
        row = rate(asked(agents([run], rng=rng, n_problems=40, n_samples=16)), "share that uses a tool")
        inside += row["difference_low"] <= 0.4 <= row["difference_high"]
    assert inside / n >= 0.88


def test_a_use_that_did_not_change_is_seldom_called_changed() -> None:
    claimed = 0
    for rng in range(60):
        run = PlantedAgent(size=1000 + rng, trained=OFTEN, base=OFTEN)
        found = asked(agents([run], rng=rng, n_problems=30, n_samples=16))
        claimed += "does not clearly change" not in found.verdict
    assert claimed / 60 <= 0.12


def test_the_verdict_names_the_share_before_and_after_with_their_intervals() -> None:
    found = asked(agents([PlantedAgent(trained=OFTEN, base=SELDOM)]))
    assert found.verdict.startswith("Training raises the share of trajectories with a tool: 0.")
    lower = asked(agents([PlantedAgent(trained=SELDOM, base=OFTEN)]))
    assert lower.verdict.startswith("Training lowers the share of trajectories with a tool: 0.")
    two = [PlantedAgent(model=f"m-{size}", size=size, trained=OFTEN, base=SELDOM) for size in (1000, 2000)]
    assert asked(agents(two)).verdict.startswith(
        "Training clearly raises the use of tools in 2 and lowers it in 0 of 2 configurations"
    )


def test_too_few_calls_are_said_on_the_levels_that_get_too_few() -> None:
    half = Acting(use=1.0, calls_per_need=0.5)
    found = asked(agents([PlantedAgent(trained=half)], n_problems=90))
    assert list(found.tables["need"]["calls_needed"]) == [1, 2, 3]
    assert set(found.tables["need"]["verdict"]) == {"too few calls"}
    assert found.tables["need"]["calls"].to_numpy() == pytest.approx([0.5, 1.0, 1.5], abs=0.08)
    assert "calls are clearly too few on 3 of 3 levels." in found.verdict
    assert "most on problems of 3" in found.text


@pytest.mark.parametrize("tools", [["python"], ["calculator", "my.py:tool"]])
def test_fewer_calls_of_a_tool_that_may_take_several_steps_are_no_lack(tools: list[str]) -> None:
    chosen = agents([PlantedAgent(trained=Acting(use=1.0, calls_per_need=0.5))], n_problems=90)
    rows = [replace(run.row, settings={**(run.row.settings or {}), "agent.tools": tools}) for run in chosen.runs]
    found = asked(
        replace(chosen, runs=tuple(replace(run, row=row) for run, row in zip(chosen.runs, rows, strict=True)))
    )
    assert set(found.tables["need"]["verdict"]) == {"fewer calls, each of several steps"}
    assert "too few" not in found.verdict + found.text
    assert "one of Python may be several" in " ".join(found.notes)


def test_as_many_calls_as_needed_are_seldom_called_too_few() -> None:
    enough, claimed = Acting(use=1.0, calls_per_need=1.0), 0
    for rng in range(60):
        found = asked(agents([PlantedAgent(trained=enough)], rng=rng, n_problems=60, n_samples=16))
        claimed += "too few calls" in set(found.tables["need"]["verdict"])
    assert claimed / 60 <= 0.12


def test_a_model_that_never_calls_makes_too_few_calls_though_nothing_varies() -> None:
    found = asked(agents([PlantedAgent(trained=Acting(use=0.0))]))
    assert set(found.tables["need"]["verdict"]) == {"too few calls"}
    few = asked(agents([PlantedAgent(trained=Acting(use=0.0))], n_problems=9))  # three of each level
    assert set(few.tables["need"]["verdict"]) == {"not clear"}


@pytest.mark.parametrize("settings", [{"agent.environment": "higher_lower"}, {"data.tasks": "answers"}])
def test_need_is_not_claimed_where_a_level_is_no_number_of_calls(settings: dict[str, str]) -> None:
    found = asked(agents([PlantedAgent(settings=settings)]))
    assert "need" not in found.tables
    assert any("is known of the synthetic tasks of tools alone" in note for note in found.notes)


def test_how_trajectories_end_is_shown_and_what_never_happened_is_named() -> None:
    found = asked(agents([PlantedAgent()]))
    figure = found.figures["ended"]
    assert isinstance(figure, Stacks)
    assert [line.label for line in figure.lines] == ["m-1, before RL", "m-1, after RL"]
    assert all(sum(line.shares) == pytest.approx(1.0) for line in figure.lines)
    assert "ends without an answer, most by turn limit" in found.text
    assert any(note.startswith("Left out, being 0 everywhere: refused calls") for note in found.notes)


def test_along_training_first_and_last_steps_are_described() -> None:
    shares = [0.5, 0.5, 0.5, 0.5, 0.5, 0.7, 1.0, 1.0, 1.0, 1.0, 1.0]
    found = asked(agents([PlantedAgent(row={"curve": along(shares)})]))
    table = found.tables["along_training"].set_index("rate")
    assert table.loc["share that uses a tool", "first_steps"] == pytest.approx(0.5)
    assert table.loc["share that uses a tool", "last_steps"] == pytest.approx(1.0)
    assert "along" in found.figures


def test_without_a_base_model_the_change_is_not_identified() -> None:
    found = asked(agents([PlantedAgent(base=None)]))
    assert found.status is Status.not_identified
    assert found.reason == "no base model was measured with the agent"
    assert found.verdict.startswith("A tool is used in 0.")


def test_no_agent_and_no_trajectories_are_two_reasons() -> None:
    assert "no completed run has an agent" in asked(agents([PlantedAgent(agent=None)])).text
    chosen = agents([PlantedAgent()])
    bare = replace(chosen, runs=tuple(Run(row=run.row, trained=None, base=None) for run in chosen.runs))
    assert "no run has per-problem counts of its trajectories" in asked(bare).text


def test_calls_of_a_level_are_those_of_its_problems() -> None:
    chosen = agents([PlantedAgent()])
    counts = chosen.runs[0].trained
    assert counts is not None
    table = asked(chosen).tables["need"].set_index("calls_needed")
    own = [
        item.calls / item.n
        for item, level in zip(counts.trajectories, counts.difficulties, strict=True)
        if item is not None and level == 2
    ]
    assert table.loc[2, "calls"] == pytest.approx(np.mean(own))
