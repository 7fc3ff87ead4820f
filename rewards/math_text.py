r"""Normal forms of mathematical answers as text, and comparisons that need no computer algebra.

Everything here is linear in the answer and evaluates nothing. `compare_exactly` decides what can be decided by
reading: equal texts, numbers (exactly, integers as integers), words. The rest is for `rewards.math_judge`.
"""

import re
import unicodedata
from fractions import Fraction

MAX_ANSWER = 4096
_MAX_DIGITS = 400

# ruff: noqa: RUF001 - the look-alike characters are what this table is about
_UNICODE = str.maketrans(
    {
        "−": "-", "–": "-", "—": "-", "‐": "-",
        "×": r"\times ", "·": r"\cdot ", "⋅": r"\cdot ", "÷": "/", "∕": "/", "⁄": "/",
        "π": r"\pi ", "∞": r"\infty ", "°": r"^\circ", "√": r"\sqrt ", "±": r"\pm ",
        "≤": r"\le ", "≥": r"\ge ", "≠": r"\ne ", "∪": r"\cup ", "∩": r"\cap ", "∈": r"\in ",
        "θ": r"\theta ", "α": r"\alpha ", "β": r"\beta ", "λ": r"\lambda ",
        "\u200b": "", "\u200c": "", "\u200d": "", "\ufeff": "", "\u2061": "",
    }
)  # fmt: skip
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ", "0123456789+-n")
_SUPERSCRIPT_RUN = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ]+")
# Guru's DAPO and OR1 rows hold LaTeX with every backslash doubled; `\\` before a blank is a matrix row end.
_DOUBLED = re.compile(r"\\\\(?=[A-Za-z{}(),!;:%$\[\]])")
_DROPPED = re.compile(
    r"\\left(?![a-z])|\\right(?![a-z])|\\displaystyle|(?<!\\)\\[!,;: ]|\\q?quad|\\[bB]igg?[lr]?(?![a-z])|~|\\\(|\\\)"
)
_FRACTION_NAMES = re.compile(r"\\[dtc]frac")
_DIGIT_FRACTION = re.compile(r"\\frac\s*(\d)\s*(\d)")
_FONT = re.compile(r"\\(?:mathrm|mathbf|mathit|mathsf|operatorname|boldsymbol|bm|rm|bf|mbox|textbf|textit|textrm)\b")
_DEGREES = re.compile(r"\^\s*(?:\\circ|\{\s*\\circ\s*\})|\\degree\b")
_THOUSANDS = re.compile(r"(?<![\d.])\d{1,3}(?:(?:,|\{,\})\d{3})+(?!\d)")
_THOUSANDS_THIN = re.compile(r"(?<=\d)\\,(?=\d{3})")
_TRAILING_UNIT = re.compile(r"(?<=[\d})])\s*(?:\\text\{\s*[^{}]*\}|\\mathrm\{\s*[^{}]*\})(?:\^\{?[23]\}?)?\s*$")
_ASSIGNMENT = re.compile(r"^\s*[A-Za-z](?:_\{?\w{1,3}\}?)?(?:\(\s*[a-z]\s*\))?\s*=\s*(?=[^=]+$)")
_TEXT = re.compile(r"\\text\{([^{}]*)\}")
_BLANK = re.compile(r"\s+")
_WORDS = re.compile(r"[A-Za-z][A-Za-z' -]*")
_BASE = re.compile(r"\(?[0-9A-Za-z]+\)?_\{?(\d+)\}?")

_INTEGER = re.compile(r"[+-]?\d+")
_DECIMAL = re.compile(r"([+-]?)(\d*)\.(\d+)|([+-]?\d+)\.")
_SLASH = re.compile(r"([+-]?\d+)/(\d+)")
_FRAC = re.compile(r"([+-]?)(\d*)\\frac\{([+-]?\d+)\}\{([+-]?\d+)\}")
_SCIENTIFIC = re.compile(r"([+-]?\d+(?:\.\d+)?)(?:[eE]|(?:\\times|\\cdot)10\^)\{?([+-]?\d{1,3})\}?")


def normalise(answer: str) -> str:
    r"""One spelling for equal notations: `\dfrac12`, `½` are `\frac{1}{2}`, `10,000` is `10000`."""
    text = answer
    if "\\begin{" not in text or "\\\\begin{" in text:
        text = _DOUBLED.sub(lambda _: "\\", text)
    text = _SUPERSCRIPT_RUN.sub(lambda m: "^{" + m.group().translate(_SUPERSCRIPTS) + "}", text)
    text = unicodedata.normalize("NFKC", text.translate(_UNICODE)).translate(_UNICODE)
    text = text.replace("\\$", "").replace("$", "").replace("\\%", "").replace("%", "")
    text = _THOUSANDS_THIN.sub("", text)
    text = _DROPPED.sub(" ", text)
    text = _FRACTION_NAMES.sub(lambda _: "\\frac", text)
    text = _DIGIT_FRACTION.sub(r"\\frac{\1}{\2}", text)
    text = _DEGREES.sub("", text)
    text = _TRAILING_UNIT.sub("", text)
    text = _FONT.sub(lambda _: "\\text", text)
    text = re.sub(r"\\text\{\s*([ei])\s*\}", r"\1", text)
    text = _THOUSANDS.sub(lambda m: re.sub(r"\{?,\}?", "", m.group()), text)
    text = text.strip().rstrip(".").strip()
    text = _ASSIGNMENT.sub("", text)
    whole = _TEXT.fullmatch(text)
    if whole:
        text = whole.group(1).strip()
    return text


