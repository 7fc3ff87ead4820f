r"""Signs of money as units: `\$5` is `5\text{ dollars}`, `50¢` is `50\text{ cents}`; which currency a text names."""

import re

_NAMES = {
    "$": "dollars", "\\$": "dollars", "\\textdollar": "dollars", "USD": "dollars", "US$": "dollars",
    "€": "euros", "\\euro": "euros", "EUR": "euros",
    "£": "pounds sterling", "\\pounds": "pounds sterling", "GBP": "pounds sterling", "¥": "yen", "₹": "rupees",
    "Rs": "rupees", "Rs.": "rupees", "₩": "won", "₽": "rubles", "¢": "cents", "\\cent": "cents", "RMB": "yuan",
}  # fmt: skip
_SIGN = (
    r"\\(?:text)?(?:dollar|cent)(?![A-Za-z])|(?<!\\)\\\$|[$€£¥₹₩₽¢]"
    r"|\\(?:euro|pounds)(?![A-Za-z])|\b(?:USD|EUR|GBP|RMB)(?![A-Za-z])|\bRs\.?"
)
_NUMBER = r"\d[\d,]*(?:\.\d+)?|\.\d+"
_END = r"(?=\s*(?:[,;)\]}]|$|\\text\s*\{\s*(?:and|or|to|per|dollars?)\b|(?:and|or|to)\b|\.?\s*$))"
_BEFORE = re.compile(
    rf"(?:\b(?:US|U\.S\.|HK|C|A)\s*(?=\\?\$))?({_SIGN})\s*(-?(?:{_NUMBER}))"
    rf"(\s*(?:\\text\s*\{{\s*)?(?:hundred|thousand|million|billion|trillion)\b\s*\}}?)?{_END}"
)
_BEHIND = re.compile(rf"({_NUMBER})\s*({_SIGN})(?!\s*\d){_END}")
_PLAIN = re.compile(r"\b(dollars?|cents?|euros?|yen|rupees?|won|rubles?|yuan|pounds? sterling)\b", re.IGNORECASE)
_ANY = re.compile(_SIGN)


def with_currency_words(text: str) -> str:
    r"""`text` with each sign of money beside a number as a word behind it; dollar signs in pairs delimit formulas."""
    if _ANY.search(text) is None:
        return text
    if len(re.findall(r"(?<!\\)\$", text)) != 1:
        text = re.sub(r"(?<!\\)\$", " ", text)
    text = _BEFORE.sub(lambda m: f"{m.group(2)}{m.group(3) or ''}\\text{{ {_name(m.group(1))}}}", text)
    return _BEHIND.sub(lambda m: f"{m.group(1)}\\text{{ {_name(m.group(2))}}}", text)


def currencies(text: str) -> frozenset[str]:
    r"""The currencies that a text names by sign or word: {dollars} for `\$5`; a hundredth is its own."""
    marked = text if len(re.findall(r"(?<!\\)\$", text)) == 1 else re.sub(r"(?<!\\)\$", " ", text)
    found = {_name(match.group()) for match in _ANY.finditer(marked)}
    found |= {match.group(1).lower().rstrip("s") + "s" for match in _PLAIN.finditer(marked)}
    return frozenset(
        {
            "yens": "yen",
            "wons": "won",
            "yuans": "yuan",
            "pound sterlings": "pounds sterling",
            "pounds sterlings": "pounds sterling",
        }.get(name, name)
        for name in found
    )


def one_differs(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two answers name currencies and not the same ones."""
    return bool(one and other) and one != other


def _name(sign: str) -> str:
    return _NAMES.get(sign, "dollars" if "dollar" in sign else "cents" if "cent" in sign else "rupees")
