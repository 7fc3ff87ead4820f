"""A place in the tokens of one answer."""

from fractions import Fraction

from rewards.math.reading.node import Node, Op
from rewards.math.reading.tokens import END, Kind, Token, Unreadable, tokenize

_MAX_DIGITS = 400
_NOTATION = (Kind.SIGN, Kind.COMMAND, Kind.WORD)


class Cursor:
    """Looks at and takes one token after the other."""

    def __init__(self, text: str) -> None:
        self._tokens = tokenize(text)
        self._at = 0
        self._end = len(self._tokens)

    @property
    def _now(self) -> Token:
        return self._tokens[self._at] if self._at < self._end else END

    def _ahead(self, distance: int = 1) -> Token:
        at = self._at + distance
        return self._tokens[at] if at < self._end else END

    def _is(self, *texts: str) -> bool:
        # This and `_take` are where reading spends its time.
        if self._at >= self._end:
            return False
        token = self._tokens[self._at]
        return token.text in texts and token.kind in _NOTATION

    def _take(self, *texts: str) -> bool:
        if self._at >= self._end:
            return False
        token = self._tokens[self._at]
        if token.text in texts and token.kind in _NOTATION:
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
