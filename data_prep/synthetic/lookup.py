r"""Questions about an invented country, such as `king of city of Zok?`: facts that only a search tells.

The country has three regions, which do not know of each other: one for training, one for what is held out, one for the
warm start. So no fact that a held-out problem needs was ever trained on, in supervised conversations or by RL.
"""

import random
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
_TRAIN, _HELD_OUT, _WARM_START = range(3)  # regions
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
    return _problem(_question(region, level, rng), region)


def conversation(level: int, rng: random.Random, *, calls: bool, slips: bool) -> Conversation:
    """A conversation about a problem of `level` in the region of the warm start.

    Args:
        level: As for `generate`.
        rng: Decides all else.
        calls: Whether it searches, fact by fact; otherwise the answer comes at once, in half of the cases although
            there is a search.
        slips: Whether another name than the right one is asked about or answered.
    """
    question, names = _question(_WARM_START, level, rng), _country()[_WARM_START]
    problem = _problem(question, _WARM_START)
    turns: list[tuple[str, str]] = []
    spoilt = rng.randint(0, level) if slips else None  # a fact, or the last: the answer itself
    name = question.start
    for number, relation in enumerate(question.relations if calls else ()):
        asked = _another(name, rng) if number == spoilt else name
        name = names[asked][relation]
        turns += [("assistant", tool_call(SEARCH, _title(relation, asked))), ("tool", shown(relation, asked))]
    answer = name if calls else problem.ground_truth
    if slips and (spoilt == level or not calls or answer == problem.ground_truth):
        answer = _another(problem.ground_truth, rng)
    there = [("system", SEARCH)] if calls or rng.random() < 0.5 else []
    return Conversation(
        problem=problem,
        turns=(*there, ("user", question.shown), *turns, ("assistant", _boxed(answer))),
        is_correct=not slips,
    )


def shown(relation: str, name: str) -> str:
    """What a search for a fact shows of it."""
    region = next(region for region in _country() if name in region)
    return f"{_title(relation, name)}: {region[name][relation]}"


def _title(relation: str, name: str) -> str:
    return f"{relation} of {name}"


def _boxed(name: str) -> str:
    return f"\\boxed{{{name}}}"


def _another(name: str, rng: random.Random) -> str:
    """Another name of the region of the warm start."""
    return rng.choice([other for other in _country()[_WARM_START] if other != name])


def _question(region: int, level: int, rng: random.Random) -> _Question:
    return _Question(rng.choice(list(_country()[region])), tuple(rng.choices(RELATIONS, k=level)))


def _problem(question: _Question, region: int) -> Problem:
    names, name = _country()[region], question.start
    passed = [name]
    for relation in question.relations:
        passed.append(name := names[name][relation])
    near = dict.fromkeys([*passed[:-1], *names[passed[-2]].values()])
    return Problem(
        domain=Domain.STEM,
        data_source=DATA_SOURCE,
        ability="stem",
        prompt=question.shown,
        ground_truth=name,
        solution=_boxed(name),
        mistakes=tuple(_boxed(other) for other in near if other != name),
        level=len(question.relations),
        held_out=region == _HELD_OUT,
    )


@cache
def _country() -> tuple[dict[str, dict[str, str]], ...]:
    """By region, by name, by relation: a name of the same region, never itself."""
    rng = random.Random("an invented country, 1")
    names = [f"{first}{vowel}{last}" for first, vowel, last in product(_CONSONANTS, _VOWELS, _CONSONANTS.lower())]
    rng.shuffle(names)
    n = len(names) // 3
    return tuple(
        {
            name: {relation: rng.choice([other for other in region if other != name]) for relation in RELATIONS}
            for name in region
        }
        for region in (names[i * n : (i + 1) * n] for i in range(3))
    )
