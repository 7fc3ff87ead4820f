"""Units of measurement and counting words after a number."""

import re
from fractions import Fraction

from rewards.math.reading.notation import words_of
from rewards.math.reading.unit import parse_unit
from rewards.math.reading.words import MATHEMATICAL, RUN

_BARE_UNITS = frozenset(
    words_of(
        "mm cm dm km kg mg ml ft yd mph kmh kmph hr hrs min mins sec secs deg inch inches foot feet yard yards "
        "mile miles day days week weeks hour hours second seconds minute minutes meter meters metre metres gram "
        "grams liter liters litre litres degree degrees dollar dollars cent cents rad radian radians unit units "
        "square cubic sq year years month months"
    )
)
# Words after a number that change what it says, so they are not its unit.
_NOT_UNITS = frozenset(
    words_of(
        "or and not more less than least most if when where for remainder approximately about up mod except "
        "without plus minus times percent only undefined nor either neither between from through but half thirds "
        "quarters"
    )
)
_SYNONYMS = {"deg": "degree", "sq": "square", "rs": "rupee"}


def is_bare_unit(word: str) -> bool:
    r"""Whether an unmarked word after a number is its unit."""
    return word in _BARE_UNITS or (len(word) >= 4 and word not in _NOT_UNITS and word not in MATHEMATICAL)


def is_unit(words: str) -> bool:
    """Whether words after a number may be its unit: none of them changes the meaning."""
    runs = RUN.findall(words.lower())
    return not any(run in _NOT_UNITS for run in runs)


def same_quantity_factor(unit: str, other: str) -> Fraction | None:
    """How many of `other` one `unit` is (1 if they are the same words, 100 for m and cm); None: not comparable.

    Where a unit is not known, or two known ones measure different things (`5 M` for 5 m), words in another case or
    number are the same.
    """
    for first, second in ((unit, other), (unit.lower(), other.lower())):
        one, two = parse_unit(first), parse_unit(second)
        if one is not None and two is not None and one.dimension == two.dimension and any(one.dimension):
            return one.factor / two.factor
    return Fraction(1) if _words(unit) == _words(other) else None


def _words(unit: str) -> tuple[str, ...]:
    power = re.search(r"\^\s*\{?([23])", unit)
    text = unit.lower().replace(" per ", "/").replace("/", " / ")
    words: list[str] = []
    for run in re.findall(r"[a-z]+|/|\S", re.sub(r"\^\s*\{?[23]\}?", "", text)):
        word = run.removesuffix("s") if len(run) > 3 else run
        word = _SYNONYMS.get(word, word)
        if word in ("square", "cubic"):
            power = power or re.search("([23])", "2" if word == "square" else "3")
        elif word not in ("of", "unit", "/", ".", ","):
            words.append(word)
    return (*words, power.group(1)) if power else tuple(words)
