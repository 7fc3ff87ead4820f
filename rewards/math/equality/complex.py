"""Approximate values of expression trees at a point: complex numbers of double or any higher precision.

Work is bounded: exponents that mpmath would write out whatever their size raise `TooLarge`.
"""

import cmath
import importlib
import math
import threading
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from rewards.math.equality.exact import Exact, NotExact, Point, TooLarge, Undefined
from rewards.math.reading.node import Node, Op, integer

# A complex, or an mpmath number: both know the same operators.
Approximate = Any

_MAX_EXPONENT_BITS = 24

_contexts = threading.local()


def _precise(digits: int) -> Any:
    """This thread's mpmath: its precision is a variable of the context, which threads may not share."""
    context = getattr(_contexts, "context", None)
    if context is None:
        # mpmath comes with sympy; it is slow to import, and only needed for close calls.
        context = _contexts.context = importlib.import_module("mpmath").MPContext()
    context.dps = digits
    return context


class Complex:
    """Evaluates to complex floating point numbers: Python's own, or mpmath's with `digits` decimal digits."""

    def __init__(self, point: Point, *, digits: int = 0, log_base: int = 0) -> None:
        self._point = point
        self._digits = digits
        self._log_base = log_base
        self._library: Any = cmath
        if digits:
            self._library = _precise(digits)

    def value(self, node: Node) -> Approximate:
        """The approximate value.

        Raises:
            Undefined, TooLarge: There is none here.
        """
        try:
            return self._compute(node)
        except (OverflowError, MemoryError) as error:
            raise TooLarge from error
        except (ZeroDivisionError, ValueError) as error:
            raise Undefined(str(error)) from error

    def decimal_size(self, node: Node) -> int:
        """Decimal digits before the point of the value of `node`, at least 0; with mpmath only."""
        size = self._library.mag(self.value(node))
        return max(0, int(size * 0.30103)) if self._library.isfinite(size) else 0

    def smallest(self, margin: int) -> Approximate:
        """A relative difference that rounding cannot make, with `margin` digits to spare; with mpmath only."""
        return self._library.mpf(10) ** (margin - self._digits)

    def _number(self, value: Fraction) -> Approximate:
        if self._digits:
            return self._library.mpc(value.numerator) / value.denominator
        return complex(value.numerator / value.denominator)

    def _compute(self, node: Node) -> Approximate:
        args = node.args
        match node.op:
            case Op.NUMBER:
                return self._number(node.number)
            case Op.SYMBOL:
                return self._number(self._point[node.value])
            case Op.CONSTANT:
                return self._constant(node.value)
            case Op.ADD:
                return sum((self._compute(arg) for arg in args), self._number(Fraction(0)))
            case Op.MULTIPLY:
                product = self._number(Fraction(1))
                for arg in args:
                    product *= self._compute(arg)
                return product
            case Op.NEGATE:
                return -self._compute(args[0])
            case Op.QUANTITY:
                return self._compute(args[0])
            case Op.PERCENT:
                return self._compute(args[0]) / 100
            case Op.DEGREE:
                return self._compute(args[0]) * self._constant("pi") / 180
            case Op.DIVIDE | Op.RATIO if len(args) == 2:
                return self._compute(args[0]) / self._compute(args[1])
            case Op.POWER:
                return self._power(self._compute(args[0]), args[1])
            case Op.ROOT:
                return self._power(self._compute(args[1]), Node(Op.DIVIDE, (integer(1), args[0])))
            case Op.FUNCTION if node.value in ("abs", "floor", "ceil", "binom"):
                return self._integer_like(node)
            case Op.FUNCTION:
                return self._function(node)
            case Op.FACTORIAL:
                return self._factorial(node)
            case Op.BASED:
                return self._number(Exact(self._point).value(node))
            case _:
                raise Undefined(node.op)

    def _factorial(self, node: Node) -> Approximate:
        """Of an irrational number too, by the gamma function; `Undefined` beyond 170, where doubles end."""
        try:
            return self._number(Exact(self._point).value(node))
        except NotExact:
            inner = self._compute(node.args[0])
        if inner.imag or not 0 <= inner.real <= 170:
            raise Undefined("factorial")
        gamma: Callable[[Approximate], Approximate] = self._library.gamma if self._digits else math.gamma
        return self._number(Fraction(0)) + gamma(inner.real + 1)

    def _constant(self, name: str) -> Approximate:
        if name == "i":
            return self._library.mpc(0, 1) if self._digits else 1j
        constant = self._library.pi if name == "pi" else self._library.e
        return self._library.mpc(constant) if self._digits else complex(constant)

    def _on_upper_side(self, value: Approximate) -> Approximate:
        """A real number with the imaginary part +0: -0 lies across the branch cut, where roots change sign."""
        if value.imag:
            return value
        return self._library.mpc(value.real, 0) if self._digits else complex(value.real, 0.0)

    def _power(self, base: Approximate, exponent_node: Node) -> Approximate:
        base = self._on_upper_side(base)
        try:
            exponent: Fraction | None = Exact(self._point).value(exponent_node)
        except (NotExact, Undefined):
            exponent = None
        is_odd_root = exponent is not None and exponent.denominator % 2 == 1 and exponent.denominator > 1
        if exponent is not None and is_odd_root and base.imag == 0 and base.real < 0:
            # The real root of a negative number, as in schools, not the principal complex one.
            size = (-base) ** self._number(exponent)
            return -size if exponent.numerator % 2 else size
        if exponent is not None and exponent.denominator == 1 and abs(exponent) < 64:
            return base ** int(exponent)
        power = self._compute(exponent_node) if exponent is None else self._number(exponent)
        self._check(power, base)
        if base == 0:
            if power.real > 0:
                return base
            raise Undefined("0 to no positive power")
        return base**power

    def _check(self, exponent: Approximate, base: Approximate) -> None:
        """Refuses what mpmath would write out: a power of any size."""
        if self._digits and self._library.mag(exponent) + max(0, self._bits(base)) > _MAX_EXPONENT_BITS:
            raise TooLarge

    def _bits(self, value: Approximate) -> int:
        size = self._library.mag(value)
        return int(abs(size)).bit_length() if self._library.isfinite(size) else 0

    def _integer_like(self, node: Node) -> Approximate:
        if node.value == "abs":
            return self._number(Fraction(0)) + abs(self._compute(node.args[0]))
        try:
            return self._number(Exact(self._point).value(node))
        except NotExact:
            if node.value == "binom":
                raise Undefined("binomial") from None
        inner = self._compute(node.args[0])
        rounding: Callable[[Approximate], Approximate] = self._library.floor if self._digits else math.floor
        return self._number(Fraction(0)) + (rounding(inner.real) if node.value == "floor" else -rounding(-inner.real))

    def _function(self, node: Node) -> Approximate:
        inner = self._on_upper_side(self._compute(node.args[0]))
        name = node.value
        if self._digits and self._library.mag(inner) > (_MAX_EXPONENT_BITS if "exp" in name or "h" in name else 200):
            raise TooLarge
        lib = self._library
        if name in ("ln", "log"):
            if inner == 0:
                raise Undefined("logarithm of zero")
            logarithm = lib.log(inner)
            if len(node.args) > 1:
                return logarithm / lib.log(self._compute(node.args[1]))
            return logarithm / lib.log(10) if name == "log" and self._log_base == 10 else logarithm
        if name in ("sec", "csc", "cot", "coth"):
            return 1 / getattr(lib, {"sec": "cos", "csc": "sin", "cot": "tan", "coth": "tanh"}[name])(inner)
        if name in ("arcsec", "arccsc", "arccot"):
            return getattr(lib, {"arcsec": "acos", "arccsc": "asin", "arccot": "atan"}[name])(1 / inner)
        known = {"arcsin": "asin", "arccos": "acos", "arctan": "atan"}
        name = known.get(name, name)
        if name not in ("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "exp"):
            raise Undefined(name)
        return getattr(lib, name)(inner)
