"""Tasks to act in: right, disjoint, graded, and their conversations true to what tools say."""

import hashlib
import itertools
import json
import random
import re
from collections import Counter

import pytest

from data_prep.spec import DataError, DataSpec, Tasks
from data_prep.synthetic import lookup
from data_prep.synthetic.problem import Problem
from data_prep.synthetic.tasks import Split, problems, side_of, split_of, task_domains
from data_prep.synthetic.warm_start import conversation_rows
from rewards import Domain, ScoreItem, score_batch

DOMAINS = task_domains(Tasks.agent)
ROWS = 1200


def draw(domain: Domain, split: Split, n: int, seed: int = 0) -> list[Problem]:
    return list(itertools.islice(problems(domain, split, seed=seed, tasks=Tasks.agent), n))


def talks(error_rate: float = 0.3, tool_share: float = 0.5, seed: int = 0) -> list[dict[str, object]]:
    return conversation_rows(ROWS, seed=seed, error_rate=error_rate, tool_share=tool_share)


def messages(row: dict[str, object]) -> list[dict[str, str]]:
    found = row["messages"]
    assert isinstance(found, list)
    return found


def last(row: dict[str, object]) -> str:
    return messages(row)[-1]["content"]


def asked(row: dict[str, object]) -> str:
    return next(message["content"] for message in messages(row) if message["role"] == "user")


def calls_of(row: dict[str, object]) -> list[tuple[str, dict[str, str], str]]:
    """Each call's tool and arguments, and what came back."""
    found = []
    for said, seen in itertools.pairwise(messages(row)):
        call = (
            re.fullmatch(r"<tool_call>\n(.*)\n</tool_call>", said["content"]) if said["role"] == "assistant" else None
        )
        if call:
            assert seen["role"] == "tool"
            read = json.loads(call[1])
            found.append((read["name"], read["arguments"], seen["content"]))
    return found


def test_the_domains_that_have_tasks_to_act_in_are_three() -> None:
    assert set(DOMAINS) == {Domain.MATH, Domain.LOGIC, Domain.STEM}
    with pytest.raises(
        DataError, match=r"no synthetic tasks for domain code .* with data\.tasks=agent.*math, logic, stem"
    ):
        next(problems(Domain.CODE, Split.TRAIN, seed=0, tasks=Tasks.agent))


def test_a_folder_has_no_tasks_to_act_in() -> None:
    with pytest.raises(DataError, match=r"data\.tasks=agent chooses synthetic tasks, and data_root=/x"):
        DataSpec(root="/x", tasks=Tasks.agent)


@pytest.mark.parametrize("domain", DOMAINS)
def test_the_gold_scores_one_and_every_mistake_zero(domain: Domain) -> None:
    drawn = draw(domain, Split.TRAIN, 300)
    answers = [(one, text) for one in drawn for text in (one.solution, *one.mistakes)]
    items = [
        ScoreItem(data_source=one.data_source, solution_str=text, ground_truth=one.ground_truth)
        for one, text in answers
    ]
    assert [score["score"] for score in score_batch(items)] == [float(text == one.solution) for one, text in answers]
    assert all(one.mistakes for one in drawn)


@pytest.mark.parametrize("domain", DOMAINS)
def test_train_and_held_out_problems_differ_whatever_the_seeds(domain: Domain) -> None:
    train = {one.prompt for seed in (0, 1) for one in draw(domain, Split.TRAIN, 200, seed)}
    held_out = {one.prompt for one in draw(domain, Split.HELD_OUT, 96, 2)}
    assert len(held_out) == 96
    assert not train & held_out


@pytest.mark.parametrize("domain", DOMAINS)
def test_the_largest_scale_of_the_ladder_and_its_evaluation_can_be_drawn(domain: Domain) -> None:
    assert len({one.prompt for one in draw(domain, Split.TRAIN, 1024)}) == 1024
    assert len({one.prompt for one in draw(domain, Split.HELD_OUT, 96)}) == 96


