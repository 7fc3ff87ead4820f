r"""A problem's text with its symbols where they stand: what tells problems of the same letters and digits apart.

`75-51` and `755-1`, `x^2+5x` and `x^2-5x`, `1.5` and `15`, `5!` and `5`, `print("1")` and `print(1)` have the same
letters and digits and ask different things. What a symbol looks like, white space, marks of a sentence, hyphens of
words, and the delimiters and braces that LaTeX needs for one character say nothing.
"""

import re
import unicodedata
from functools import cache

from data_prep.cleaning.normalised_text import INSTRUCTIONS, TRANSLATION_ORDER, folded, plain_commands

_DOUBLED = re.compile(r"\\{2,}(?=[A-Za-z])")
_FONT = re.compile(r"\\(?:text|mathrm|mathbf|mathit|mathcal|operatorname|mbox|textbf|textit|textrm|rm)\s*\{([^{}]*)\}")
_SUBSCRIPT = re.compile(r"_(\d)(?=\d)")  # LaTeX takes one character: \log_210 is the logarithm of 10
_ATOM = re.compile(r"(?<!\\)\{\s*(\w|\\[A-Za-z]+)?\s*\}")
_DELIMITER = re.compile(r"\\[()\[\],;:!> ]|\\\\|(?<!\\)\$")
_THOUSANDS = re.compile(r"(?<=\d)(?:,|\{,\}|\\,)\s?(?=\d{3}(?!\d))")
_HYPHEN = re.compile(r"(?<=[^\W\d_]{3})[-\u2010](?=[^\W\d_]{2})|(?<=[^\W\d_]{2})[-\u2010](?=[^\W\d_]{3})")
_EMPHASIS = re.compile(r"\*+(?=[^\W\d_]{2})|(?<=[^\W\d_]{2})\*+|[_`#]|\^(?=[_\s])")
# One way to write what is typeset in several.
_SAME = {
    **dict.fromkeys("\N{MINUS SIGN}\N{EN DASH}\N{EM DASH}\N{HYPHEN}", "-"),
    **dict.fromkeys("\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}\N{PRIME}", "'"),
    **dict.fromkeys("\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}\N{DOUBLE PRIME}\"", "''"),
    **dict.fromkeys("\N{FRACTION SLASH}\N{DIVISION SLASH}", "/"),
    "\N{IDEOGRAPHIC FULL STOP}": ". ", "\N{IDEOGRAPHIC COMMA}": ", ", "\N{FULLWIDTH COMMA}": ", ",
    "\N{HORIZONTAL ELLIPSIS}": " ", "\N{ASTERISK OPERATOR}": "*",
}  # fmt: skip
_SENTENCE = re.compile(r"[.,;:?]+(?=\s)")
_AFTER_INSTRUCTION = re.compile(r"^[.:]?(?=\s|$)")
# All but letters, digits, operators, comparisons, decimal points, arrows, set operators, and the blank of two numbers.
_OPERATORS = re.compile(r"[^\w\s+*/^<>=%&|!~.\-\u2190-\u22ff]|\.(?!\d)")
_END = "\0"


def written(text: str) -> str:
    """The problem in lower-case letters, digits and symbols, without instructions and typography."""
    symbols, letters = _taken_apart(text)
    bare = "".join(letters)
    for instruction in INSTRUCTIONS:
        while (place := bare.find(instruction)) >= 0:
            bare = _without(symbols, bare, place, place + len(instruction))
    while (order := TRANSLATION_ORDER.search(bare)) is not None:
        bare = _without(symbols, bare, *order.span())
    before = ("", *bare)
    return "".join(_kept(gap, left, right) + right for gap, left, right in zip(symbols, before, bare, strict=False))[
        :-1
    ]


def operators(spelt: str) -> str:
    """What `written` gives without the symbols that often are mere style: quotes, brackets, commas."""
    return _OPERATORS.sub("", spelt)


def _taken_apart(text: str) -> tuple[list[str], list[str]]:
    """The symbols before each letter or digit, and these; an end mark is the last."""
    text = _FONT.sub(r"\1", _DOUBLED.sub(r"\\", text))
    text = _ATOM.sub(lambda found: found[1] or "", _SUBSCRIPT.sub(r"\1 ", plain_commands(text)))
    text = _EMPHASIS.sub("", _HYPHEN.sub("", _DELIMITER.sub(" ", _THOUSANDS.sub("", text)))).replace("\\", "")
    symbols: list[str] = []
    letters: list[str] = []
    gap = ""
    for character in text:
        found = character.lower() if character.isascii() and character.isalnum() else folded(character)
        if not found:
            gap += _SAME.get(character) or unicodedata.normalize("NFKC", character)
            continue
        if unicodedata.decomposition(character).startswith("<super>") and not gap.endswith("^"):
            gap += "^"
        symbols += [gap, *[""] * (len(found) - 1)]
        letters += found
        gap = ""
    return [*symbols, gap], [*letters, _END]


def _without(symbols: list[str], bare: str, start: int, end: int) -> str:
    """Takes letters out; the symbols before them, which are the problem's, go to what follows."""
    symbols[end] = f"{symbols[start]} {_AFTER_INSTRUCTION.sub('', symbols[end])}"
    del symbols[start:end]
    return bare[:start] + bare[end:]


@cache
def _kept(gap: str, left: str, right: str) -> str:
    """The symbols between two letters or digits that say something; a blank where they part two numbers."""
    symbols = "".join(_SENTENCE.sub(" ", gap).split())
    if right == _END:
        symbols = symbols.rstrip(".,;:?!" if left.isalpha() else ".,;:?")
    if left.isdigit() and right.isdigit():
        return " " if gap and not symbols.strip(",") else symbols
    return symbols
