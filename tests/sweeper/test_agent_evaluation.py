"""An agent's trajectories in the evaluation: training's own loops, with a scripted engine in place of a model."""

import math
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from analysis.passk.interval import fixed_benchmark
from analysis.passk.sample import Sample
from sweeper.agent.record import Record
from sweeper.agent.record import trajectories as summed
from sweeper.evaluation import trajectories
from sweeper.evaluation.acting import Acting
from sweeper.evaluation.problems import Problem
from sweeper.evaluation.scoring import Answered, scored
from sweeper.evaluation.trajectories import Player
from sweeper.generation import Prompt, Sampling
from sweeper.host.errors import RunFailedError
from sweeper.rows.counts import ProblemCount, scores
from sweeper.rows.trajectories import Ended
from sweeper.spec.agent import Agent
from tests.sweeper.agents import NUMBERS, SLIP, Scripted, call, guesser, guesses_needed, halved, tokenizer, truth

CALCULATOR = Agent(name="calculator", tools=("calculator",), max_turns=4)
GAME = Agent(name="higher_lower", environment="higher_lower", max_turns=6)


def problem(name: str, text: str, gold: str, source: str = "math__own") -> Problem:
    row = {
        "prompt": [{"role": "user", "content": text}],
        "data_source": source,
        "extra_info": {"problem_id": name, "domain": source.partition("__")[0]},
        "reward_model": {"ground_truth": gold},
    }
    return Problem(problem_id=name, row=row, prompt_ids=[1])


CHAINS = [problem(f"chain-{i}", f"{i + 2}*3+1=?", str(3 * i + 7)) for i in range(12)]


def solver(text: str, rng: random.Random) -> str:
    """Multiplies and adds with a call each, with slips, and sometimes answers from its own head."""
    asked = text.partition("<|user|>")[2].partition("*")[0]
    seen = [part.partition("<|assistant|>")[0].strip() for part in text.split("<|tool|>")[1:]]
    if rng.random() < 0.15:
        return rf"\boxed{{{rng.randrange(5, 45)}}}"
    if rng.random() < 0.1:
        return "<tool_call>\nnot json\n</tool_call>"
    told = [one for one in seen if one.isdigit()]
    if not told:
        return call(f"{asked}*3")
    return call(f"{told[-1]}+1") if len(told) == 1 else rf"\boxed{{{told[-1]}}}"


def played(
    agent: Agent, policy: Any = solver, problems: Sequence[Problem] = tuple(CHAINS), n: int = 16, **others: Any
) -> list[Answered]:
    """All trajectories, in the order of problems."""
    at_once = others.pop("at_once", 10**6)
    engine = others.pop("engine", None) or Scripted(policy)
    sampling = Sampling(max_tokens=others.pop("max_tokens", 400))
    left = others.pop("left", list(range(len(problems))))

    def take(most: int) -> list[tuple[int, Prompt]]:
        taken = left[: min(most, at_once)]
        del left[: len(taken)]
        return [(place, Prompt((1,))) for place in taken]

    player = Player(Acting(agent=agent, format="hermes"), tokenizer(), "qwen2", sampling)
    return [one for some in player.answers(engine, take, problems, n) for one in some]


def counts(answered: Sequence[Answered]) -> list[ProblemCount]:
    return [one.count for one in scored(answered, [])]


def untimed(count: ProblemCount) -> ProblemCount:
    """Without the seconds that tools took, which no two runs share."""
    assert count.trajectories is not None
    return replace(count, trajectories=replace(count.trajectories, tool_cpu_s=0.0))


@pytest.fixture(scope="module")
def chains() -> list[Answered]:
    return played(CALCULATOR)


def test_tools_answer_between_turns_and_the_last_turn_alone_is_scored(chains: list[Answered]) -> None:
    found = counts(chains)
    assert all(0 < one.c < one.n == 16 for one in found)
    total = scores(found, [1])[0].trajectories
    assert total is not None
    assert 16 * len(CHAINS) == total.n == sum(total.ended.values())
    assert set(total.ended) == {"answered", "turn_limit"}
    assert total.errors > 0
    for one in chains:
        assert one.acted is not None
        for text, transcript, record in zip(one.texts, one.acted.transcripts, one.acted.records, strict=True):
            roles = [turn.role for turn in transcript.turns]
            assert roles == [("assistant", "tool")[i % 2] for i in range(len(roles))]
            assert [turn.trained for turn in transcript.turns] == [role == "assistant" for role in roles]
            assert text == (transcript.turns[-1].text if record.ended == "answered" else "")
            assert sum(turn.tokens for turn in transcript.turns if turn.trained) == record.generated
            assert transcript.tokens == record.generated + record.observed


