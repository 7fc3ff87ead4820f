"""Whether two single values are equal: numbers, percentages, ratios, positional numbers, infinities."""

from rewards.math.equality.value import exact_value, same_value
from rewards.math.reading.node import Node, Op, symbols


def same_scalar(gold: Node, pred: Node) -> bool | None:
    """Whether two values that are neither collections nor relations are equal; None: not decided here."""
    if Op.PERCENT in (gold.op, pred.op):
        return _same_percent(gold, pred)
    if Op.INFINITY in (gold.op, pred.op) or any(_is_minus_infinity(node) for node in (gold, pred)):
        return gold == pred
    if gold.op is Op.RATIO and pred.op is Op.RATIO:
        return _same_ratio(gold, pred)
    if Op.RATIO in (gold.op, pred.op) and 3 in (len(gold.args), len(pred.args)):
        return False
    if not symbols(gold) and _has_metres(pred):
        return same_value(gold, pred.args[0])
    if gold.op is Op.BASED and pred.op is Op.BASED:
        return same_value(gold, pred) is True
    if (gold.op is Op.BASED) != (pred.op is Op.BASED):
        based = gold if gold.op is Op.BASED else pred
        # 1011_2 asked for is not 11, nor is 1011
        return exact_value(based.args[0]) == 10 and same_value(gold, pred) is True
    return same_value(gold, pred)


def _has_metres(node: Node) -> bool:
    """Whether a prediction is a number of m, m^2 or m^3, where the gold answer has no variable m could be."""
    if node.op is not Op.MULTIPLY or len(node.args) != 2 or node.args[0].op is not Op.NUMBER:
        return False
    unit = node.args[1].args[0] if node.args[1].op is Op.POWER else node.args[1]
    return unit == Node(Op.SYMBOL, value="m") and node.args[1].op is Op.POWER


def _is_minus_infinity(node: Node) -> bool:
    return node.op is Op.NEGATE and node.args[0].op is Op.INFINITY


def _same_percent(gold: Node, pred: Node) -> bool | None:
    """50% is 50 (the sign left out) and 0.5 (what it means), but 50 is not 0.5."""
    first, second = (node.args[0] if node.op is Op.PERCENT else node for node in (gold, pred))
    if same_value(first, second) is True:
        return True
    return gold.op is not pred.op and same_value(gold, pred)


def _same_ratio(gold: Node, pred: Node) -> bool | None:
    if len(gold.args) != len(pred.args):
        return False
    heads = gold.args[0], pred.args[0]
    verdicts = [
        same_value(Node(Op.MULTIPLY, (a, heads[1])), Node(Op.MULTIPLY, (b, heads[0])))
        for a, b in zip(gold.args[1:], pred.args[1:], strict=True)
    ]
    return None if None in verdicts and False not in verdicts else all(verdicts)
