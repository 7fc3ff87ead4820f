r"""Degrees: `60^\circ` is the number 60 where only one answer has the sign, and \pi/3 where both say which angle."""

from rewards.math.reading.node import Node, Op, anywhere

_TRIGONOMETRIC = frozenset(("sin", "cos", "tan", "cot", "sec", "csc", "sinh", "cosh", "tanh", "coth"))


def has_outer_degrees(node: Node) -> bool:
    """Whether a sign of degrees stands outside of trigonometric functions."""
    if node.op is Op.DEGREE:
        return True
    if node.op is Op.FUNCTION and node.value in _TRIGONOMETRIC:
        return False
    return any(map(has_outer_degrees, node.args))


def without_outer_degrees(node: Node) -> Node:
    """`node` as its numbers of degrees; inside a trigonometric function the sign stays."""
    if node.op is Op.DEGREE:
        return without_outer_degrees(node.args[0])
    if not node.args or (node.op is Op.FUNCTION and node.value in _TRIGONOMETRIC):
        return node
    return Node(node.op, tuple(map(without_outer_degrees, node.args)), node.value, node.number, node.places)


def in_radians(node: Node) -> Node | None:
    r"""The angle of `2 \text{ rad}` or `\frac{\pi}{3}`, as a number; None if nothing says that it is one in radians."""
    if node.op is Op.QUANTITY and node.value.lower() in ("rad", "rads", "radian", "radians"):
        return node.args[0]
    is_in_turns = anywhere(node, lambda part: part.op is Op.CONSTANT and part.value == "pi")
    return node if is_in_turns and node.op is not Op.QUANTITY else None