def test_one_evaluation_gives_what_separate_ones_of_fewer_turns_give() -> None:
    whole = scores(counts(played(CALCULATOR, n=32)), [1, 4, 16])
    for turns in (1, 2, 3, 4):
        alone = scores(counts(played(replace(CALCULATOR, max_turns=turns), n=32)), [1, 4, 16])
        for score, by_then in zip(alone, whole, strict=True):
            assert score.pass_at_k == by_then.pass_at_turns[turns - 1].pass_at_k
    values = [one.pass_at_k[0].value for one in whole[0].pass_at_turns]
    assert values == sorted(values, key=lambda value: value or 0.0)
    assert len(set(values)) == 4  # every turn helps here


def test_turns_of_all_trajectories_that_act_are_drawn_together() -> None:
    engine = Scripted(solver)
    found = played(CALCULATOR, engine=engine)
    turns = Counter(record.turns for one in found if one.acted for record in one.acted.records)
    alive = [sum(n for taken, n in turns.items() if taken > played_) for played_ in range(max(turns))]
    assert [len(batch) for batch in engine.rounds] == alive


@pytest.mark.parametrize("at_once", [1, 5])
def test_counts_hang_not_on_which_problems_are_played_together(chains: list[Answered], at_once: int) -> None:
    apart = played(CALCULATOR, at_once=at_once)
    assert list(map(untimed, counts(apart))) == list(map(untimed, counts(chains)))
    assert [one.texts for one in apart] == [one.texts for one in chains]


def test_a_problem_with_more_samples_than_act_at_once_is_played_in_blocks(
    chains: list[Answered], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trajectories, "AT_ONCE", 7)
    engine = Scripted(solver)
    apart = played(CALCULATOR, engine=engine)
    assert max(map(len, engine.rounds)) == 7
    assert list(map(untimed, counts(apart))) == list(map(untimed, counts(chains)))


def test_an_evaluation_that_goes_on_where_another_ended_counts_as_one(chains: list[Answered]) -> None:
    parts = [played(CALCULATOR, left=[0, 1, 2, 5]), played(CALCULATOR, left=[3, 4, 6, 7, 8, 9, 10, 11])]
    found = sorted((one for part in parts for one in counts(part)), key=lambda one: one.problem_id)
    whole = sorted(counts(chains), key=lambda one: one.problem_id)
    assert list(map(untimed, found)) == list(map(untimed, whole))


def test_trajectories_of_two_problems_of_one_wording_are_different_ones() -> None:
    twice = [replace(CHAINS[0], problem_id=name) for name in "ab"]
    first, second = played(CALCULATOR, problems=twice, n=32)
    assert first.texts != second.texts


def ends_on_a_box(text: str, rng: random.Random) -> str:
    del text, rng
    return call("3*4")


def test_a_trajectory_that_calls_to_the_end_is_wrong_though_a_tool_said_the_answer() -> None:
    [one] = played(replace(CALCULATOR, max_turns=2), ends_on_a_box, [problem("p", "3*4=?", "12")], n=4)
    assert one.acted is not None
    assert "12" in one.acted.transcripts[0].text
    [count] = counts([one])
    assert (count.c, count.outcomes) == (0, {"turn_limit": 4})


@pytest.mark.parametrize(
    ("agent", "max_tokens", "ended"),
    [
        (replace(CALCULATOR, max_turns=3), 400, "turn_limit"),
        (replace(CALCULATOR, max_turns=9, max_calls=1), 400, "call_limit"),
        (replace(CALCULATOR, max_turns=9), 40, "context_limit"),
        (replace(CALCULATOR, max_turns=9, context=60), 400, "context_limit"),
        (replace(CALCULATOR, max_turns=9, turn_tokens=2), 400, "turn_cut"),
    ],
)
def test_every_limit_ends_a_trajectory_as_its_own_outcome(agent: Agent, max_tokens: int, ended: str) -> None:
    [one] = played(agent, ends_on_a_box, CHAINS[:1], n=4, max_tokens=max_tokens)
    [count] = counts([one])
    assert count.outcomes == {ended: 4}
    assert all(tokens <= max_tokens for tokens in one.tokens)


def test_the_prompt_that_is_counted_is_the_one_the_agent_saw(chains: list[Answered]) -> None:
    assert len(tokenizer().decode(chains[0].problem.prompt_ids).split("calculator")) == 2
    told = played(replace(CALCULATOR, tell_budget=True), problems=CHAINS[:1], n=2)
    assert "4 turns" in tokenizer().decode(told[0].problem.prompt_ids)
    [count] = counts(told)
    assert count.prompt_tokens == len(told[0].problem.prompt_ids)
    assert count.trajectories is not None
    assert count.trajectories.correct_at_turns == ()


