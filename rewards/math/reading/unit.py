"""Units of measurement: what a unit expression is worth in SI base units, with its exact dimension."""

import re
from dataclasses import dataclass
from fractions import Fraction

from rewards.math.reading.numerals import scripts_as_tex
from rewards.math.reading.unit_table import DEFINITIONS, OFFSETS, PREFIXES

# Exponents of m, kg, s, A, K, mol, cd, and of kinds that are counted apart: money, information, level (dB).
Dimension = tuple[int, ...]
_N_DIMENSIONS = 10
_NONE: Dimension = (0,) * _N_DIMENSIONS

_BASE = {"m": 0, "kg": 1, "s": 2, "A": 3, "K": 4, "mol": 5, "cd": 6, "dollar": 7, "bit": 8, "dB": 9}
_WORD_POWER = re.compile(r"\b(square|sq\.?|cubic)\s+([A-Za-z]+)")
_POWER_WORD = re.compile(r"\b([A-Za-z]+)\s+(squared|cubed)\b")
_TOKEN = re.compile(r"\s*(?:(\\?[A-Za-zÅΩµμ°%$]+)\s*(?:\^\s*[({]?\s*([+-]?\d)\s*[)}]?|([+-]?\d)(?!\d))?|([*/()]))")
_DANGLING = re.compile(r"[*/]\s*[*/)]|[*/(]\s*$|^\s*[*)]")
_MAX_LENGTH = 100
# Others of three letters are products: mAs, Pas, kWs.
_SHORT_PLURALS = frozenset(("hrs", "yrs", "wks", "yds", "ozs", "kgs", "mgs", "kms", "cms", "mms", "mls"))


@dataclass(frozen=True, slots=True)
class Unit:
    """`value * factor + offset` is the quantity in SI base units of `dimension`."""

    factor: Fraction
    dimension: Dimension
    offset: Fraction = Fraction(0)


def _raised(unit: Unit, power: int) -> Unit:
    return Unit(unit.factor**power, tuple(exponent * power for exponent in unit.dimension))


def _times(left: Unit, right: Unit) -> Unit:
    return Unit(left.factor * right.factor, tuple(a + b for a, b in zip(left.dimension, right.dimension, strict=True)))


def _defined() -> tuple[dict[str, Unit], frozenset[str]]:
    units = {
        name: Unit(Fraction(1), tuple(int(i == index) for i in range(_N_DIMENSIONS))) for name, index in _BASE.items()
    }
    prefixed: set[str] = set()
    for names, value in DEFINITIONS:
        factor, *parts = value.split()
        unit = Unit(Fraction(factor), _NONE)
        for part in parts:
            name, _, power = part.removeprefix("/").partition("^")
            unit = _times(unit, _raised(units[name], int(power or 1) * (-1 if part.startswith("/") else 1)))
        for name in names.removeprefix("*").split():
            units[name] = unit
            if names.startswith("*"):
                prefixed.add(name)
    return units, frozenset(prefixed)


_UNITS, _PREFIXED = _defined()
_PREFIXES = {name: Fraction(size) for name, size in PREFIXES.items()}


def parse_unit(text: str) -> Unit | None:
    """The unit that plain text writes: `m/s^2`, `kg*m²`, `J/(mol K)`, `kilometers per hour`; None if unknown.

    After a slash or `per`, everything divides: J/mol K is J/(mol K).
    """
    if len(text) > _MAX_LENGTH:
        return None
    plain = re.sub(r"\bper\b", "/", scripts_as_tex(text))
    plain = _WORD_POWER.sub(lambda m: f"{m.group(2)}^{3 if m.group(1) == 'cubic' else 2}", plain)
    plain = _POWER_WORD.sub(lambda m: f"{m.group(1)}^{2 if m.group(2) == 'squared' else 3}", plain)
    plain = plain.strip().rstrip(".").strip()
    if plain in OFFSETS:
        return Unit(_UNITS[plain].factor, _UNITS[plain].dimension, Fraction(OFFSETS[plain]))
    return _product(plain)


def _product(text: str) -> Unit | None:
    if _DANGLING.search(text):
        return None
    unit, divides, position = Unit(Fraction(1), _NONE), False, 0
    for token in re.finditer(_TOKEN, text):
        if token.start() != position:
            return None
        position = token.end()
        if token.group(4):
            divides = divides or token.group(4) == "/"
            continue
        factor = _named(token.group(1))
        if factor is None:
            return None
        power = int(token.group(2) or token.group(3) or 1)
        unit = _times(unit, _raised(factor, -power if divides else power))
    return unit if position and not text[position:].strip() else None


def _named(name: str) -> Unit | None:
    if name.casefold() in _SHORT_PLURALS:
        name = name.casefold().removesuffix("s")
    for spelling in (name, name.removesuffix("s"), name.casefold(), name.casefold().removesuffix("s")):
        if spelling != name and len(spelling) < 3:
            continue
        if spelling in _UNITS:
            return _UNITS[spelling]
        for prefix, factor in _PREFIXES.items():
            stem = spelling.removeprefix(prefix)
            if stem != spelling and stem in _PREFIXED and (len(prefix) < 3 or len(stem) > 2):
                return Unit(factor * _UNITS[stem].factor, _UNITS[stem].dimension)
    return None
