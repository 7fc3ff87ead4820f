"""Reads values written in Python's or JSON's notation out of model text, without Python's parser and without eval.

A closed grammar, linear time, limited nesting: whatever is not a plain literal raises `BadLiteral`. An expression such
as `9**9**9` is not a literal, so there is nothing to compute.
"""

import math
import re
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Any

from rewards.problem.question import BadGroundTruth
from rewards.sandbox.source_text import source_of

_MAX_DEPTH = 64
_MAX_DIGITS = 4000  # int() of more is refused by Python itself
MAX_LITERAL = 1 << 16

_BLANK = re.compile(r"(?:\s+|#[^\n]*)+")
_NUMBER = re.compile(r"[+-]?(?:\d+(?:_\d+)*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_STRING = re.compile(r"""[uUbBrR]?(?:'''(?:[^\\]|\\.)*?'''|\"{3}(?:[^\\]|\\.)*?\"{3}|'[^'\\]*(?:\\.[^'\\]*)*'"""
                     r"""|"[^"\\]*(?:\\.[^"\\]*)*")""", re.DOTALL)  # fmt: skip
_WORD = re.compile(r"[+-]?[A-Za-z_]\w*")
_EMPTY_CALL = re.compile(r"\s*\(\s*\)")
_ESCAPE = re.compile(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{1,3}|\n|.)", re.DOTALL)
_SIMPLE_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "a": "\a", "v": "\v", "\n": ""}
_WORDS: dict[str, object] = {
    "True": True, "true": True, "False": False, "false": False, "None": None, "null": None,
    "NaN": math.nan, "nan": math.nan, "Infinity": math.inf, "-Infinity": -math.inf, "inf": math.inf, "-inf": -math.inf,
}  # fmt: skip


class BadLiteral(ValueError):
    """The text is not a plain literal."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments of a call, all of them literals."""

    positional: tuple[object, ...]
    named: tuple[tuple[str, object], ...]

    def source(self) -> str:
        """Python source of the arguments, written from the values and not from the text they were read from."""
        return ", ".join([*map(source_of, self.positional), *(f"{name}={source_of(v)}" for name, v in self.named)])


def parse_literal(text: str, max_characters: int = MAX_LITERAL) -> object:
    """The value that the whole of `text` is the notation of.

    Raises:
        BadLiteral: It is anything else, too long or nested too deeply.
    """
    if len(text) > max_characters:
        raise BadLiteral(f"longer than {max_characters} characters")
    scanner = LiteralScanner(text)
    value = scanner.value()
    scanner.end()
    return value


def gold_literal(ground_truth: str, what: str) -> object:
    """The value of a gold answer, of at most 4 MB.

    Raises:
        BadGroundTruth: It is no literal, and so no `what`.
    """
    try:
        return parse_literal(ground_truth, 1 << 22)
    except BadLiteral as error:
        raise BadGroundTruth(f"ground_truth is no {what}: {error}") from error


