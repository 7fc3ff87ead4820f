r"""Questions about an invented country, such as `king of city of Zok?`: facts that only a search tells.

The country has two regions, which do not know of each other: one for training, one for what is held out. The warm start
is about neither: each of its conversations has facts of its own, about names that the country lacks, so that a model
learns to read and to copy, and no fact that a problem needs is in the weights.
"""

import random
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import product
from typing import NamedTuple

from data_prep.synthetic.conversation import Conversation
from data_prep.synthetic.problem import Problem
from data_prep.synthetic.tool_call import tool_call
from rewards import Domain

LEVELS = 3
DATA_SOURCE = "stem__synthetic_lookup"
RELATIONS = ("king", "city", "ship", "tree")
SEARCH = "search"
_CONSONANTS, _VOWELS = "BDLMNPRSTVZ", "aeiou"
_FOREIGN_CONSONANTS, _FOREIGN_VOWELS = "CFGHJKWX", "y"  # of names that are not the country's alone
_TRAIN, _HELD_OUT = range(2)  # regions
_REGION = 201  # names
_HELD_OUT_SHARE = 0.2


class _Question(NamedTuple):
    """Relations in the order in which they are followed, from a name on."""

    start: str
    relations: tuple[str, ...]

    @property
    def shown(self) -> str:
        return f"{' of '.join((*self.relations[::-1], self.start))}?"


def facts() -> list[dict[str, str]]:
    """The whole country, the corpus of `search`: for each name its king, city, ship and tree, as `title` and `text`."""
    return [
        {"title": _title(relation, name), "text": value}
        for region in _country()
        for name, of_name in region.items()
        for relation, value in of_name.items()
    ]


def generate(level: int, rng: random.Random) -> Problem:
    """A problem of `level`, 1 to `LEVELS`: as many facts, each asked for by the one before."""
    region = _HELD_OUT if rng.random() < _HELD_OUT_SHARE else _TRAIN
    question, names = _question(region, level, rng), _country()[region]
    passed = [question.start]
    for relation in question.relations:
        passed.append(names[passed[-1]][relation])
    near = (*passed[:-1], *names[passed[-2]].values())
    return _problem(question, passed, near, held_out=region == _HELD_OUT)


def conversation(level: int, rng: random.Random, *, calls: bool, slips: bool) -> Conversation:
    """A conversation about a problem of `level`, with facts of its own.

    Args:
        level: As for `generate`.
        rng: Decides all else.
        calls: Whether it searches, fact by fact; otherwise the answer comes at once, in half of the cases although
            there is a search.
        slips: Whether another name than the right one is asked about or answered.
    """
    fresh = iter(rng.sample(_foreigners(), 2 * level + 3))
    passed = [next(fresh) for _ in range(level + 1)]
    question = _Question(passed[0], tuple(rng.choices(RELATIONS, k=level)))
    turns: list[tuple[str, str]] = []
    spoilt = rng.randint(0, level) if slips else None  # a fact, or the last: the answer itself
    name = question.start
    for number, relation in enumerate(question.relations if calls else ()):
        asked = next(fresh) if number == spoilt else name
        name = passed[number + 1] if asked == passed[number] else next(fresh)
        title = _title(relation, asked)
        turns += [("assistant", tool_call(SEARCH, title)), ("tool", f"{title}: {name}")]
    answer = name if calls else passed[-1]
    if slips and answer == passed[-1]:
        answer = next(fresh)
    there = [("system", SEARCH)] if calls or rng.random() < 0.5 else []
    return Conversation(
        problem=_problem(question, passed, passed[:-1], held_out=False),
        turns=(*there, ("user", question.shown), *turns, ("assistant", _boxed(answer))),
        is_correct=not slips,
    )


def _title(relation: str, name: str) -> str:
    return f"{relation} of {name}"


def _boxed(name: str) -> str:
    return f"\\boxed{{{name}}}"


def _question(region: int, level: int, rng: random.Random) -> _Question:
    return _Question(rng.choice(list(_country()[region])), tuple(rng.choices(RELATIONS, k=level)))


def _problem(question: _Question, passed: Sequence[str], near: Iterable[str], *, held_out: bool) -> Problem:
    """Args: passed: Names from the question's to the answer's. near: Names to answer by mistake."""
    return Problem(
        domain=Domain.STEM,
        data_source=DATA_SOURCE,
        ability="stem",
        prompt=question.shown,
        ground_truth=passed[-1],
        solution=_boxed(passed[-1]),
        mistakes=tuple(_boxed(name) for name in dict.fromkeys(near) if name != passed[-1]),
        level=len(question.relations),
        held_out=held_out,
    )


@cache
def _country() -> tuple[dict[str, dict[str, str]], ...]:
    """By region, by name, by relation: a name of the same region, never itself."""
    rng = random.Random("an invented country, 1")
    names = _names(_CONSONANTS, _VOWELS)
    rng.shuffle(names)
    return tuple(
        {
            name: {relation: rng.choice([other for other in region if other != name]) for relation in RELATIONS}
            for name in region
        }
        for region in (names[i * _REGION : (i + 1) * _REGION] for i in (_TRAIN, _HELD_OUT))
    )


@cache
def _foreigners() -> tuple[str, ...]:
    """The names that the country lacks, of its letters and of others."""
    known = {name for region in _country() for name in region}
    every = _names(_CONSONANTS + _FOREIGN_CONSONANTS, _VOWELS + _FOREIGN_VOWELS)
    return tuple(name for name in every if name not in known)


def _names(consonants: str, vowels: str) -> list[str]:
    return [f"{first}{vowel}{last}" for first, vowel, last in product(consonants, vowels, consonants.lower())]
