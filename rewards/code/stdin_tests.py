"""Tests that give a program standard input and look at what it prints."""

import math
import re
from dataclasses import dataclass
from decimal import Decimal, localcontext

from rewards.sandbox.inside.agreement import close

_DECIMAL = re.compile(r"[+-]?(?:\d+\.\d*|\.\d+|\d+(?=[eE]))(?:[eE][+-]?\d+)?", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_TOLERANCE = Decimal("1e-6")
_INTEGER = re.compile(r"[+-]?\d{1,400}", re.ASCII)
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

    Lines and tokens must be as many. A token must be the same text, but yes and no in any case. Where the expected
    one is written with a decimal point or exponent, any number within 1e-6, absolutely or relatively, will do. Where it
    is an integer, so will a number with a decimal point or exponent within an absolute 1e-6, and no other integer:
    2.0 is 2, as for LiveCodeBench and for Guru's reference, and 10**18 + 1 is not 10**18 in any spelling.
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
    if len(printed) > 400 or not _NUMBER.fullmatch(printed):
        return False
    if not _DECIMAL.fullmatch(expected):
        return _INTEGER.fullmatch(expected) is not None and _is_that_integer(printed, expected)
    value, gold = float(printed), float(expected)
    return math.isfinite(value) and math.isfinite(gold) and close(value, gold)


def _is_that_integer(printed: str, expected: str) -> bool:
    """Whether a number with a decimal point or exponent is, within the tolerance, the expected integer; exactly."""
    if not _DECIMAL.fullmatch(printed):
        return False
    try:
        with localcontext() as exact:
            exact.prec = 1000
            return abs(Decimal(printed) - Decimal(expected)) <= _TOLERANCE
    except ArithmeticError:  # an exponent beyond all
        return False
