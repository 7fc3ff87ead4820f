"""Units of measurement: what a unit expression is worth in SI base units, with its exact dimension."""

import re
from dataclasses import dataclass
from fractions import Fraction

from rewards.answers.plain_text import unwrapped
from rewards.answers.unit_table import DEFINITIONS, PREFIXES
from rewards.math.reading.scripts import scripts_as_tex

# Exponents of m, kg, s, A, K, mol, cd, and of kinds that are counted apart: money, information, level (dB).
Dimension = tuple[int, ...]
_N_DIMENSIONS = 10
_NONE: Dimension = (0,) * _N_DIMENSIONS

_BASE = {"m": 0, "kg": 1, "s": 2, "A": 3, "K": 4, "mol": 5, "cd": 6, "dollar": 7, "bit": 8, "dB": 9}
_DEGREES = re.compile(r"(?:\^\s*\{?\s*\\circ\s*\}?|\\degree|°|º|\bdegrees?|\bdeg)\s*(C(?:elsius)?|F(?:ahrenheit)?)\b")
_KELVINS = re.compile(r"(?:\^\s*\{?\s*\\circ\s*\}?|\\degree|°)\s*K\b")
_ANGLE = re.compile(r"\^\s*\{?\s*\\circ\s*\}?|\\degree\b")
_WORD_POWER = re.compile(r"\b(square|cubic)\s+([A-Za-z]+)")
_POWER_WORD = re.compile(r"\b([A-Za-z]+)\s+(squared|cubed)\b")
_FRACTION = re.compile(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}")
_TOKEN = re.compile(r"\s*(?:(\\?[A-Za-zÅΩµμ°%$]+)\s*(?:\^\s*[({]?\s*([+-]?\d)\s*[)}]?|([+-]?\d)(?!\d))?|([*/()]))")
_DANGLING = re.compile(r"[*/]\s*[*/)]|[*/(]\s*$|^\s*[*)]")
_MAX_LENGTH = 100


@dataclass(frozen=True, slots=True)
class Unit:
    """`value * factor + offset` is the quantity in SI base units of `dimension`."""

    factor: float
    dimension: Dimension
    offset: float = 0.0


def _raised(unit: Unit, power: int) -> Unit:
    return Unit(unit.factor**power, tuple(exponent * power for exponent in unit.dimension))


def _times(left: Unit, right: Unit) -> Unit:
    return Unit(left.factor * right.factor, tuple(a + b for a, b in zip(left.dimension, right.dimension, strict=True)))


def _defined() -> tuple[dict[str, Unit], frozenset[str]]:
    units = {name: Unit(1.0, tuple(int(i == index) for i in range(_N_DIMENSIONS))) for name, index in _BASE.items()}
    prefixed: set[str] = set()
    for names, value in DEFINITIONS:
        factor, *parts = value.split()
        unit = Unit(float(factor), _NONE)
        for part in parts:
            name, _, power = part.removeprefix("/").partition("^")
            unit = _times(unit, _raised(units[name], int(power or 1) * (-1 if part.startswith("/") else 1)))
        for name in names.removeprefix("*").split():
            units[name] = unit
            if names.startswith("*"):
                prefixed.add(name)
    return units, frozenset(prefixed)


_UNITS, _PREFIXED = _defined()
_OFFSETS = {"°C": Fraction("273.15"), "°F": Fraction("459.67") * 5 / 9}


def parse_unit(text: str) -> Unit | None:
    r"""The unit that `text` writes: `m/s^2`, `kg·m²`, `\text{J/(mol K)}`, `kilometers per hour`; None if unknown.

    After a slash or `per`, everything divides: J/mol K is J/(mol K).
    """
    if len(text) > _MAX_LENGTH:
        return None
    plain = _plain(text)
    if plain in _OFFSETS:
        return Unit(_UNITS[plain].factor, _UNITS[plain].dimension, float(_OFFSETS[plain]))
    return _product(plain)


def _plain(text: str) -> str:
    text = _FRACTION.sub(r"(\1)/(\2)", scripts_as_tex(text))
    text = _KELVINS.sub("K", text)
    text = re.sub(r"\\mu\b\s*", "µ", re.sub(r"\\Omega\b", "Ω", text)).replace("º", "°")
    text = re.sub(r"\\(?:cdot|times)(?![A-Za-z])|[·⋅∙×]", "*", text)  # noqa: RUF001
    text = unwrapped(text.replace("$", " \\$") if text.strip() == "$" else text)
    text = _DEGREES.sub(lambda m: f"°{m.group(1)[0]}", text)
    text = _ANGLE.sub("°", text)
    text = re.sub(r"\bper\b", "/", text)
    text = _WORD_POWER.sub(lambda m: f"{m.group(2)}^{2 if m.group(1) == 'square' else 3}", text)
    text = _POWER_WORD.sub(lambda m: f"{m.group(1)}^{2 if m.group(2) == 'squared' else 3}", text)
    return text.strip().rstrip(".").strip()


def _product(text: str) -> Unit | None:
    if _DANGLING.search(text):
        return None
    unit, divides, position = Unit(1.0, _NONE), False, 0
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
    for spelling in (name, name.removesuffix("s"), name.casefold(), name.casefold().removesuffix("s")):
        if spelling != name and len(spelling) < 3:
            continue
        if spelling in _UNITS:
            return _UNITS[spelling]
        for prefix, factor in PREFIXES.items():
            stem = spelling.removeprefix(prefix)
            if stem != spelling and stem in _PREFIXED and (len(prefix) < 3 or len(stem) > 2):
                return Unit(factor * _UNITS[stem].factor, _UNITS[stem].dimension)
    return None
