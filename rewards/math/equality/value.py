"""Equality of two expressions: exactly where both are rational, else by their values at fixed points to 60 digits.

Two expressions that agree at several points of no special kind are the same function, but for a probability that
is negligible for answers that people write (Schwartz 1980, Zippel 1979, for polynomials). The points are fixed, so
verdicts are deterministic.
"""

import contextlib
from fractions import Fraction

from rewards.math.equality.complex import Approximate, Complex
from rewards.math.equality.exact import Exact, NotExact, Point, Residue, TooLarge, Undefined
from rewards.math.reading.node import Node, Op, anywhere, contains, symbols

_DIGITS = 80
_MAX_DIGITS = 2000
_PRIMES = (2**61 - 1, 2**89 - 1)
# Positive; of both signs; between 0 and 1.
_POINTS = (
    ((13, 7), (29, 11), (41, 17), (19, 23), (53, 29), (31, 13), (67, 31), (71, 19)),
    ((-17, 11), (23, 7), (-37, 13), (43, 19), (-59, 23), (61, 17), (-73, 29), (79, 31)),
    ((3, 31), (7, 17), (5, 13), (11, 29), (2, 23), (13, 37), (17, 41), (19, 43)),
)
_DISCRETE_POINTS = ((3, 7, 5, 11, 9, 13, 8, 15), (4, 9, 7, 6, 12, 5, 17, 10), (2, 5, 8, 12, 3, 7, 11, 16))
# A rounded value changes only at some integers: floor((n+2)/4) and floor((n+3)/4) agree at three of four.
_ROUNDING_POINTS = tuple((n, n // 2 + 3, 2 * n + 1, n + 5, 3 * n + 2, 17 - n, n * n, n + 11) for n in range(1, 25))
_MAX_SYMBOLS = 8
_MIN_PLACES = 6


def same_value(gold: Node, pred: Node) -> bool | None:
    """Whether two scalar expressions are equal; None if their values cannot be computed."""
    verdict = _same(gold, pred, 0)
    if verdict is not True and any(_has_bare_log(node) for node in (gold, pred)):
        # log without a base is the natural or the common one, by the problem's custom
        return _same(gold, pred, 10) or verdict
    return verdict


def value_of(node: Node) -> Approximate | None:
    """The complex value of a constant expression, None if it has symbols or no value."""
    try:
        return Complex({}).value(node)
    except (Undefined, TooLarge, KeyError):
        return None


def exact_value(node: Node) -> Fraction | None:
    """The value of a constant rational expression."""
    try:
        return Exact({}).value(node)
    except (NotExact, Undefined, TooLarge, KeyError):
        return None


def proportion(gold: Node, pred: Node) -> Fraction | float | None:
    """The constant c with pred = c * gold (never 0), for equations and inequalities written as `... = 0`."""
    ratio: Fraction | None = None
    approximate: float | None = None
    for point in _points(gold, pred):
        try:
            above, below = Exact(point).value(pred), Exact(point).value(gold)
        except (Undefined, TooLarge):
            return None
        except NotExact:
            close = _approximate_ratio(gold, pred, point)
            if close is None or (approximate is not None and abs(close - approximate) > 1e-9 * abs(close)):
                return None
            approximate = close
            continue
        if not above or not below or (ratio is not None and above != ratio * below):
            return None
        ratio = above / below
    return ratio if ratio is not None else approximate


def is_solution(name: str, content: Node, difference: Node) -> bool:
    """Whether `name` = `content` solves `difference` = 0, which is linear in `name`, whatever else it contains."""
    points = _points(difference, content)
    for point in points:
        try:
            at = [Complex({**point, name: Fraction(value)}).value(difference) for value in (0, 1, 2)]
            root = Complex(point).value(content)
        except (Undefined, TooLarge):
            return False
        slope = at[1] - at[0]
        size = max(map(abs, at))
        if abs(slope) <= 1e-9 * size or abs(at[2] - at[1] - slope) > 1e-9 * size:
            return False
        if abs(at[0] + slope * root) > 1e-9 * (size + abs(slope * root)):
            return False
    return bool(points)


def _approximate_ratio(gold: Node, pred: Node, point: Point) -> float | None:
    try:
        ratio = Complex(point).value(pred) / Complex(point).value(gold)
    except (Undefined, TooLarge, ZeroDivisionError):
        return None
    if abs(ratio.imag) > 1e-9 * abs(ratio) or not ratio:
        return None
    return float(ratio.real)


def _has_bare_log(node: Node) -> bool:
    return anywhere(node, lambda part: part.op is Op.FUNCTION and part.value == "log" and len(part.args) == 1)


def _points(gold: Node, pred: Node) -> list[Point]:
    names = sorted(symbols(gold) | symbols(pred))
    if not names:
        return [{}]
    if len(names) > _MAX_SYMBOLS:
        return []
    if anywhere(gold, _is_discrete) or anywhere(pred, _is_discrete):
        chosen = _DISCRETE_POINTS + (_ROUNDING_POINTS if anywhere(gold, _rounds) or anywhere(pred, _rounds) else ())
        return [dict(zip(names, map(Fraction, values), strict=False)) for values in chosen]
    return [{name: Fraction(*pair) for name, pair in zip(names, pairs, strict=False)} for pairs in _POINTS]


def _rounds(node: Node) -> bool:
    return node.op is Op.FUNCTION and node.value in ("floor", "ceil")


def _is_discrete(node: Node) -> bool:
    """Whether some symbol in it can only be an integer, or is most likely one: in factorials, exponents, rounding."""
    if node.op is Op.FACTORIAL or (node.op is Op.FUNCTION and node.value in ("binom", "floor", "ceil")):
        return bool(symbols(node))
    return node.op is Op.POWER and bool(symbols(node.args[1])) and not contains(node.args[0], Op.CONSTANT)


def _same(gold: Node, pred: Node, log_base: int) -> bool | None:
    points = _points(gold, pred)
    agreed = False
    skipped: list[Point] = []
    wants_complex = anywhere(gold, _is_imaginary) or anywhere(pred, _is_imaginary)
    for point in points:
        verdict = _same_at(gold, pred, point, log_base, wants_complex or not point)
        if verdict is False:
            return False
        if verdict is None:
            skipped.append(point)
        else:
            agreed = True
    if agreed:
        return True
    for point in skipped:
        verdict = _same_at(gold, pred, point, log_base, True)
        if verdict is not None:
            return verdict
    # Where the gold answer has a value and the prediction has none, or none that can be computed, they differ.
    return False if any(_has_value(gold, point) for point in points) else None


def _has_value(node: Node, point: Point) -> bool:
    try:
        Complex(point).value(node)
    except (Undefined, TooLarge, NotExact):
        return False
    return True


def _is_imaginary(node: Node) -> bool:
    return node.op is Op.CONSTANT and node.value == "i"


def _same_at(gold: Node, pred: Node, point: Point, log_base: int, wants_complex: bool) -> bool | None:
    try:
        first, second = Exact(point).value(gold), Exact(point).value(pred)
        return first == second or (not point and _same_rounded(gold, pred, first, second))
    except Undefined:
        return None
    except TooLarge:
        with contextlib.suppress(NotExact, Undefined, TooLarge):
            return all(Residue(point, prime).value(gold) == Residue(point, prime).value(pred) for prime in _PRIMES)
    except NotExact:
        pass
    try:
        close = _close(Complex(point, log_base=log_base), gold, pred, wants_complex, 1e-3, 1e-6)
        if close is False or close is None:
            return close
    except TooLarge:  # for double precision; mpmath's exponents go further
        pass
    except Undefined:
        return None
    try:
        precise = Complex(point, digits=_DIGITS, log_base=log_base)
        if not point and _same_rounded(gold, pred, precise.value(gold), precise.value(pred)):
            return True
        needed = precise.decimal_size(gold) + _DIGITS
        if needed > _MAX_DIGITS:
            return False
        if needed > _DIGITS + 20:  # so that e^{200}+1 is not e^{200}
            precise = Complex(point, digits=needed, log_base=log_base)
        return _close(precise, gold, pred, wants_complex, precise.smallest(20), precise.smallest(15))
    except (Undefined, TooLarge):
        return None


def _close(
    field: Complex, gold: Node, pred: Node, wants_complex: bool, relative: Approximate, absolute: Approximate
) -> bool | None:
    """Whether two values agree; None where a real function has no real value, which says nothing."""
    first, second = field.value(gold), field.value(pred)
    size = max(abs(first), abs(second))
    if not wants_complex and max(abs(first.imag), abs(second.imag)) > 1e-9 * size:
        return None
    return bool(abs(first - second) <= relative * size + absolute)


def _same_rounded(gold: Node, pred: Node, first: Approximate, second: Approximate) -> bool:
    """A decimal with six or more places stands for every number that is cut or rounded to it: 0.333333 is 1/3.

    Two decimals are compared exactly, and so are integers.
    """
    places = [_decimal_places(node) for node in (gold, pred)]
    if (places[0] >= 0) == (places[1] >= 0):
        return False
    shown = max(places)
    difference = abs(first - second)
    return bool(shown >= _MIN_PLACES and difference < 10.0 ** -min(shown, 30))


def _decimal_places(node: Node) -> int:
    while node.op is Op.NEGATE:
        node = node.args[0]
    return node.places if node.op is Op.NUMBER else -1