def test_a_chain_needs_as_many_operations_as_its_level() -> None:
    for one in draw(Domain.MATH, Split.TRAIN, 200):
        expression = one.prompt.removesuffix("=?")
        assert len(re.findall(r"[-+*]", expression)) == one.level
        assert re.fullmatch(r"[-+*\d]+", expression)
        assert str(eval(expression)) == one.ground_truth
        assert int(one.ground_truth) >= 0


def test_a_look_up_needs_as_many_facts_as_its_level_and_they_lead_to_the_gold() -> None:
    known = {fact["title"]: fact["text"] for fact in lookup.facts()}
    for split in Split:
        for one in draw(Domain.STEM, split, 150):
            *relations, name = one.prompt.removesuffix("?").split(" of ")
            assert len(relations) == one.level
            for relation in reversed(relations):
                name = known[f"{relation} of {name}"]
            assert name == one.ground_truth


def test_no_fact_that_a_held_out_look_up_needs_is_trained_on() -> None:
    def names(prompts: list[str]) -> set[str]:
        known, found = {fact["title"]: fact["text"] for fact in lookup.facts()}, set()
        for prompt in prompts:
            *relations, name = prompt.removesuffix("?").split(" of ")
            found.add(name)
            for relation in reversed(relations):
                found.add(name := known[f"{relation} of {name}"])
        return found

    held_out = names([one.prompt for one in draw(Domain.STEM, Split.HELD_OUT, 300)])
    train = names([one.prompt for one in draw(Domain.STEM, Split.TRAIN, 600)])
    looked_up = [row for row in talks() if row["data_source"] == lookup.DATA_SOURCE]
    warm = set(re.findall(r"[A-Z][a-z]+", " ".join(one["content"] for row in looked_up for one in messages(row))))
    assert len(warm) > 700
    assert not held_out & train
    assert not held_out & warm
    assert not train & warm


def test_titles_of_facts_are_the_only_ones_of_their_name() -> None:
    titles = [fact["title"] for fact in lookup.facts()]
    assert len(titles) == len(set(titles)) == 201 * 2 * 4


def test_a_games_number_is_in_its_range_and_the_range_is_that_of_its_level() -> None:
    for one in draw(Domain.LOGIC, Split.TRAIN, 300):
        low, high = map(int, one.prompt.split("-"))
        assert low <= int(one.ground_truth) <= high
        assert 2 ** (one.level + 1) <= high - low + 1 < 2 ** (one.level + 2)


def test_a_games_number_says_nothing_of_where_it_is() -> None:
    places = [
        (int(one.ground_truth) - int(low)) / (int(high) - int(low))
        for one in draw(Domain.LOGIC, Split.TRAIN, 1000)
        for low, high in [one.prompt.split("-")]
    ]
    assert sum(places) / len(places) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_longer_draw_of_these_begins_with_the_shorter(domain: Domain) -> None:
    assert draw(domain, Split.TRAIN, 90)[:40] == draw(domain, Split.TRAIN, 40)


@pytest.mark.parametrize(("error_rate", "tool_share"), [(0.3, 0.5), (0.0, 1.0), (1.0, 0.0)])
def test_the_warm_start_holds_exactly_the_stated_shares(error_rate: float, tool_share: float) -> None:
    rows = talks(error_rate, tool_share)
    assert sum(not row["is_correct"] for row in rows) == ROWS * error_rate
    plain = [row for row in rows if row["data_source"] != "logic__synthetic_higher_lower"]
    calling = sum(bool(calls_of(row)) for row in plain)
    assert calling == pytest.approx(len(plain) * tool_share, abs=40 if 0 < tool_share < 1 else 0)


def test_the_warm_start_is_the_same_for_a_seed_and_another_for_another() -> None:
    assert talks() == talks()
    assert talks() != talks(seed=1)


