r"""How people write numbers: groups, raised and lowered digits, signs of money, `about`, words for powers of ten."""

import re

# Between groups in TeX, where it cannot mean anything else: `1\,234`, `1{,}234`, `1~234`.
_THIN_GAP = re.compile(r"(?<=\d)(?:\\[,;:! ]|~|,\s*\\!\s*|\{,\}\s*(?:\\!)?|\\ |\\thinspace ?)\s*(?=\d{3}(?!\d))")
# A comma may also separate two numbers; 0,123 is no thousand.
COMMA_GROUPS = re.compile(r"(?<![\d.,])[1-9]\d{0,2}(?:,\d{3})+(?![\d,])")
_BLANK_GROUPS = re.compile(r"[+-]?[1-9]\d{0,2}(?: \d{3})+(?:\.\d+)?")
MONEY = re.compile(
    r"\b(?:USD?|HK|C|A)\\?\$(?=\s*\d)|\\\$|[$€£¥₹₩₽¢]|\\(?:euro|pounds|textdollar)(?![a-zA-Z])"
    r"|\b(?:USD|EUR|GBP|RMB)(?![A-Za-z])|\bRs\.?(?=\s*\d)"
)
# Before a number; to be put into a pattern that ignores case.
ABOUT = r"(?:approximately\b|approx\.?|about\b|around\b|roughly\b)"
MULTIPLIERS = {
    "hundred": 10**2, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12, "dozen": 12,
}  # fmt: skip
# As in tables; elsewhere they are names.
ABBREVIATED_MULTIPLIERS = {"k": 10**3, "m": 10**6, "mn": 10**6, "bn": 10**9}

_RAISED_RUN = "[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿⁱ]+"
_LOWERED_RUN = "[₀₁₂₃₄₅₆₇₈₉₊₋₍₎]+"
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿⁱ", "0123456789+-()ni")
_LOWERED = str.maketrans("₀₁₂₃₄₅₆₇₈₉₊₋₍₎", "0123456789+-()")
_ANYWHERE = re.compile(f"(?P<raised>{_RAISED_RUN})|(?P<lowered>{_LOWERED_RUN})")
_AFTER_DIGITS = re.compile(rf"(?<=\d)(?:{_ANYWHERE.pattern})")


def scripts_as_tex(text: str, *, of_numbers_only: bool = False) -> str:
    """`text` with each run of such characters as one exponent or index.

    Unicode's own normalisation would make 5² of it 52.

    Args:
        text: Any.
        of_numbers_only: Leaves those that do not follow a digit, as in `CO₂`, which people also write `CO2`.
    """
    return text if text.isascii() else (_AFTER_DIGITS if of_numbers_only else _ANYWHERE).sub(_as_tex, text)


def _as_tex(run: re.Match[str]) -> str:
    raised = run.group("raised")
    return f"^{{{raised.translate(_RAISED)}}}" if raised else f"_{{{run.group('lowered').translate(_LOWERED)}}}"


def without_thin_gaps(text: str) -> str:
    """`text` with groups of digits joined that nothing but TeX's thin blanks and braced commas separates."""
    return _THIN_GAP.sub("", text)


def without_blanks(text: str) -> str:
    """`12 345` as 12345, where that is the whole of `text`."""
    return text.replace(" ", "") if _BLANK_GROUPS.fullmatch(text) else text