def compact(text: str) -> str:
    """`text` without blanks and without braces around single characters, for equality of notation."""
    return re.sub(r"(?<=[\^_])\{(\w)\}", r"\1", _BLANK.sub("", text))


def as_number(text: str) -> Fraction | None:
    """The exact rational value of a plainly written number, else None. Nothing is computed but one division."""
    text = _BLANK.sub("", text)
    if not text or len(text) > _MAX_DIGITS:
        return None
    if _INTEGER.fullmatch(text):
        return Fraction(int(text))
    decimal = _DECIMAL.fullmatch(text)
    if decimal:
        return Fraction(text.rstrip(".") if text.endswith(".") else text)
    slash = _SLASH.fullmatch(text)
    if slash:
        return _ratio(int(slash.group(1)), int(slash.group(2)))
    frac = _FRAC.fullmatch(text)
    if frac:
        part = _ratio(int(frac.group(3)), int(frac.group(4)))
        if part is None:
            return None
        value = part + int(frac.group(2) or 0)
        return -value if frac.group(1) == "-" else value
    scientific = _SCIENTIFIC.fullmatch(text)
    if scientific:
        return Fraction(scientific.group(1)) * Fraction(10) ** int(scientific.group(2))
    return None


def _ratio(numerator: int, denominator: int) -> Fraction | None:
    return Fraction(numerator, denominator) if denominator else None


def _is_words(text: str) -> bool:
    """Words are compared as text: to computer algebra, seat = s*e*a*t = east."""
    return bool(_WORDS.fullmatch(text)) and len(text) >= 3


def compare_exactly(pred: str, gold: str) -> bool | None:
    """Whether two normalised answers are equal, or None if reading alone cannot tell."""
    plain_pred, plain_gold = compact(pred), compact(gold)
    if plain_pred == plain_gold:
        return True
    number_pred, number_gold = as_number(pred), as_number(gold)
    if number_pred is not None and number_gold is not None:
        return number_pred == number_gold
    if _is_words(pred) or _is_words(gold):
        return plain_pred.casefold() == plain_gold.casefold()
    if len(plain_gold) == 1 and plain_gold.isalpha():
        return plain_pred.strip("()").casefold() == plain_gold.casefold() and number_pred is None
    base_pred, base_gold = _BASE.fullmatch(plain_pred), _BASE.fullmatch(plain_gold)
    if base_gold and base_gold.group(1) and plain_gold[0].isdigit():
        return base_pred is not None and plain_pred.replace("{", "").replace("}", "") == (
            plain_gold.replace("{", "").replace("}", "")
        )
    if not re.search(r"[0-9A-Za-z\\]", plain_pred):
        return False
    return False if _brackets_differ(plain_pred, plain_gold) else None


def _brackets_differ(pred: str, gold: str) -> bool:
    """(2,5) is not (2,5]; both must be bracketed lists for this to say anything."""
    ends = [(text[0], text[-1]) for text in (pred, gold) if "," in text]
    return len(ends) == 2 and all(first in "([" and last in ")]" for first, last in ends) and ends[0] != ends[1]


_HEAVY = re.compile(r"\\(?:int|prod|lim|sum|iint|oint)(?![a-z])|!{2,}|\)!.*!")
_BIG_POWER = re.compile(r"\^\s*\{?\s*\(?[+-]?\d{5,}|\*\*\s*\d{5,}")


def is_too_heavy(pred: str, gold: str) -> bool:
    """Whether symbolic comparison should not even be tried: towers of powers, huge numbers, sums and integrals.

    A tower is two powers stacked; sympy would try to write 9^{9^{9}} out, in C code that no signal can stop.
    """
    if len(pred) > 1000 or pred.count("(") + pred.count("{") > 60:
        return True
    if _HEAVY.search(pred) and not _HEAVY.search(gold):
        return True
    if _BIG_POWER.search(pred) or re.search(r"\d{401,}", pred):
        return True
    return bool(re.search(r"\^\s*\{?[^{}^]*\^\s*\{?[^{}^]*\^|\^\s*\{\s*\d+\s*\^", pred))