class LiteralScanner:
    """Reads literals and punctuation from left to right."""

    def __init__(self, text: str, position: int = 0) -> None:
        self._text = text
        self._has_comma = False
        self.position = position

    def take(self, token: str) -> bool:
        """Whether `token` comes next; if so it is passed."""
        self._skip()
        if not self._text.startswith(token, self.position):
            return False
        after = self.position + len(token)
        if token[-1].isalnum() and self._text[after : after + 1].replace("_", "a").isalnum():
            return False
        self.position = after
        return True

    def end(self) -> None:
        """Raises BadLiteral unless nothing but blanks and comments is left."""
        self._skip()
        if self.position != len(self._text):
            raise BadLiteral(f"unexpected text at {self._text[self.position : self.position + 20]!r}")

    def arguments(self) -> Arguments:
        """Literals up to the closing bracket of a call, which is passed."""
        positional: list[object] = []
        named: list[tuple[str, object]] = []
        for _ in self._listed(")"):
            self._skip()
            name = re.compile(r"([A-Za-z_]\w*)\s*=(?!=)").match(self._text, self.position)
            if name:
                self.position = name.end()
                named.append((name.group(1), self.value()))
            elif named:
                raise BadLiteral("positional argument after a named one")
            else:
                positional.append(self.value())
        return Arguments(tuple(positional), tuple(named))

    def value(self, depth: int = 0) -> object:
        """The literal that comes next.

        Raises:
            BadLiteral: There is none.
        """
        if depth > _MAX_DEPTH:
            raise BadLiteral("nested too deeply")
        self._skip()
        first = self._text[self.position : self.position + 1]
        if first == "[":
            self.position += 1
            return [self.value(depth + 1) for _ in self._listed("]")]
        if first == "(":
            self.position += 1
            items = [self.value(depth + 1) for _ in self._listed(")")]
            return items[0] if len(items) == 1 and not self._has_comma else tuple(items)
        if first == "{":
            self.position += 1
            return self._braced(depth)
        number = _NUMBER.match(self._text, self.position)
        if number:
            self.position = number.end()
            self._no_word_follows()
            return _number(number.group())
        return self._strings() if _STRING.match(self._text, self.position) else self._word()

    def _listed(self, closing: str) -> Iterator[None]:
        """Once for each item, which the caller reads, up to the closing bracket, which is passed."""
        self._has_comma = False  # in front of the bracket passed last
        while not self.take(closing):
            yield
            self._has_comma = self.take(",")
            if not self._has_comma:
                if not self.take(closing):
                    raise BadLiteral(f"no {closing!r}")
                return

    def _braced(self, depth: int) -> object:
        pairs: dict[Hashable, object] = {}
        members: set[Hashable] = set()
        is_first = True
        for _ in self._listed("}"):
            key = self.value(depth + 1)
            try:
                hash(key)
            except TypeError as error:  # a list, or a tuple that holds one
                raise BadLiteral("a key or member that cannot be one") from error
            colon = self.take(":")
            if not is_first and colon != bool(pairs):
                raise BadLiteral("neither a dict nor a set")
            is_first = False
            if colon:
                pairs[key] = self.value(depth + 1)
            else:
                members.add(key)
        return members or pairs

    def _strings(self) -> str | bytes:
        parts: list[Any] = []
        while string := _STRING.match(self._text, self.position):
            self.position = string.end()
            parts.append(_string(string.group()))
            self._skip()
        if len(set(map(type, parts))) != 1:
            raise BadLiteral("text and bytes mixed")
        joined: str | bytes = type(parts[0])().join(parts)
        return joined

    def _word(self) -> object:
        word = _WORD.match(self._text, self.position)
        if word and word.group() in _WORDS:
            self.position = word.end()
            return _WORDS[word.group()]
        if word and word.group() == "set":
            empty = _EMPTY_CALL.match(self._text, word.end())
            if empty:
                self.position = empty.end()
                return set()
        raise BadLiteral(f"no literal at {self._text[self.position : self.position + 20]!r}")

    def _skip(self) -> None:
        blank = _BLANK.match(self._text, self.position)
        if blank:
            self.position = blank.end()

    def _no_word_follows(self) -> None:
        following = self._text[self.position : self.position + 1]
        if following.isalnum() or following == "_":
            raise BadLiteral("a number that runs into a word")


def _number(text: str) -> int | float:
    if len(text) > _MAX_DIGITS:
        raise BadLiteral("too many digits")
    return float(text) if re.search(r"[.eE]", text) else int(text)


def _string(text: str) -> str | bytes:
    prefix = text[0].lower() if text[0] not in "'\"" else ""
    body = text[len(prefix) :]
    quotes = 3 if body[:3] in ("'''", '"""') and len(body) >= 6 else 1
    body = body[quotes:-quotes]
    if prefix != "r":
        body = _ESCAPE.sub(_unescaped, body)
    if prefix == "b":
        try:
            return body.encode("latin-1")
        except UnicodeEncodeError as error:
            raise BadLiteral("bytes that are no bytes") from error
    if any("\ud800" <= character <= "\udfff" for character in body):  # JSON writes one character as two escapes
        body = body.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return body


def _unescaped(match: re.Match[str]) -> str:
    code = match.group()[1:]
    if code[0] in "xuU" and len(code) > 1:
        point = int(code[1:], 16)
        if point > 0x10FFFF:
            raise BadLiteral("no such character")
        return chr(point)
    if code[0] in "01234567":
        return chr(int(code, 8))
    if code in _SIMPLE_ESCAPES:
        return _SIMPLE_ESCAPES[code]
    return code if code in "\\'\"/" else match.group()