def test_the_warm_starts_labels_are_what_the_scorers_say() -> None:
    chains = [row for row in talks(error_rate=0.5) if row["data_source"] == "math__synthetic_chain"]
    rng = random.Random(0)
    looked_up = [lookup.conversation(1 + n % 3, rng, calls=n % 4 < 2, slips=n % 2 == 0) for n in range(300)]
    judged = [(row, str(eval(asked(row).removesuffix("=?")))) for row in chains]
    judged += [(one.row, one.problem.ground_truth) for one in looked_up]
    items = [
        ScoreItem(data_source=str(row["data_source"]), solution_str=last(row), ground_truth=gold)
        for row, gold in judged
    ]
    assert len(chains) == ROWS // 2
    assert [score["score"] for score in score_batch(items)] == [float(bool(row["is_correct"])) for row, _ in judged]


def test_a_look_up_without_a_slip_copies_each_query_and_the_answer_from_what_was_said_before() -> None:
    rng = random.Random(0)
    for level in (1, 2, 3) * 30:
        row = lookup.conversation(level, rng, calls=True, slips=False).row
        *relations, name = asked(row).removesuffix("?").split(" of ")
        calls = calls_of(row)
        assert len(calls) == level
        for relation, (tool, arguments, seen) in zip(reversed(relations), calls, strict=True):
            assert tool == lookup.SEARCH
            assert arguments["query"] == f"{relation} of {name}"
            title, _, name = seen.partition(": ")
            assert title == arguments["query"]
        assert last(row) == f"\\boxed{{{name}}}"


def test_the_same_name_has_other_facts_in_another_conversation() -> None:
    """Or a model would learn the facts, and not to look."""
    rng, found = random.Random(0), dict[str, set[str]]()
    for _ in range(4000):
        row = lookup.conversation(3, rng, calls=True, slips=False).row
        for _, arguments, seen in calls_of(row):
            found.setdefault(arguments["query"], set()).add(seen)
    again = [seen for seen in found.values() if len(seen) > 1]
    assert len(again) > len(found) / 4


def test_a_game_that_ends_well_follows_what_was_said_and_one_that_does_not_goes_against_it() -> None:
    for row in talks(tool_share=1.0):
        if row["data_source"] != "logic__synthetic_higher_lower":
            continue
        low, high = map(int, asked(row).split("-"))
        guesses = [int(one["content"][7:-1]) for one in messages(row) if one["role"] == "assistant"]
        for guess, said in zip(guesses, [one["content"] for one in messages(row)[2::2]], strict=False):
            assert low <= guess <= high
            low, high = (low, guess - 1) if said == "<" else (guess + 1, high)
        if row["is_correct"]:
            assert low <= guesses[-1] <= high
        elif len(guesses) > 1:
            assert not low <= guesses[-1] <= high


def test_no_held_out_problem_is_in_the_warm_start() -> None:
    for row in talks():
        if row["data_source"] != lookup.DATA_SOURCE:  # their regions differ: see above
            assert split_of(asked(row)) is Split.TRAIN
    assert all(side_of(one) is Split.HELD_OUT for one in draw(Domain.STEM, Split.HELD_OUT, 50))


def test_who_answers_at_once_does_so_with_and_without_tools_and_python_takes_one_call() -> None:
    rows = [row for row in talks() if row["data_source"] == "math__synthetic_chain"]
    there = Counter((messages(row)[0]["role"] == "system", bool(calls_of(row))) for row in rows)
    assert set(there) == {(True, True), (True, False), (False, False)}
    for row in rows:
        names = {name for name, _, _ in calls_of(row)}
        assert names <= {messages(row)[0]["content"]}
        assert "python" not in names or len(calls_of(row)) == 1


FROZEN = "63a41db40b0bd0f3"


def test_the_bytes_of_the_tasks_to_act_in_are_as_they_were() -> None:
    drawn = [
        [one.prompt, one.ground_truth, *one.mistakes]
        for domain in DOMAINS
        for split in Split
        for one in draw(domain, split, 60)
    ]
    content = json.dumps([drawn, conversation_rows(60, seed=0, error_rate=0.3, tool_share=0.5)])
    assert hashlib.sha256(content.encode()).hexdigest()[:16] == FROZEN, "raise the version of the agents' tasks"
