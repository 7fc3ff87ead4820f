r"""Reads a number as people write it: `$1,234.50`, `12.5\%`, `\frac{1}{2}`, `1.5 \times 10^{-3}`; computes nothing."""

import re
from dataclasses import dataclass
from fractions import Fraction

from rewards.answers.plain_text import unwrapped
from rewards.math.reading.numerals import ABOUT, COMMA_GROUPS, MONEY, scripts_as_tex, without_blanks, without_thin_gaps

_MAX_LENGTH = 400
_MAX_EXPONENT = 400
_APPROXIMATELY = re.compile(rf"^(?:\\approx|≈|≃|~|=|{ABOUT})\s*", re.IGNORECASE)
_TEX_FRACTION = re.compile(r"\\[dtc]?frac\s*\{\s*([+-]?\d+(?:\.\d+)?)\s*\}\s*\{\s*([+-]?\d+(?:\.\d+)?)\s*\}")
_SHORT_FRACTION = re.compile(r"\\[dtc]?frac\s*(\d)\s*(\d)")
_TIMES = re.compile(r"\\times|\\cdot|[×·∙⋅*]|(?<=[\d ])[xX](?=\s*10\s*\^)")  # noqa: RUF001
_EXPONENT = r"\s*[({]?\s*([+-]?\d{1,4})\s*[)}]?"
_HEAD = re.compile(
    r"([+-]?)\s*(?:"
    r"(\d+(?:\.\d*)?|\.\d+)\s*/\s*(\d+(?:\.\d+)?)(?![\d.]|\s*\*)"  # a/b
    rf"|(\d+(?:\.\d*)?|\.\d+)(?:\s*(?:[eE](?=[+-]?\d)|\*\s*10\s*\^){_EXPONENT})?)"  # 1.5, 1.5e3, 1.5*10^3
)
_BARE_POWER = re.compile(rf"([+-]?)\s*10\s*\^{_EXPONENT}")


@dataclass(frozen=True, slots=True)
class WrittenNumber:
    """A number and how exactly it was written.

    `significant` are its significant digits, all digits of an integer counted; None for a fraction, which is exact.
    `unit_in_last_place` is the value of its last digit; `rest` is what follows it, without blanks at its ends.
    """

    value: Fraction
    is_decimal: bool
    significant: int | None
    unit_in_last_place: Fraction
    rest: str

    @property
    def is_percent(self) -> bool:
        """Whether a per cent sign, and nothing else, follows."""
        return self.rest.casefold().strip(" .") in ("%", "percent", "per cent", "percentage")


def read_number(answer: str) -> WrittenNumber | None:
    """The number that `answer` begins with, apart from a currency sign or a word like `about`; None if it does not."""
    if len(answer) > _MAX_LENGTH:
        return None
    text = without_thin_gaps(scripts_as_tex(answer))
    text = _TEX_FRACTION.sub(r" \1/\2 ", text)
    text = _SHORT_FRACTION.sub(r" \1/\2 ", text)
    text = unwrapped(text).strip("*")
    if "**" in text:
        return None
    text = _TIMES.sub("*", text)
    text = _APPROXIMATELY.sub("", text.strip())
    text = re.sub(r"([+-])\s+(?=[\d.])", r"\1", MONEY.sub("", text, count=1).strip())
    text = COMMA_GROUPS.sub(lambda groups: groups.group().replace(",", ""), without_blanks(text))
    power = _BARE_POWER.match(text)
    if power:
        return _power(power, text)
    head = _HEAD.match(text)
    if head is None:
        return None
    rest = text[head.end() :]
    if rest[:1].isalnum() and rest[:1].isdigit():
        return None
    sign = -1 if head.group(1) == "-" else 1
    if head.group(2):
        divisor = Fraction(head.group(3))
        if not divisor:
            return None
        return WrittenNumber(sign * Fraction(head.group(2)) / divisor, False, None, Fraction(0), rest.strip())
    digits, exponent = head.group(4), int(head.group(5) or 0)
    if digits is None or abs(exponent) > _MAX_EXPONENT:
        return None
    decimals = len(digits.partition(".")[2])
    scale = Fraction(10) ** exponent
    return WrittenNumber(
        value=sign * Fraction(digits.rstrip(".") if digits.endswith(".") else digits) * scale,
        is_decimal=decimals > 0 or head.group(5) is not None,
        significant=len(digits.replace(".", "").lstrip("0")) or 1,
        unit_in_last_place=scale / 10**decimals,
        rest=rest.strip(),
    )


def _power(power: re.Match[str], text: str) -> WrittenNumber | None:
    exponent = int(power.group(2))
    if abs(exponent) > _MAX_EXPONENT:
        return None
    value = (-1 if power.group(1) == "-" else 1) * Fraction(10) ** exponent
    return WrittenNumber(value, exponent < 0, 1, abs(value), text[power.end() :].strip())
