"""Ordering puzzles in Guru's answer format, such as `Sort: B<C, A<B.` with `<answer>A, B, C</answer>`."""

import itertools
import json
import random
from enum import StrEnum
from typing import NamedTuple

from data_prep.synthetic.problem import Problem
from rewards import Domain

_NAMES = "ABCDEFGHIJKL"


class _Clues(StrEnum):
    """How the order is told."""

    CHAIN = "chain"  # A<B<C, or C>B>A
    IN_ORDER = "in order"  # A<B, C>B: neighbour by neighbour from the first
    SHUFFLED = "shuffled"


class _Level(NamedTuple):
    names: tuple[int, ...]  # how many, drawn
    clues: _Clues
    relations: str  # "<": the earlier name comes first; ">": the later; both: drawn for each clue


_LEVELS: tuple[_Level, ...] = (
    _Level((3, 4), _Clues.CHAIN, "<"),
    _Level((3, 4), _Clues.CHAIN, ">"),
    _Level((3,), _Clues.IN_ORDER, "<>"),
    _Level((3,), _Clues.SHUFFLED, "<>"),
    _Level((4,), _Clues.SHUFFLED, "<>"),
    _Level((5,), _Clues.SHUFFLED, "<>"),
)
LEVELS = len(_LEVELS)


def generate(level: int, rng: random.Random) -> Problem:
    """A problem of `level`, 1 to `LEVELS`. The clues name all neighbours, so the order is unique."""
    counts, form, relations = _LEVELS[level - 1]
    order = rng.sample(_NAMES, rng.choice(counts))
    parts = [tuple(order)] if form is _Clues.CHAIN else list(itertools.pairwise(order))
    clues = ["<".join(part) if rng.choice(relations) == "<" else ">".join(part[::-1]) for part in parts]
    if form is _Clues.SHUFFLED:
        rng.shuffle(clues)
    where = rng.randrange(len(order) - 1)
    swapped = order.copy()
    swapped[where], swapped[where + 1] = order[where + 1], order[where]
    return Problem(
        domain=Domain.LOGIC,
        data_source="logic__ordering_puzzle_synthetic",
        ability="logical_reasoning",
        prompt=f"Sort: {', '.join(clues)}.",
        ground_truth=json.dumps(order),
        solution=_answer(order),
        mistakes=(_answer(swapped), _answer(order[::-1]), _answer(swapped[1:] + swapped[:1])),
        level=level,
    )


def _answer(order: list[str]) -> str:
    return f"<answer>{', '.join(order)}</answer>"
