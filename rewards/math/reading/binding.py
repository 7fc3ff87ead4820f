r"""Letters that an answer binds itself: of a sum, of a family of solutions; and what an operator's value is.

All of it on normalised text. A bound letter may have any name, so both answers are read with the gold's.
"""

import re

_BOUND = re.compile(
    r"\\(?:sum|prod|lim|cup|cap|max|min)\s*_\s*\{?\s*([A-Za-z])\s*(?:=|\\to|\\in|\\ge|\\rightarrow|>)|\\i+nt\s*_.*?d\s*([A-Za-z])(?![A-Za-z])"
)
_DECLARED = re.compile(
    r"\s*(?:,|;|\(|(?=\\text|\b(?:for|where|with)\b))\s*(?:\\text\s*\{\s*(?:for|where|with)\s*\}|(?:for|where|with)\b)?\s*([a-zA-Z])\s*\\in\s*(\\[ZN]|\\text\{\s*[ZN]\s*\}|[ZN])\s*\)?\s*$"
)
_LETTER = re.compile(r"\\text\s*\{[^{}]*\}|\\[A-Za-z]+|[A-Za-z]")
_CONGRUENCE = re.compile(
    r"([A-Za-z])\s*\\equiv\s*(-?\d{1,30})\s*\(?\s*(?:\\[pb]?mod|\\text\s*\{\s*\(?mod\s*\}|mod(?![a-z]))\s*\{?\s*(\d{1,30})\s*\}?\s*\)?"
)
_LINEAR = re.compile(
    r"([A-Za-z])\s*=\s*(?:(-?\d{0,30})\s*(?:\\cdot)?\s*([a-zA-Z])\s*(?:([+-])\s*(\d{1,30}))?|(-?\d{1,30})\s*\+\s*(\d{1,30})\s*([a-zA-Z]))"
)
_OPERATOR = re.compile(
    r"\\(?:lim|sum|prod|i*int|oint|max|min|gcd|lcm|det|deg|sup|inf|dim|Pr|arg|Re|Im|partial)(?![A-Za-z])"
    r"|\\text\s*\{\s*(?:max|min|gcd|lcm|det|dim|deg)\s*\}(?=\s*=)"
    r"|\\text\s*\{\s*[A-Za-z ]{2,20}\s*\}\s*(?:_\s*(?:\{[^{}]*\}|\w)\s*)?[(\[]"
    r"|(?:[fghFGHPpQqEVR]|\{[PE]\})(?:'*|\^\s*(?:\{[^{}]*\}|-?\d))\s*(?:_\s*(?:\{[^{}]*\}|\w)\s*)?[(\[]"
)


def bound_as(gold: str, pred: str) -> str:
    r"""`pred` with the letters of its sums, products, limits and definite integrals named as the gold's are."""
    wanted, given = (_bound_letters(text) for text in (gold, pred))
    if wanted == given or len(wanted) != len(given):
        return pred
    for one, other in zip(wanted, given, strict=True):
        if one != other and not has_letter(pred, one):
            pred = renamed(pred, other, one)
    return pred


def _bound_letters(text: str) -> list[str]:
    return [match.group(1) or match.group(2) for match in _BOUND.finditer(text)]


def has_letter(text: str, letter: str) -> bool:
    """Whether a letter stands in TeX outside of commands and words."""
    return any(match.group() == letter for match in _LETTER.finditer(text))


def renamed(text: str, old: str, new: str) -> str:
    """`text` with one letter for another, commands and words left alone."""
    return _LETTER.sub(lambda match: new if match.group() == old else match.group(), text)


def declared(text: str) -> tuple[str, str, str]:
    r"""`\frac{\pi}{4}+k\pi, k \in \Z` without its end, the letter, and the set's letter; empty where there is none."""
    found = _DECLARED.search(text) if "\\in" in text else None
    if found is None or not has_letter(text[: found.start()], found.group(1)):
        return text, "", ""
    return text[: found.start()].strip(), found.group(1), re.sub(r"[^ZN]", "", found.group(2))


def congruence(text: str) -> tuple[str, int, int] | None:
    r"""Name, residue and modulus of `n \equiv 5 \pmod 4` (n, 1, 4), also of `n = 4k+1`."""
    match = _CONGRUENCE.fullmatch(text) if "\\equiv" in text else None
    if match is not None:
        modulus = int(match.group(3))
        return (match.group(1), int(match.group(2)) % modulus, modulus) if modulus else None
    linear = _LINEAR.fullmatch(declared(text)[0]) if "=" in text else None
    if linear is None or (linear.group(3) or linear.group(8)) == linear.group(1):
        return None
    if linear.group(3):
        slope = {"": 1, "-": -1}.get(linear.group(2)) or int(linear.group(2) or 1)
        shift = int(linear.group(5) or 0) * (-1 if linear.group(4) == "-" else 1)
    else:
        slope, shift = int(linear.group(7)), int(linear.group(6))
    return (linear.group(1), shift % abs(slope), abs(slope)) if slope else None


def behind_operator(text: str) -> str | None:
    r"""`2 + 3 = 5` of `\lim_{x\to 0} f(x) = 2 + 3 = 5`: all that stands behind the first `=` of such a left side.

    So `f(1) = 3, f(2) = 5` is `3, f(2) = 5`, which is not 5.
    """
    if "=" not in text or _OPERATOR.match(text) is None:
        return None
    depth = 0
    for at, char in enumerate(text):
        if char in "({[":
            depth += 1
        elif char in ")}]":
            depth -= 1
        elif char == "=" and not depth and at:
            return text[at + 1 :].strip() or None
    return None
