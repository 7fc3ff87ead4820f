"""Exact values of expression trees at a point, as fractions or modulo a prime.

Work is bounded: numbers beyond `_MAX_BITS` raise `TooLarge` before they are computed.
"""

import math
from collections.abc import Callable, Mapping
from fractions import Fraction

from rewards.math.reading.node import Node, Op

Point = Mapping[str, Fraction]

_MAX_BITS = 20_000
_MAX_WORK = 500_000
_MAX_FACTORIAL = 2_100
_UNARY: dict[str, Callable[[Fraction], Fraction | int]] = {"abs": abs, "floor": math.floor, "ceil": math.ceil}


class NotExact(ArithmeticError):
    """The value is not rational, or not found to be."""


class Undefined(ArithmeticError):
    """There is no value: division by zero, an unknown operation, a collection instead of a number."""


class TooLarge(ArithmeticError):
    """The value would take too long to compute."""


class Residue:
    """Evaluates modulo a prime: decides equality of integers and fractions that are too large to write out."""

    def __init__(self, point: Point, prime: int) -> None:
        self._point = point
        self._prime = prime

    def value(self, node: Node) -> int:
        """The value modulo the prime.

        Raises:
            NotExact, Undefined, TooLarge: There is none here.
        """
        args = node.args
        match node.op:
            case Op.ADD:
                return sum(map(self.value, args)) % self._prime
            case Op.MULTIPLY:
                return math.prod(map(self.value, args)) % self._prime
            case Op.NEGATE:
                return -self.value(args[0]) % self._prime
            case Op.DIVIDE:
                return self.value(args[0]) * self._inverse(self.value(args[1])) % self._prime
            case Op.POWER:
                exponent = Exact(self._point).value(args[1])
                if exponent.denominator != 1:
                    raise NotExact
                base = self.value(args[0])
                if not base and exponent > 0:
                    return 0
                # Fermat: the exponent counts modulo prime - 1 only, which keeps this cheap for any exponent.
                return pow(self._inverse(self._inverse(base)), int(exponent) % (self._prime - 1), self._prime)
            case _:
                exact = Exact(self._point).value(node)
                return exact.numerator * self._inverse(exact.denominator % self._prime) % self._prime

    def _inverse(self, value: int) -> int:
        if not value:
            raise Undefined("division by zero")
        return pow(value, -1, self._prime)


class Exact:
    """Evaluates to a `Fraction`, within a budget of bits for one tree."""

    def __init__(self, point: Point) -> None:
        self._point = point
        self._work = 0

    def value(self, node: Node) -> Fraction:
        """The exact value.

        Raises:
            NotExact, Undefined, TooLarge: There is none here.
        """
        return self._counted(self._compute(node))

    def _counted(self, result: Fraction) -> Fraction:
        bits = result.numerator.bit_length(), result.denominator.bit_length()
        self._work += sum(bits)
        if self._work > _MAX_WORK or max(bits) > _MAX_BITS:
            raise TooLarge
        return result

    def _compute(self, node: Node) -> Fraction:
        match node.op:
            case Op.NUMBER:
                return node.number
            case Op.SYMBOL:
                return self._point[node.value]
            case Op.ADD:
                total = Fraction(0)
                for arg in node.args:
                    total = self._counted(total + self.value(arg))
                return total
            case Op.MULTIPLY:
                product = Fraction(1)
                for arg in node.args:
                    product = self._counted(product * self.value(arg))
                return product
            case Op.NEGATE:
                return -self.value(node.args[0])
            case Op.QUANTITY:
                return self.value(node.args[0])
            case Op.PERCENT:
                return self.value(node.args[0]) / 100
            case Op.DIVIDE | Op.RATIO if len(node.args) == 2:
                return _divide(self.value(node.args[0]), self.value(node.args[1]))
            case Op.POWER:
                return _power(self.value(node.args[0]), self.value(node.args[1]))
            case Op.ROOT:
                degree = self.value(node.args[0])
                return _power(self.value(node.args[1]), _divide(Fraction(1), degree))
            case Op.FACTORIAL:
                return Fraction(_factorial(self.value(node.args[0])))
            case Op.BASED:
                return Fraction(_based(node.value, self.value(node.args[0])))
            case Op.FUNCTION:
                return self._function(node)
            case Op.CONSTANT | Op.DEGREE:
                raise NotExact
            case _:
                raise Undefined(node.op)

    def _function(self, node: Node) -> Fraction:
        if node.value in _UNARY:
            return Fraction(_UNARY[node.value](self.value(node.args[0])))
        if node.value == "binom":
            return Fraction(_binomial(self.value(node.args[0]), self.value(node.args[1])))
        raise NotExact


def _divide(top: Fraction, bottom: Fraction) -> Fraction:
    if not bottom:
        raise Undefined("division by zero")
    return top / bottom


def _power(base: Fraction, exponent: Fraction) -> Fraction:
    if exponent.denominator != 1:
        return _power(_exact_root(base, exponent.denominator), Fraction(exponent.numerator))
    if not base and exponent < 0:
        raise Undefined("division by zero")
    if base in (0, 1):
        return base if exponent else Fraction(1)
    if base == -1:
        return Fraction(-1 if exponent.numerator % 2 else 1)
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if abs(exponent) * bits > _MAX_BITS:
        raise TooLarge
    return base ** int(exponent)


def _exact_root(radicand: Fraction, degree: int) -> Fraction:
    if degree > 64 or (radicand < 0 and degree % 2 == 0):
        raise NotExact
    top = _integer_root(abs(radicand.numerator), degree)
    bottom = _integer_root(radicand.denominator, degree)
    return Fraction(top if radicand >= 0 else -top, bottom)


def _integer_root(value: int, degree: int) -> int:
    if degree == 2:
        root = math.isqrt(value)
    elif value.bit_length() > 1000:
        raise NotExact
    else:
        low, high = 0, 1 << (value.bit_length() // degree + 1)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if middle**degree <= value else (low, middle - 1)
        root = low
    if root**degree != value:
        raise NotExact
    return root


def _factorial(value: Fraction) -> int:
    if value.denominator != 1 or value < 0:
        raise Undefined("factorial")
    if value > _MAX_FACTORIAL:
        raise TooLarge
    return math.factorial(int(value))


def _binomial(top: Fraction, bottom: Fraction) -> int:
    if top.denominator != 1 or bottom.denominator != 1 or top < 0:
        raise Undefined("binomial")
    if top > 10**6 or min(bottom, top - bottom) > 2_000:
        raise TooLarge
    return math.comb(int(top), int(bottom)) if bottom >= 0 else 0


def _based(digits: str, base: Fraction) -> int:
    if base.denominator != 1 or not 2 <= base <= 36:
        raise Undefined("base")
    try:
        return int(digits, int(base))
    except ValueError as error:
        raise Undefined("digits") from error
