"""Synthetic tasks: deterministic, disjoint, graded, small."""

import itertools
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.spec import DataError
from data_prep.synthetic.problem import Problem
from data_prep.synthetic.tasks import DOMAINS, SPECIAL_STRINGS, Split, problems, split_of
from data_prep.synthetic.warm_start import warm_start_rows
from rewards import Domain, ScoreItem, score_batch


def _draw(domain: Domain, split: Split, n: int, seed: int = 0) -> list[Problem]:
    return list(itertools.islice(problems(domain, split, seed=seed), n))


def _merges(strings: tuple[str, ...]) -> dict[tuple[str, str], int]:
    """Byte-pair merges that build every string from its left end, in the strings' order."""
    merges: dict[tuple[str, str], int] = {}
    for string in strings:
        for end in range(1, len(string)):
            merges.setdefault((string[:end], string[end]), len(merges))
    return merges


def _encode(text: str, merges: dict[tuple[str, str], int]) -> list[str]:
    parts = list(text)
    while True:
        ranked = [(merges[pair], i) for i, pair in enumerate(itertools.pairwise(parts)) if pair in merges]
        if not ranked:
            return parts
        where = min(ranked)[1]
        parts[where : where + 2] = [parts[where] + parts[where + 1]]


_MERGES = _merges(SPECIAL_STRINGS)


@pytest.mark.parametrize("string", SPECIAL_STRINGS)
def test_every_special_string_becomes_one_token(string: str) -> None:
    assert _encode(string, _MERGES) == [string]


@pytest.mark.parametrize("domain", DOMAINS)
def test_prompts_and_solutions_are_short(domain: Domain) -> None:
    for problem in _draw(domain, Split.TRAIN, 500):
        assert len(_encode(problem.prompt, _MERGES)) <= 48
        assert len(_encode(problem.solution, _MERGES)) <= 24


@pytest.mark.parametrize("domain", DOMAINS)
def test_prompts_are_plain_ascii_without_special_strings_of_answers(domain: Domain) -> None:
    for problem in _draw(domain, Split.TRAIN, 200):
        assert problem.prompt.isascii()
        assert "boxed" not in problem.prompt
        assert "<answer>" not in problem.prompt


@settings(max_examples=20, deadline=None)
@given(domain=st.sampled_from(DOMAINS), seed=st.integers(0, 2**32), n=st.integers(1, 60), more=st.integers(0, 60))
def test_a_longer_draw_begins_with_the_shorter(domain: Domain, seed: int, n: int, more: int) -> None:
    assert _draw(domain, Split.TRAIN, n + more, seed)[:n] == _draw(domain, Split.TRAIN, n, seed)


@settings(max_examples=20, deadline=None)
@given(domain=st.sampled_from(DOMAINS), seeds=st.tuples(st.integers(0, 99), st.integers(0, 99)))
def test_train_and_held_out_are_disjoint_whatever_the_seeds(domain: Domain, seeds: tuple[int, int]) -> None:
    train = {problem.prompt for problem in _draw(domain, Split.TRAIN, 200, seeds[0])}
    held_out = {problem.prompt for problem in _draw(domain, Split.HELD_OUT, 200, seeds[1])}
    assert len(train) == len(held_out) == 200
    assert not train & held_out


@pytest.mark.parametrize("domain", DOMAINS)
def test_the_shares_of_the_levels_are_the_same_at_every_scale(domain: Domain) -> None:
    for times in (1, 30, 200):
        levels = Counter(problem.level for problem in _draw(domain, Split.TRAIN, 21 * times))
        assert levels == {level: (7 - level) * times for level in range(1, 7)}


@pytest.mark.parametrize("domain", DOMAINS)
def test_every_problem_has_a_mistake_to_learn(domain: Domain) -> None:
    for problem in _draw(domain, Split.TRAIN, 1000):
        assert problem.mistakes
        assert problem.solution not in problem.mistakes


@pytest.mark.parametrize("domain", [Domain.TABLE, Domain.SIMULATION])
def test_a_domain_without_tasks_is_refused_with_the_cure(domain: Domain) -> None:
    with pytest.raises(DataError, match="data_root"):
        next(problems(domain, Split.TRAIN, seed=0))


def test_warm_start_holds_exactly_the_stated_share_of_mistakes() -> None:
    rows = warm_start_rows(400, seed=3, error_rate=0.25)
    assert sum(not row["is_correct"] for row in rows) == 100
    assert rows == warm_start_rows(400, seed=3, error_rate=0.25)
    assert rows != warm_start_rows(400, seed=4, error_rate=0.25)


def test_warm_start_labels_are_what_the_scorers_say() -> None:
    gold = {p.prompt: p for domain in DOMAINS for p in _draw(domain, Split.TRAIN, 3000, seed=3)}
    items, labels = [], []
    for row in warm_start_rows(200, seed=3, error_rate=0.5):
        messages = row["messages"]
        assert isinstance(messages, list)
        problem = gold[messages[0]["content"]]
        items.append(
            ScoreItem(
                data_source=problem.data_source,
                solution_str=messages[1]["content"],
                ground_truth=problem.ground_truth,
            )
        )
        labels.append(float(bool(row["is_correct"])))
    assert [score["score"] for score in score_batch(items)] == labels


def test_warm_start_never_shows_a_held_out_problem() -> None:
    for row in warm_start_rows(400, seed=5, error_rate=0.0):
        messages = row["messages"]
        assert isinstance(messages, list)
        assert split_of(messages[0]["content"]) is Split.TRAIN
