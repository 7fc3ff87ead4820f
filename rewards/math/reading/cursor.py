"""A place in the tokens of one answer."""

from fractions import Fraction

from rewards.math.reading.node import Node, Op
from rewards.math.reading.tokens import END, Kind, Token, Unreadable, tokenize

_MAX_DIGITS = 400


class Cursor:
    """Looks at and takes one token after the other."""

    def __init__(self, text: str) -> None:
        self._tokens = tokenize(text)
        self._at = 0

    @property
    def _now(self) -> Token:
        return self._ahead(0)

    def _ahead(self, distance: int = 1) -> Token:
        at = self._at + distance
        return self._tokens[at] if at < len(self._tokens) else END

    def _is(self, *texts: str) -> bool:
        return self._now.kind in (Kind.SIGN, Kind.COMMAND, Kind.WORD) and self._now.text in texts

    def _take(self, *texts: str) -> bool:
        if self._is(*texts):
            self._at += 1
            return True
        return False

    def _expect(self, *texts: str) -> str:
        token = self._now
        if not self._take(*texts):
            raise Unreadable(f"{token.text!r} where {texts} was expected")
        return token.text

    def _raw_argument(self) -> str:
        if not self._take("{"):
            token = self._now
            if token.kind is Kind.END:
                raise Unreadable("nothing after _")
            self._at += 1
            return token.text
        parts: list[str] = []
        depth = 1
        while depth:
            token = self._now
            if token.kind is Kind.END:
                raise Unreadable("unclosed {")
            self._at += 1
            depth += {"{": 1, "}": -1}.get(token.text, 0)
            parts.append(token.text)
        return "".join(parts[:-1])


def number_node(text: str) -> Node:
    """A number as written, exactly."""
    if len(text) > _MAX_DIGITS:
        raise Unreadable("too many digits")
    decimals = text.partition(".")[2]
    return Node(Op.NUMBER, number=Fraction(text), places=len(decimals) if decimals else -1, value=text)
