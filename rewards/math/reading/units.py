"""Units of measurement and counting words after a number."""

import re
from fractions import Fraction

from rewards.math.reading.notation import words_of
from rewards.math.reading.words import MATHEMATICAL, RUN

# name: (dimension, size in the dimension's first unit)
_LENGTH = {"mm": "1/1000", "cm": "1/100", "dm": "1/10", "m": "1", "km": "1000", "inch": "127/5000", "foot": "381/1250",
           "yard": "1143/1250", "mile": "201168/125"}  # fmt: skip
_TIME = {"second": "1", "minute": "60", "hour": "3600", "day": "86400", "week": "604800"}
_MASS = {"mg": "1/1000", "g": "1", "kg": "1000"}
_VOLUME = {"ml": "1/1000", "l": "1"}
_MONEY = {"cent": "1/100", "dollar": "1"}
_SIZES = {
    name: (dimension, Fraction(size))
    for dimension, table in enumerate((_LENGTH, _TIME, _MASS, _VOLUME, _MONEY))
    for name, size in table.items()
}
_SYNONYMS = {
    "millimeter": "mm", "millimetre": "mm", "centimeter": "cm", "centimetre": "cm", "decimeter": "dm",
    "meter": "m", "metre": "m", "kilometer": "km", "kilometre": "km", "in": "inch", "inche": "inch",
    "feet": "foot", "ft": "foot", "yd": "yard", "mi": "mile", "s": "second", "sec": "second", "min": "minute",
    "h": "hour", "hr": "hour", "gram": "g", "gm": "g", "kilogram": "kg", "milligram": "mg", "liter": "l",
    "litre": "l", "milliliter": "ml", "cents": "cent", "dollars": "dollar", "deg": "degree", "sq": "square",
    "mph": "mile/hour", "kmh": "km/hour", "kmph": "km/hour", "rs": "rupee",
}  # fmt: skip
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
MULTIPLIERS = {
    "hundred": 10**2, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12, "dozen": 12,
}  # fmt: skip


def is_bare_unit(word: str) -> bool:
    r"""Whether an unmarked word after a number is its unit."""
    return word in _BARE_UNITS or (len(word) >= 4 and word not in _NOT_UNITS and word not in MATHEMATICAL)


def is_unit(words: str) -> bool:
    """Whether words after a number may be its unit: none of them changes the meaning."""
    runs = RUN.findall(words.lower())
    return not any(run in _NOT_UNITS for run in runs)


def same_quantity_factor(unit: str, other: str) -> Fraction | None:
    """How many of `other` one `unit` is (1 if they are the same words, 100 for m and cm); None: not comparable."""
    first, second = _canonical(unit), _canonical(other)
    if first == second:
        return Fraction(1)
    one, two = _size(first), _size(second)
    if one is None or two is None or one[:2] != two[:2]:
        return None
    return one[2] / two[2]


def _canonical(unit: str) -> tuple[str, ...]:
    words: list[str] = []
    power = re.search(r"\^\s*\{?([23])", unit)
    text = unit.lower().replace(" per ", "/").replace("/", " / ")
    for run in re.findall(r"[a-z]+|/|\S", re.sub(r"\^\s*\{?[23]\}?", "", text)):
        word = run
        if len(word) > 3 or (len(word) == 3 and word[:-1] in {*_SIZES, *_SYNONYMS}):
            word = word.removesuffix("s")
        word = _SYNONYMS.get(word, _SYNONYMS.get(word.removesuffix("s"), word))
        if word in ("square", "cubic"):
            power = power or re.search("([23])", "2" if word == "square" else "3")
        elif word not in ("of", "unit"):
            words.extend(word.split("/"))
    words = [word for word in words if word not in "/.,"]
    return (*words, power.group(1)) if power else tuple(words)


def _size(unit: tuple[str, ...]) -> tuple[int, int, Fraction] | None:
    power = int(unit[-1]) if unit and unit[-1] in ("2", "3") else 1
    names = unit[:-1] if power > 1 else unit
    if len(names) != 1 or names[0] not in _SIZES:
        return None
    dimension, size = _SIZES[names[0]]
    return dimension, power, size**power
