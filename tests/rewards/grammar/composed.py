"""Several values in one answer: labelled, named, or in a tuple."""

from random import Random

from tests.rewards.grammar import expression, numeral
from tests.rewards.grammar.draft import Draft, Kind

_PARTS: tuple[Kind, ...] = (
    numeral.integer, numeral.fraction, numeral.radical, numeral.logarithm, numeral.constant, expression.rationalised,
)  # fmt: skip
_FORMS = (
    "({a}) {0} ({b}) {1}", "x = {0}, y = {1}", "({0}, {1})", "({a}) {0}, ({b}) {1}",
    "\\text{{({a}) }} {0} \\text{{ ({b}) }} {1}",
)  # fmt: skip
_PLAIN = ("=", "\\text", "answer", "**", "exactly", "approx", "$", "mathrm", "mathbf", ".", ":", " /", "div")


def parts(rng: Random) -> Draft:
    first, second = (rng.choice(_PARTS)(rng) for _ in range(2))
    form = rng.choice(_FORMS)
    a, b = rng.choice(("ab", ("i", "ii"), "12"))

    def shown(one: str, two: str) -> str:
        return form.format(one, two, a=a, b=b)

    def plain(texts: tuple[str, ...]) -> list[str]:
        return [text for text in texts if text.strip() and not any(sign in text for sign in _PLAIN)]

    if first.gold == second.gold:
        return parts(rng)
    rights = [(rng.choice(plain(first.right)), rng.choice(plain(second.right))) for _ in range(4)]
    right = (shown(first.gold, second.gold), *(shown(*pair) for pair in rights))
    wrong = (
        shown(rng.choice(plain(first.wrong)), second.gold), shown(first.gold, rng.choice(plain(second.wrong))),
        shown(second.gold, first.gold), shown(rights[0][1], rights[0][0]), first.gold, second.gold, f"{first.gold}, 0",
    )  # fmt: skip
    return Draft(gold=right[0], right=right, wrong=wrong)


KINDS: dict[str, Kind] = {"several parts": parts}
