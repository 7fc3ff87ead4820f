"""Tests that give a program standard input and look at what it prints."""

import math
import re
from dataclasses import dataclass

from rewards.sandbox.inside.agreement import close

_DECIMAL = re.compile(r"[+-]?(?:\d+\.\d*|\.\d+|\d+(?=[eE]))(?:[eE][+-]?\d+)?", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_SLACK = 64 << 10
_HARD_LIMIT = 16 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class StdinTests:
    """Pairs of an input and the expected output; never empty."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def output_limits(self) -> list[int]:
        """Bytes of output to read of each run: what is expected twice over and some, so that a flood ends early."""
        return [min(2 * len(output.encode()) + _SLACK, _HARD_LIMIT) for output in self.outputs]


def same_output(printed: str, expected: str) -> bool:
    """Whether two outputs are the same up to blanks between and after tokens and blank lines around.

    Lines and tokens must be as many. A token must be the same text, but yes and no in any case; where the expected
    one is written with a decimal point or exponent, any number within 1e-6, absolutely or relatively, will do.
    """
    one, other = _lines(printed), _lines(expected)
    return one == other or (len(one) == len(other) and all(map(_same_line, one, other)))


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.replace("\r\n", "\n").strip().split("\n")]


def _same_line(printed: str, expected: str) -> bool:
    if printed == expected:
        return True
    one, other = printed.split(), expected.split()
    return len(one) == len(other) and all(map(_same_token, one, other))


def _same_token(printed: str, expected: str) -> bool:
    if printed == expected:
        return True
    lowered = expected.lower()
    if lowered in ("yes", "no", "nan", "inf", "-inf"):
        return printed.lower() == lowered
    if len(printed) > 400 or not _DECIMAL.fullmatch(expected) or not _NUMBER.fullmatch(printed):
        return False
    value, gold = float(printed), float(expected)
    return math.isfinite(value) and math.isfinite(gold) and close(value, gold)
