"""Pairs drawn from a grammar, whose verdicts follow from how they are built: what is paid wrongly, and what is lost."""

import hashlib
import json
import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import astuple
from functools import partial
from multiprocessing import get_context
from random import Random

import pytest

from rewards import compute_score
from tests.rewards.grammar.pair import KINDS, Pair, pairs
from tests.rewards.grammar.rates import Rates, rates

# Of wrong answers paid, and of right ones lost, by kind; at most, and none of any other kind.
PAID: dict[str, float] = {}
LOST: dict[str, float] = {"several parts": 0.02}
_SEED = 0
_GATE, _NIGHT, _CHUNK = 10_000, 1_000_000, 20_000
# What a million pairs may hold beyond that, of any kind.
_RARE = 0.005


def _verdict(pair: Pair) -> bool:
    return compute_score(pair.source, pair.response, pair.gold)["acc"] == 1.0


def _digest(n: int) -> str:
    return hashlib.sha256(json.dumps([astuple(pair) for pair in pairs(n, _SEED)]).encode()).hexdigest()


def _of_seed(seed: int, n: int) -> Rates:
    return rates(pairs(n, seed), _verdict)


def test_wrong_answers_of_the_grammar_are_not_paid_and_right_ones_are_beyond_the_stated_bounds() -> None:
    found = _of_seed(_SEED, _GATE)
    assert found.right.total() + found.wrong.total() == _GATE
    assert set(found.right) == set(found.wrong) == set(KINDS)
    assert not found.beyond(PAID, LOST)


@pytest.mark.nightly
@pytest.mark.timeout(3 * 3600)
def test_a_million_pairs_keep_to_the_same_bounds() -> None:
    found = Rates()
    with ProcessPoolExecutor(
        max_workers=os.process_cpu_count() if hasattr(os, "process_cpu_count") else os.cpu_count(),
        mp_context=get_context("spawn"),
    ) as pool:
        for part in pool.map(partial(_of_seed, n=_CHUNK), range(1, 1 + _NIGHT // _CHUNK)):
            found.add(part)
    assert found.right.total() + found.wrong.total() == _NIGHT
    assert not found.beyond(PAID, LOST, _RARE)


def test_the_same_seed_draws_the_same_pairs_in_any_process() -> None:
    code = "from tests.rewards.test_grammar import _digest; print(_digest(300))"
    drawn = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": hashes},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for hashes in ("1", "2")
    ]
    assert drawn == [_digest(300)] * 2
    assert (
        len(
            {(pair.gold, pair.response) for pair in pairs(300, _SEED)}
            & {(pair.gold, pair.response) for pair in pairs(300, 1)}
        )
        < 60
    )


@pytest.mark.parametrize("name", list(KINDS))
def test_no_text_is_both_right_and_wrong(name: str) -> None:
    rng = Random(name)
    for _ in range(40):
        draft = KINDS[name][1](rng)
        assert not set(draft.right) & set(draft.wrong), draft.gold


def test_bounds_are_of_kinds_that_there_are() -> None:
    assert {*PAID, *LOST} <= set(KINDS)
