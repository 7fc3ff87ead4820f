r"""How people write numbers: groups of three digits, signs of money, `about`, words for powers of ten."""

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


def without_thin_gaps(text: str) -> str:
    """`text` with groups of digits joined that nothing but TeX's thin blanks and braced commas separates."""
    return _THIN_GAP.sub("", text)


def without_blanks(text: str) -> str:
    """`12 345` as 12345, where that is the whole of `text`."""
    return text.replace(" ", "") if _BLANK_GROUPS.fullmatch(text) else text
