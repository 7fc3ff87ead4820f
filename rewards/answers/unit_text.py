r"""Units of measurement as answers write them, in TeX or in words."""

import re

from rewards.answers.plain_text import unwrapped
from rewards.math.reading.scripts import scripts_as_tex
from rewards.math.reading.unit import Unit, parse_unit

_DEGREES = re.compile(r"(?:\^\s*\{?\s*\\circ\s*\}?|\\degree|°|º|\bdegrees?|\bdeg)\s*(C(?:elsius)?|F(?:ahrenheit)?)\b")
_KELVINS = re.compile(r"(?:\^\s*\{?\s*\\circ\s*\}?|\\degree|°)\s*K\b")
_ANGLE = re.compile(r"\^\s*\{?\s*\\circ\s*\}?|\\degree\b")
_FRACTION = re.compile(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}")
_MAX_LENGTH = 100


def read_unit(text: str) -> Unit | None:
    r"""The unit that `text` writes: `m/s^2`, `kg·m²`, `\text{J/(mol K)}`, `kilometers per hour`; None if unknown."""
    return None if len(text) > _MAX_LENGTH else parse_unit(_plain(text))


def _plain(text: str) -> str:
    text = _FRACTION.sub(r"(\1)/(\2)", scripts_as_tex(text))
    text = _KELVINS.sub("K", text)
    text = re.sub(r"\\mu\b\s*", "µ", re.sub(r"\\Omega\b", "Ω", text)).replace("º", "°")
    text = re.sub(r"\\(?:cdot|times)(?![A-Za-z])|[·⋅∙×]", "*", text)  # noqa: RUF001
    text = unwrapped(text.replace("$", " \\$") if text.strip() == "$" else text)
    text = _DEGREES.sub(lambda m: f"°{m.group(1)[0]}", text)
    return _ANGLE.sub("°", text)
