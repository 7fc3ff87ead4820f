"""Draws pairs of gold and response with their verdicts; the same seed gives the same pairs."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice
from random import Random

from tests.rewards.grammar import (
    collection,
    composed,
    condition,
    expression,
    final_line,
    framing,
    measure,
    numeral,
    science,
    wording,
)
from tests.rewards.grammar.draft import Draft, Kind

_GROUPS: dict[str, tuple[str, dict[str, Kind]]] = {
    "numbers": ("math__grammar", numeral.KINDS),
    "units, money, per cent, degrees": ("math__grammar", measure.KINDS),
    "intervals, sets, lists, tuples, matrices": ("math__grammar", collection.KINDS),
    "expressions and equations": ("math__grammar", expression.KINDS),
    "inequalities and cases": ("math__grammar", condition.KINDS),
    "words, labels, names, order": ("math__grammar", wording.KINDS),
    "several parts": ("math__grammar", composed.KINDS),
    "STEM": ("stem__web", science.KINDS),
    "GSM8K's last line": ("openai/gsm8k", final_line.KINDS),
}
_SLOW = {"sum": 8}  # computer algebra takes up to its limit of 4 s: one round in eight
KINDS: dict[str, tuple[str, Kind]] = {
    name: (source, kind) for source, kinds in _GROUPS.values() for name, kind in kinds.items()
}
GROUP_OF = {name: group for group, (_, kinds) in _GROUPS.items() for name in kinds}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A response to a question with the answer `gold`; `right` says whether it answers it."""

    kind: str
    source: str
    response: str
    gold: str
    right: bool


def pairs(n: int, seed: int) -> Iterator[Pair]:
    """`n` pairs, the kinds in turn."""
    turns = ((turn, name) for turn in count() for name in KINDS if turn % _SLOW.get(name, 1) == 0)
    for turn, name in islice(turns, n):
        yield _pair(Random(f"{seed}/{turn}/{name}"), name)


def _pair(rng: Random, name: str) -> Pair:
    source, kind = KINDS[name]
    draft = kind(rng)
    right = rng.random() < 0.5
    return Pair(kind=name, source=source, gold=draft.gold, right=right, response=_response(rng, draft, right))


def _response(rng: Random, draft: Draft, right: bool) -> str:
    answer, mistake = rng.choice(draft.right), rng.choice(draft.wrong)
    if draft.is_whole:
        return answer if right else mistake
    if right:
        return framing.framed(rng, answer, mistake)
    chance = rng.random()
    if chance < 0.1:
        return framing.spoilt(rng, answer, mistake)
    if chance < 0.2 and draft.is_one_value and mistake and _names_no_order(mistake):
        return framing.hedged(rng, answer, mistake)
    return framing.framed(rng, mistake, rng.choice(draft.wrong), decorated=False)


def _names_no_order(mistake: str) -> bool:
    """Whether a mistake is one value, so that a second one beside it is a hedge and no longer list."""
    return not any(sign in mistake for sign in (",", ";", " or ", " and ", "\\text{ or"))
