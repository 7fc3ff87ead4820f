"""Whether two single values are equal: numbers, percentages, degrees, ratios, positional numbers, infinities."""

from rewards.math.equality.angle import has_outer_degrees, in_radians, without_outer_degrees
from rewards.math.equality.value import exact_value, same_value, value_of
from rewards.math.reading.node import Node, Op
from rewards.math.reading.unit import parse_unit

_RUN, _ANGLE, _TRIANGLE = "run", "angle", "triangle"  # how letters were written, see Op.MULTIPLY
_WRITTEN = {_RUN, _ANGLE, _TRIANGLE}


def is_measured(node: Node) -> bool:
    """Whether it has a unit of the table, of money or of what is measured."""
    unit = parse_unit(node.value) if node.op is Op.QUANTITY else None
    return unit is not None and any(unit.dimension)


def same_scalar(gold: Node, pred: Node) -> bool | None:
    """Whether two values that are neither collections nor relations are equal; None: not decided here."""
    if Op.PERCENT in (gold.op, pred.op):
        return _same_percent(gold, pred)
    if {gold.value, pred.value} & _WRITTEN:
        return same_points(gold, pred)
    if has_outer_degrees(gold) or has_outer_degrees(pred):
        return _same_angle(gold, pred)
    if Op.INFINITY in (gold.op, pred.op) or any(_is_minus_infinity(node) for node in (gold, pred)):
        return gold == pred
    if gold.op is Op.RATIO and pred.op is Op.RATIO:
        return _same_ratio(gold, pred)
    if Op.RATIO in (gold.op, pred.op) and 3 in (len(gold.args), len(pred.args)):
        return False
    if gold.op is Op.BASED and pred.op is Op.BASED:
        return same_value(gold, pred) is True
    if (gold.op is Op.BASED) != (pred.op is Op.BASED):
        based = gold if gold.op is Op.BASED else pred
        # 1011_2 asked for is not 11, nor is 1011
        return exact_value(based.args[0]) == 10 and same_value(gold, pred) is True
    return same_value(gold, pred)


def same_points(gold: Node, pred: Node) -> bool | None:
    r"""Letters written together keep their order; `\angle ABC` is `\angle CBA`, not a triangle. Others commute."""
    kinds = {gold.value, pred.value}
    if gold.op is not pred.op or not kinds <= _WRITTEN:
        return same_value(gold, pred)
    if kinds == {_ANGLE, _TRIANGLE}:
        return False
    return gold.args == pred.args or (_ANGLE in kinds and gold.args == pred.args[::-1])


def _same_angle(gold: Node, pred: Node) -> bool | None:
    """60 degrees are 60 (the sign left out) and, where radians are meant, a third of pi."""
    both = has_outer_degrees(gold) and has_outer_degrees(pred)
    if both:
        return same_value(gold, pred)
    other = in_radians(pred if has_outer_degrees(gold) else gold)
    if other is not None:
        return same_value(gold, other) if has_outer_degrees(gold) else same_value(other, pred)
    if Op.QUANTITY in (gold.op, pred.op):
        return False
    return same_value(without_outer_degrees(gold), without_outer_degrees(pred))


def _is_minus_infinity(node: Node) -> bool:
    return node.op is Op.NEGATE and node.args[0].op is Op.INFINITY


def _same_percent(gold: Node, pred: Node) -> bool | None:
    """50% is 50 (the sign left out) and 0.5 (what it means), but 50 is not 0.5.

    A sign that only the answer has is left out of a gold such as 28, but not of one below 1: 0.5% is not 0.5.
    """
    first, second = (node.args[0] if node.op is Op.PERCENT else node for node in (gold, pred))
    if (gold.op is Op.PERCENT or not _is_proportion(gold)) and same_value(first, second) is True:
        return True
    return gold.op is not pred.op and same_value(gold, pred)


def _is_proportion(node: Node) -> bool:
    value = value_of(node)
    return value is not None and abs(value) < 1


def _same_ratio(gold: Node, pred: Node) -> bool | None:
    if len(gold.args) != len(pred.args):
        return False
    heads = gold.args[0], pred.args[0]
    verdicts = [
        same_value(Node(Op.MULTIPLY, (a, heads[1])), Node(Op.MULTIPLY, (b, heads[0])))
        for a, b in zip(gold.args[1:], pred.args[1:], strict=True)
    ]
    return None if None in verdicts and False not in verdicts else all(verdicts)
