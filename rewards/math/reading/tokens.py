r"""Splits a normalised answer into numbers, commands, letters and words."""

import re
from dataclasses import dataclass
from enum import StrEnum

from rewards.math.reading.notation import FUNCTIONS, words_of
from rewards.math.reading.numerals import MULTIPLIERS
from rewards.math.reading.unit_words import is_bare_unit

MAX_TOKENS = 1500


class Unreadable(ValueError):
    """The answer is not in the notation that is read here; computer algebra may know better."""


class Kind(StrEnum):
    """What a token is."""

    NUMBER = "number"
    COMMAND = "command"  # with its backslash
    LETTER = "letter"
    WORD = "word"  # an unmarked run of letters that is no product of variables
    TEXT = "text"  # the content of \text{}
    SIGN = "sign"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """One token; `is_spaced` says whether a blank precedes it."""

    kind: Kind
    text: str
    is_spaced: bool = False


END = Token(Kind.END, "")
_TOKEN = re.compile(
    r"(?P<space>\s+)|(?P<number>\d+(?:\.\d+)?|\.\d+)|\\text\s*\{(?P<text>[^{}]*)\}|(?P<command>\\[A-Za-z]+|\\[^A-Za-z\s])"
    r"|(?P<letters>[A-Za-z]+)|(?P<sign>[^\s\\])"
)
_PLAIN_COMMANDS = {
    name: "\\" + name
    for name in (
        words_of(
            "sqrt pi sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh log ln exp theta alpha beta gamma "
            "cup cap infty binom max min gcd lcm"
        )
    )
} | {
    "infinity": "\\infty",
    "inf": "\\infty",
    "union": "\\cup",
    "asin": "\\arcsin",
    "acos": "\\arccos",
    "atan": "\\arctan",
}
_FUNCTION_START = re.compile(r"(?:arc)?(?:sin|cos|tan)(?=[a-z]$)|(?:ln|log|sqrt)(?=[a-z]$)|pi(?=[a-z]?$)")
_JOINS = frozenset(("and", "or"))


def tokenize(text: str) -> list[Token]:
    """All tokens of `text`.

    Raises:
        Unreadable: More than `MAX_TOKENS` of them, or a lone backslash.
    """
    tokens: list[Token] = []
    spaced = False
    where = 0
    while where < len(text):
        match = _TOKEN.match(text, where)
        if match is None:
            raise Unreadable(text[where : where + 20])
        where = match.end()
        kind, content = match.lastgroup, match.group()
        if kind == "space":
            spaced = True
            continue
        if kind == "text":
            _add_text(tokens, match.group("text"), spaced)
        elif kind == "letters":
            _add_letters(tokens, content, spaced)
        elif kind == "number":
            tokens.append(Token(Kind.NUMBER, content, spaced))
        elif kind == "command":
            tokens.append(Token(Kind.COMMAND, content, spaced))
        else:
            tokens.append(Token(Kind.SIGN, content, spaced))
        spaced = False
        if len(tokens) > MAX_TOKENS:
            raise Unreadable(f"more than {MAX_TOKENS} tokens")
    return tokens


def _add_text(tokens: list[Token], content: str, spaced: bool) -> None:
    words = content.strip()
    lowered = words.lower().strip(" ,")
    if not words:
        return
    if lowered in _JOINS or lowered in MULTIPLIERS:
        tokens.append(Token(Kind.WORD, lowered, spaced))
    elif lowered in ("percent", "pct", "percentage", "%"):
        tokens.append(Token(Kind.SIGN, "%", spaced))
    elif "\\" + words in FUNCTIONS:
        tokens.append(Token(Kind.COMMAND, "\\" + words, spaced))
    elif words in _PLAIN_COMMANDS and not (words == "min" and tokens and _ends_amount(tokens[-1])):
        tokens.append(Token(Kind.COMMAND, _PLAIN_COMMANDS[words], spaced))
    elif re.fullmatch(r"[\d.,+\-*/()\[\]= ]+", words):
        tokens.extend(tokenize(words))
    else:
        tokens.append(Token(Kind.TEXT, words, spaced))


def _add_letters(tokens: list[Token], run: str, spaced: bool) -> None:
    lowered = run.lower()
    if lowered in ("percent", "pct", "percentage"):
        tokens.append(Token(Kind.SIGN, "%", spaced))
    elif lowered in _JOINS or lowered in MULTIPLIERS or lowered in ("in", "pm", "am"):
        tokens.append(Token(Kind.WORD, lowered, spaced))
    elif run == "min" and tokens and _ends_amount(tokens[-1]):
        tokens.append(Token(Kind.WORD, run, spaced))
    elif run in _PLAIN_COMMANDS or lowered == "infinity":
        tokens.append(Token(Kind.COMMAND, _PLAIN_COMMANDS[lowered], spaced))
    elif (start := _FUNCTION_START.match(run)) is not None:
        tokens.append(Token(Kind.COMMAND, _PLAIN_COMMANDS[start.group()], spaced))
        _letters(tokens, run[start.end() :], False)
    elif (joined := re.fullmatch(r"(or|and)([a-zA-Z])", run)) is not None and tokens and tokens[-1].kind is Kind.NUMBER:
        tokens.append(Token(Kind.WORD, joined.group(1), spaced))  # `x=1orx=2`
        _letters(tokens, joined.group(2), False)
    elif len(run) >= 2 and is_bare_unit(lowered) and (len(run) >= 4 or (tokens and _ends_amount(tokens[-1]))):
        tokens.append(Token(Kind.WORD, run, spaced))
    else:
        _letters(tokens, run, spaced)


def _letters(tokens: list[Token], run: str, spaced: bool) -> None:
    for index, letter in enumerate(run):
        tokens.append(Token(Kind.LETTER, letter, spaced and index == 0))


def _ends_amount(token: Token) -> bool:
    return token.kind is Kind.NUMBER or token.text in ("}", ")", "%", "\\pi")
