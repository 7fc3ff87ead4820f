"""Trajectories in an environment: actions, observations, and the environment's verdict."""

import time
from typing import Any

import pytest

from sweeper.agent.environments.environment import Step
from sweeper.spec.agent import Agent, ToolLimits
from tests.sweeper.played import Script, play, record, shown, tokenizer

GAME = Agent(name="higher_lower", environment="higher_lower", max_turns=3)
ROW = {"reward_model": {"ground_truth": "37"}, "extra_info": {"problem_id": "p1"}}


@pytest.fixture(scope="module")
def made() -> Any:
    return tokenizer()


def test_every_turn_is_an_action_and_what_it_did_is_observed_and_masked(made: Any) -> None:
    output = play(["50", "25", "37"], GAME, made=made, prompt="1-64", row=ROW)
    assert made.decode(output.prompt_ids) == "<|user|>1-64<|assistant|>"
    assert shown(output, made) == [
        ("50<|im_end|>", 1), ("\n<|user|><<|assistant|>", 0), ("25<|im_end|>", 1), ("\n<|user|>><|assistant|>", 0),
        ("37<|im_end|>", 1),
    ]  # fmt: skip
    found = record(output)
    assert (found["ended"], found["correct"], found["turns"], found["calls"], found["errors"]) == (
        "answered", True, 3, 3, 0,
    )  # fmt: skip


def test_an_episode_that_is_not_over_at_the_last_turn_has_no_verdict(made: Any) -> None:
    found = record(play(["1", "2", "3"], GAME, made=made, row=ROW))
    assert (found["ended"], found["correct"], found["answer"], found["calls"]) == ("turn_limit", None, "", 3)


def test_an_action_that_the_environment_does_not_know_counts_as_an_error(made: Any) -> None:
    found = record(play(["what?"], GAME, made=made, row=ROW))
    assert (found["ended"], found["correct"], found["errors"], found["calls"]) == ("answered", False, 1, 1)


class Room:
    """Shows a prompt of its own, and hangs or raises where it is told to."""

    version = "test"
    seeds: list[int]
    closed: int

    def __init__(self, limits: ToolLimits) -> None:
        del limits

    def reset(self, row: Any, seed: int) -> str:
        del row
        type(self).seeds.append(seed)
        return "a room"

    def step(self, text: str) -> Step:
        if text == "hang":
            time.sleep(1.5)
        if text == "raise":
            raise ZeroDivisionError("by zero")
        return Step("y" * 500, done=text == "out", correct=True, cpu_s=0.5)

    def close(self) -> None:
        type(self).closed += 1


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> type[Room]:
    made = type("Room", (Room,), {"seeds": [], "closed": 0})
    monkeypatch.setattr("sweeper.agent.environment.environment", lambda *_: made)
    return made


def test_an_environment_may_show_a_prompt_of_its_own_and_its_observations_are_cut(made: Any, room: type[Room]) -> None:
    output = play(["in", "out"], Agent(environment="room", max_turns=3, observation_chars=9), made=made)
    assert made.decode(output.prompt_ids) == "<|user|>a room<|assistant|>"
    assert shown(output, made)[1] == ("\n<|user|>yy[...]yy<|assistant|>", 0)
    assert (record(output)["tool_cpu_s"], room.closed) == (1.0, 1)


def test_all_who_play_a_problem_play_the_same_episode(made: Any, room: type[Room]) -> None:
    agent = Agent(environment="room", max_turns=3)
    for problem in ("p1", "p1", "p2"):
        play(["out"], agent, made=made, row={"extra_info": {"problem_id": problem}})
    assert room.seeds[0] == room.seeds[1] != room.seeds[2]


@pytest.mark.parametrize(("action", "error"), [("hang", RuntimeError), ("raise", ZeroDivisionError)])
def test_a_broken_environment_costs_the_trajectory_and_is_closed(
    action: str, error: type[Exception], made: Any, room: type[Room]
) -> None:
    agent = Agent(environment="room", max_turns=3, limits=ToolLimits(wall_s=0.05))
    with pytest.raises(error):
        play([action], agent, made=made)
    assert room.closed == 1


def test_a_step_beyond_the_budget_of_calls_ends_the_episode(made: Any) -> None:
    agent = Agent(environment="higher_lower", max_turns=4, max_calls=1)
    script = Script(made, ["1", "2"])
    found = record(play([], agent, made=made, row=ROW, server=script))
    assert (found["ended"], found["calls"], found["refused"]) == ("call_limit", 1, 1)