def test_a_lost_trajectory_ends_the_evaluation_and_names_its_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(record: Any) -> Record:
        raise KeyError("nothing")

    monkeypatch.setattr(Scripted, "_sample", lambda *_: lost(None))
    with pytest.raises(RunFailedError, match=r"a trajectory of problem chain-.* was lost: KeyError"):
        played(CALCULATOR)


# Find one of N numbers in T guesses, the answer to a wrong one being `<` or `>`: its truth is known.
SECRETS = [
    problem(f"secret-{i:02}", f"1-{NUMBERS}", str(i), "logic__synthetic_higher_lower") for i in range(1, NUMBERS + 1)
]
SIMULATIONS = 200


def test_pass_at_k_and_turns_of_a_game_is_what_its_closed_form_says() -> None:
    score = scores(counts(played(GAME, guesser, SECRETS, n=64)), [1, 2, 4, 8])[0]
    for point in score.pass_at_turns:
        for one in point.pass_at_k:
            assert one.value == pytest.approx(truth(point.turns, one.k), abs=0.04)


def test_a_player_without_slips_finds_as_many_as_can_be_found() -> None:
    sure = scores(counts(played(GAME, lambda text, _: halved(text), SECRETS, n=1)), [1])[0]
    ceilings = [min(1.0, (2**turns - 1) / NUMBERS) for turns in range(1, GAME.max_turns + 1)]
    assert [point.pass_at_k[0].value for point in sure.pass_at_turns] == ceilings


def test_an_environment_gives_its_own_verdict_whatever_the_last_guess_scores() -> None:
    gold = replace(SECRETS[3], row=SECRETS[3].row | {"data_source": "nobody scores this"})
    [count] = counts(played(GAME, lambda *_: "4", [gold], n=2))
    assert count.outcomes == {"correct": 2}
    [count] = counts(played(GAME, lambda *_: "four", [gold], n=2))
    assert count.outcomes == {"wrong": 2}


@pytest.fixture(scope="module")
def simulated() -> list[list[ProblemCount]]:
    """The game evaluated again and again, by drawing how many guesses each trajectory takes."""
    rng = np.random.default_rng(0)
    return [
        [simulated_count(secret, GAME.max_turns, 64, rng) for secret in range(1, NUMBERS + 1)]
        for _ in range(SIMULATIONS)
    ]


def simulated_count(secret: int, turns: int, n: int, rng: np.random.Generator) -> ProblemCount:
    need = guesses_needed(secret)
    taken = need + rng.negative_binomial(need, 1 - SLIP, size=n)
    records = [
        Record(
            answer="",
            ended=Ended.answered if one <= turns else Ended.turn_limit,
            turns=min(int(one), turns),
            calls=0,
            errors=0,
            refused=0,
            generated=0,
            observed=0,
            prefilled_again=0,
            tool_cpu_s=0.0,
        )
        for one in taken
    ]
    acted = summed(records, [record.ended == "answered" for record in records], max_turns=turns)
    c = int((taken <= turns).sum())
    return ProblemCount(
        problem_id=str(secret),
        data_source="game",
        domain="logic",
        n=n,
        c=c,
        outcomes={"correct": c, "turn_limit": n - c},
        prompt_tokens=1,
        response_tokens=1,
        trajectories=acted,
    )


def at_turns(counts_: Sequence[ProblemCount], turns: int) -> Sample:
    found = [(one.problem_id, one.n, one.trajectories) for one in counts_]
    return Sample.of((name, n, acted.correct_at_turns[turns - 1]) for name, n, acted in found if acted is not None)


@pytest.mark.parametrize(("turns", "k"), [(2, 1), (3, 1), (4, 1), (4, 4), (6, 1)])
def test_the_interval_of_pass_at_k_and_turns_covers_its_truth_and_not_more(
    simulated: list[list[ProblemCount]], turns: int, k: int
) -> None:
    intervals = [fixed_benchmark(at_turns(one, turns), k) for one in simulated]
    covered = sum(
        one.low <= truth(turns, k) <= one.high for one in intervals if one.low is not None and one.high is not None
    )
    # Of 200 at .95: 180 to 199 in all but one of a thousand tries.
    assert 180 <= covered <= 199


@pytest.mark.parametrize("turns", [1, 3, 6])
def test_pass_at_k_and_turns_is_not_biased(simulated: list[list[ProblemCount]], turns: int) -> None:
    for k in (1, 4):
        values = []
        for one in simulated:
            point = scores(one, [k])[0].pass_at_turns[turns - 1].pass_at_k[0]
            assert point.value is not None
            values.append(point.value)
        error = np.std(values) / math.sqrt(SIMULATIONS)
        assert abs(np.mean(values) - truth(turns, k)) < 4 * error
