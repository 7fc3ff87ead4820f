"""Environments: episodes, verdicts and known ceilings."""

import itertools

import pytest

from sweeper.agent.environments.higher_lower import HigherLower, ceiling
from sweeper.agent.environments.registry import environment
from sweeper.host.errors import ConfigError
from sweeper.spec.agent import Agent, ToolLimits

AGENT = Agent(name="test", environment="higher_lower", max_turns=4)


def begun(secret: object) -> HigherLower:
    episode = HigherLower(ToolLimits())
    assert episode.reset({"reward_model": {"ground_truth": secret}}, 0) is None
    return episode


def test_a_guess_is_answered_by_where_the_secret_is() -> None:
    episode = begun("7")
    below, above, right = episode.step("3"), episode.step(" 9\n"), episode.step("\\boxed{7}")
    assert [one.observation for one in (below, above, right)] == [">", "<", "="]
    assert [(one.done, one.correct, one.ok) for one in (below, above, right)] == [
        (False, False, True),
        (False, False, True),
        (True, True, True),
    ]


@pytest.mark.parametrize("said", ["", "seven", "7 or 8", "7.0", "-7", "\u0667", "7" * 10**6, "\\boxed{7} \\boxed{8}"])
def test_what_is_no_number_ends_the_episode_without_success(said: str) -> None:
    step = begun("7").step(said)
    assert (step.done, step.correct, step.ok) == (True, False, False)


@pytest.mark.parametrize(("numbers", "turns"), list(itertools.product((1, 2, 6, 7, 8, 30, 31), (1, 2, 3, 5))))
def test_halving_reaches_the_ceiling_and_no_more(numbers: int, turns: int) -> None:
    found = 0
    for secret in range(1, numbers + 1):
        episode, low, high = begun(str(secret)), 1, numbers
        for _ in range(turns):
            guess = (low + high) // 2
            step = episode.step(str(guess))
            if step.correct:
                found += 1
                break
            low, high = (low, guess - 1) if step.observation == "<" else (guess + 1, high)
    assert found / numbers == ceiling(numbers, turns)


def test_a_row_without_a_number_to_find_is_refused() -> None:
    with pytest.raises(ConfigError, match="ground truth is a whole number, and one has 'blue'"):
        begun("blue")


def test_an_environment_that_is_not_there_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ConfigError, match="no environment 'higher_lowr'; did you mean higher_lower"):
        environment("higher_lowr", AGENT)
