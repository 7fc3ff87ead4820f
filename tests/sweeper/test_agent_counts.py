"""What an evaluation counts of an agent's trajectories, keeps of their transcripts, and makes of both."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from sweeper.agent.record import Record
from sweeper.evaluation.problems import Problem
from sweeper.evaluation.scoring import KEPT_CHARACTERS, Acted, Answered, scored
from sweeper.evaluation.transcript import KEPT_TURNS, Transcript, segments
from sweeper.host.errors import ResultsError
from sweeper.rows.base_counts import suite_digest
from sweeper.rows.counts import ProblemCount, evaluated_tokens, read_counts, scores
from sweeper.rows.passk import Count, mean_pass_at_k
from sweeper.rows.sample import VERDICTS, Turn, why
from sweeper.rows.trajectories import LIMITS, Ended, Trajectories
from tests.sweeper.points import spec

ROW = {
    "data_source": "math__own",
    "extra_info": {"domain": "math", "difficulty": 2.0},
    "reward_model": {"ground_truth": "12"},
}


def turn(text: str, *, trained: bool = True) -> Turn:
    return Turn(role="assistant" if trained else "tool", text=text, tokens=len(text), trained=trained)


def record(answer: str, turns: int, ended: Ended = Ended.answered) -> Record:
    return Record(
        answer=answer,
        ended=ended,
        turns=turns,
        calls=turns - 1,
        errors=0,
        refused=0,
        generated=3 * turns,
        observed=2 * (turns - 1),
        prefilled_again=0,
        tool_cpu_s=0.25,
    )


def answered(*trajectories: tuple[Record, Sequence[Turn]], max_turns: int = 3, name: str = "p") -> Answered:
    records = [one for one, _ in trajectories]
    return Answered(
        problem=Problem(problem_id=name, row=ROW, prompt_ids=[1, 2]),
        texts=[one.answer for one in records],
        finished=[one.ended is Ended.answered for one in records],
        tokens=[one.generated + one.observed for one in records],
        acted=Acted(
            records=records,
            transcripts=[Transcript(turns=tuple(turns)) for _, turns in trajectories],
            max_turns=max_turns,
        ),
    )


CALL, SEEN, RIGHT = turn("<call 3*4>"), turn("12", trained=False), turn(r"\boxed{12}")
FOUR = (
    (record(r"\boxed{12}", 2), [CALL, SEEN, RIGHT]),
    (record(r"\boxed{12}", 1), [RIGHT]),
    (record(r"\boxed{13}", 1), [turn(r"\boxed{13}")]),
    (record("", 3, Ended.turn_limit), [CALL, SEEN, CALL, SEEN, CALL]),
)


@pytest.fixture(scope="module")
def measured() -> ProblemCount:
    [one] = scored([answered(*FOUR)], [])
    return one.count


def test_an_unfinished_trajectory_counts_as_wrong_under_how_it_ended(measured: ProblemCount) -> None:
    assert (measured.n, measured.c) == (4, 2)
    assert measured.outcomes == {"correct": 2, "turn_limit": 1, "wrong": 1}


def test_a_transcript_that_ends_on_a_tools_boxed_answer_is_wrong() -> None:
    cut = [CALL, turn(r"\boxed{12}", trained=False)]
    for ended in LIMITS:
        [one] = scored([answered((record("", 1, ended), cut))], [])
        assert (one.count.c, one.count.outcomes) == (0, {str(ended): 1})


def test_an_unfinished_trajectory_is_wrong_whatever_a_scorer_says_of_no_text(tmp_path: Path) -> None:
    (tmp_path / "kind.py").write_text("def score(*_, **__):\n    return 1.0\n")
    [one] = scored([answered(*FOUR)], [f"{tmp_path / 'kind.py'}:score"])
    assert one.count.outcomes == {"correct": 3, "turn_limit": 1}


def test_tokens_are_what_the_model_generated_and_observed_together_and_apart(measured: ProblemCount) -> None:
    acted = measured.trajectories
    assert acted is not None
    assert (acted.generated_tokens, acted.observed_tokens) == (21, 6)
    assert measured.response_tokens == 27
    tokens = evaluated_tokens([measured])
    assert (tokens.sequences, tokens.response, tokens.total) == (4, 27, 4 * 2 + 27)


def test_right_answers_are_counted_by_the_turns_they_took(measured: ProblemCount) -> None:
    assert measured.trajectories is not None
    assert measured.trajectories.correct_at_turns == (1, 2, 2)


def test_where_the_prompt_told_the_budget_right_answers_are_counted_by_no_fewer_turns() -> None:
    [one] = scored([answered(*FOUR, max_turns=0)], [])
    assert one.count.trajectories is not None
    assert one.count.trajectories.correct_at_turns == ()
    assert one.count.c == 2
    [everything, _] = scores([one.count], [1])
    assert everything.pass_at_turns == ()
    assert everything.trajectories == one.count.trajectories


def with_turns(name: str, domain: str, at_turns: tuple[int, ...], n: int = 8) -> ProblemCount:
    acted = Trajectories(
        n=n,
        turns=2 * n,
        calls=n,
        errors=1,
        refused=0,
        used_a_tool=n,
        generated_tokens=10,
        observed_tokens=5,
        prefilled_again_tokens=7,
        tool_cpu_s=0.5,
        ended={"answered": n},
        correct_at_turns=at_turns,
    )
    return ProblemCount(
        problem_id=name,
        data_source="s",
        domain=domain,
        n=n,
        c=at_turns[-1],
        outcomes={"correct": at_turns[-1], "wrong": n - at_turns[-1]},
        prompt_tokens=3,
        response_tokens=15,
        trajectories=acted,
    )


COUNTS = [with_turns("a", "math", (0, 3, 5)), with_turns("b", "math", (0, 0, 8)), with_turns("c", "stem", (1, 1, 1))]


def test_pass_at_k_and_turns_is_the_estimator_of_pass_at_k_on_what_was_right_by_then() -> None:
    for score in scores(COUNTS, [1, 4, 16]):
        chosen = [one for one in COUNTS if score.domain in ("all", one.domain)]
        assert [point.turns for point in score.pass_at_turns] == [1, 2, 3]
        for point in score.pass_at_turns:
            right = [one.trajectories.correct_at_turns[point.turns - 1] for one in chosen if one.trajectories]
            pairs = [Count(one.n, c) for one, c in zip(chosen, right, strict=True)]
            assert [(one.k, one.value) for one in point.pass_at_k] == [
                (k, mean_pass_at_k(pairs, k)) for k in (1, 4, 16)
            ]
        assert score.pass_at_turns[-1].pass_at_k == score.pass_at_k
        assert score.trajectories == Trajectories.total(one.trajectories for one in chosen if one.trajectories)


def test_counts_of_an_agent_come_back_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "counts.jsonl"
    path.write_text("".join(json.dumps(one.plain()) + "\n" for one in COUNTS))
    assert read_counts(path) == COUNTS


def test_a_line_without_an_agent_says_nothing_of_one() -> None:
    plain = replace(COUNTS[0], trajectories=None).plain()
    assert "trajectories" not in plain
    assert plain == {name: value for name, value in asdict(COUNTS[0]).items() if name != "trajectories"}
    assert scores([replace(COUNTS[0], trajectories=None)], [1])[0].pass_at_turns == ()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"n": 7}, "trajectories of 7 samples"),
        ({"ended": {"answered": 3}}, "ended 3; there are 8"),
        ({"correct_at_turns": [3, 0, 5]}, "or falls"),
        ({"correct_at_turns": [0, 3, 6]}, "c=5"),
        ({"correct_at_turns": [-1, 3, 5]}, "goes from -1"),
        ({"correct_at_turns": list(range(20_001))}, "over 10,000 numbers"),
        ({"turns": "many"}, "turns"),
        ({"turns": None}, "turns"),
    ],
)
def test_trajectories_that_cannot_be_of_a_problem_are_refused_with_its_name(
    tmp_path: Path, changed: dict[str, Any], said: str
) -> None:
    line = COUNTS[0].plain()
    line["trajectories"] |= changed
    path = tmp_path / "counts.jsonl"
    path.write_text(json.dumps(line) + "\n")
    with pytest.raises(ResultsError, match="problem a: ") as refused:
        read_counts(path)
    assert said in str(refused.value)


def test_a_transcript_is_kept_turn_by_turn_with_what_is_trained(measured: ProblemCount) -> None:
    [one] = scored([answered(*FOUR)], [])
    first, *_, last = one.kept.verdicts
    assert first["turns"] == [asdict(turn) for turn in (CALL, SEEN, RIGHT)]
    assert (first["verdict"], first["tokens"], first["finish"]) == ("correct", 8, "stop")
    assert (last["verdict"], last["finish"], len(last["turns"])) == ("turn_limit", "length", 5)
    assert one.kept.completions[0] == r"<call 3*4>12\boxed{12}"
    assert one.kept.correct is None
    del measured


def test_a_long_transcript_is_kept_without_its_middle() -> None:
    short, long = turn("x" * 10), turn("a" * 50_000 + "z" * 50_000, trained=False)
    told = Transcript(turns=(short, long, short, long)).kept(KEPT_CHARACTERS)
    kept = [Turn(**one) for one in told["turns"]]
    assert sum(len(one.text) for one in kept) <= KEPT_CHARACTERS
    assert [one.left_out for one in kept] == [0, 100_000 - len(kept[1].text), 0, 100_000 - len(kept[3].text)]
    assert len(kept[1].text) > KEPT_CHARACTERS // 3
    assert kept[1].text[0] + kept[1].text[-1] == "az"
    assert kept[1].tokens == 100_000
    assert told["turns_left_out"] == 0


def test_of_many_turns_the_first_and_the_last_are_kept() -> None:
    turns = tuple(turn(str(number)) for number in range(1000))
    told = Transcript(turns=turns).kept(KEPT_CHARACTERS)
    assert [one["text"] for one in told["turns"]] == [
        *map(str, range(KEPT_TURNS // 2)),
        *map(str, range(1000 - KEPT_TURNS // 2, 1000)),
    ]
    assert told["turns_left_out"] == 1000 - KEPT_TURNS


@pytest.mark.parametrize("n", range(KEPT_TURNS + 3))
def test_no_turn_of_a_transcript_is_kept_twice_or_lost_untold(n: int) -> None:
    told = Transcript(turns=tuple(turn(str(number)) for number in range(n))).kept(KEPT_CHARACTERS)
    texts = [one["text"] for one in told["turns"]]
    assert len(set(texts)) == len(texts) == n - told["turns_left_out"] <= KEPT_TURNS


def test_turns_are_the_runs_of_the_mask() -> None:
    assert segments([1, 1, 0, 0, 0, 1]) == [(0, 2, True), (2, 5, False), (5, 6, True)]
    assert segments([]) == []


def test_every_way_to_end_unfinished_is_a_verdict_that_says_why() -> None:
    assert {str(ended) for ended in LIMITS} <= set(VERDICTS)
    assert all(why(ended) for ended in LIMITS)


def test_a_base_models_measurement_is_of_its_agent() -> None:
    def name(*overrides: str) -> str:
        return suite_digest(spec(*overrides), model_digest="m", data_digest="d")

    agents = ["agent=none", "agent=calculator", "agent.max_turns=2", "agent.tell_budget=true", "agent.max_calls=1"]
    found = [name("agent=calculator", one) if "." in one else name(one) for one in agents]
    assert len(set(found)) == len(agents)
    assert name() == found[0]
    assert name("agent=calculator", "training.actor_lr=1e-4") == found[1]
