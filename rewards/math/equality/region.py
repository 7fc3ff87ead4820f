r"""Sets of real numbers: intervals, unions, inequalities in one variable, complements; compared cut by cut.

A region is the sorted list of places where membership changes. A place just before a number and one just after
it differ, which is what `[2` and `(2` mean.
"""

import math
from dataclasses import dataclass

from rewards.math.equality.value import exact_value, same_value, value_of
from rewards.math.reading.node import Node, Op, integer, symbols


@dataclass(frozen=True, slots=True)
class Cut:
    """A place on the real line: just before (`side` 0) or just after (1) the number that `node` is."""

    position: float
    side: int
    node: Node


Region = tuple[Cut, ...]

_START = Cut(-math.inf, 0, Node(Op.INFINITY))
_END = Cut(math.inf, 1, Node(Op.INFINITY))
_FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "=", "!=": "!="}
_ORDERS = frozenset(("<", ">", "<=", ">="))


def is_region_like(node: Node) -> bool:
    """Whether a node can only be meant as a set of reals (a pair in round brackets may be a point)."""
    if node.op in (Op.UNION, Op.WITHOUT, Op.INTERSECTION):
        return True
    if node.op is Op.NAMED_SET:
        return node.value in ("R", "empty")
    if node.op is Op.TUPLE:
        return node.value in ("(]", "[)")
    if node.op is Op.RELATION:
        operators = node.value.split()
        return any(operator in _ORDERS or operator in ("!=", "in", "notin") for operator in operators)
    return node.op is Op.LIST and any(is_region_like(arg) for arg in node.args)


def region(node: Node) -> Region | None:
    """The set that a node describes, None if it does not describe one that can be read."""
    match node.op:
        case Op.TUPLE if len(node.args) == 2:
            return _interval(node.args[0], node.args[1], node.value[0] == "[", node.value[1] == "]")
        case Op.SET:
            return _combined([_point(arg) for arg in node.args], least=1)
        case Op.NAMED_SET:
            return {"R": (_START, _END), "empty": ()}.get(node.value)
        case Op.UNION:
            return _combined([region(arg) for arg in node.args], least=1)
        case Op.INTERSECTION:
            return _combined([region(arg) for arg in node.args], least=len(node.args))
        case Op.WITHOUT:
            removed = region(node.args[1])
            return _combined([region(node.args[0]), None if removed is None else _complement(removed)], least=2)
        case Op.RELATION:
            return _relation(node)
        case Op.LIST if len({name for arg in node.args for name in _variables(arg)}) > 1:
            return None  # conditions on several variables are no set of numbers
        case Op.LIST:
            parts = [region(arg) for arg in node.args]
            either = _combined(parts, least=1)
            if node.value == "and" or (node.value == "," and either == (_START, _END)):
                both = _combined(parts, least=len(parts))
                # "x < 1 and x > 2" names both halves of a union
                return both if both or node.value == "," else either
            return either
        case _:
            return None


def is_contradiction(node: Node) -> bool:
    """Whether no number meets all conditions of `x < 1 and x > 2`."""
    if node.op is not Op.LIST or node.value != "and":
        return False
    parts = [region(arg) for arg in node.args]
    return None not in parts and _combined(parts, least=len(parts)) == ()


def _variables(node: Node) -> frozenset[str]:
    return symbols(node) if node.op is Op.RELATION else frozenset()


def conditions(node: Node) -> dict[str, Region] | None:
    """The region of each variable in `x > 1, y < 2` or `x, y > 0`; None if conditions are not written so."""
    if node.op is Op.RELATION:
        node = Node(Op.LIST, (node,), ",")
    if node.op is not Op.LIST or node.value == "or":
        return None
    waiting: list[str] = []
    found: dict[str, list[Region | None]] = {}
    for item in node.args:
        if item.op is Op.SYMBOL:
            waiting.append(item.value)
            continue
        names = symbols(item)
        if item.op is not Op.RELATION or len(names) != 1 or (waiting and item.args[0].op is not Op.SYMBOL):
            return None
        (name,) = names
        inner = region(item)
        for each in (*waiting, name):
            found.setdefault(each, []).append(inner)
        waiting = []
    regions = {name: _combined(parts, least=len(parts)) for name, parts in found.items()}
    if waiting or any(part is None for part in regions.values()):
        return None
    return {name: part for name, part in regions.items() if part is not None}


def same_region(first: Region, second: Region) -> bool:
    """Whether two regions have the same cuts."""
    if len(first) != len(second):
        return False
    return all(_same_cut(one, two) for one, two in zip(first, second, strict=True))


def _same_cut(one: Cut, two: Cut) -> bool:
    if math.isinf(one.position) or math.isinf(two.position):
        return one.position == two.position
    return one.side == two.side and same_value(one.node, two.node) is True


def _cut(node: Node, side: int) -> Cut | None:
    sign = 1
    inner = node
    while inner.op is Op.NEGATE:
        sign, inner = -sign, inner.args[0]
    if inner.op is Op.INFINITY:
        return _START if sign < 0 else _END
    if symbols(node):
        return None
    value = value_of(node)
    if value is None or abs(value.imag) > 1e-9 or not math.isfinite(value.real):
        return None
    return Cut(float(f"{value.real:.12g}"), side, node)


def _interval(low: Node, high: Node, has_low: bool, has_high: bool) -> Region | None:
    start, end = _cut(low, 0 if has_low else 1), _cut(high, 1 if has_high else 0)
    if start is None or end is None or (start.position, start.side) >= (end.position, end.side):
        return None
    return start, end


def _point(node: Node) -> Region | None:
    before, after = _cut(node, 0), _cut(node, 1)
    return None if before is None or after is None else (before, after)


def _combined(parts: list[Region | None], least: int) -> Region | None:
    """What lies in at least `least` of the parts."""
    if any(part is None for part in parts):
        return None
    steps = sorted(
        ((cut, 1 if index % 2 == 0 else -1) for part in parts if part is not None for index, cut in enumerate(part)),
        key=lambda step: (step[0].position, step[0].side, -step[1]),
    )
    cuts: list[Cut] = []
    depth = 0
    for cut, change in steps:
        was_in = depth >= least
        depth += change
        if (depth >= least) != was_in:
            if cuts and (cuts[-1].position, cuts[-1].side) == (cut.position, cut.side):
                cuts.pop()
            else:
                cuts.append(cut)
    return tuple(cuts)


def _complement(inner: Region) -> Region:
    cuts = list(inner)
    cuts = cuts[1:] if cuts and cuts[0] == _START else [_START, *cuts]
    return tuple(cuts[:-1] if cuts and cuts[-1] == _END else [*cuts, _END])


def _relation(node: Node) -> Region | None:
    operators = node.value.split()
    if operators in (["in"], ["notin"]):
        inner = region(node.args[1]) if _is_plain_variable(node.args[0]) else None
        return inner if inner is None or operators == ["in"] else _complement(inner)
    if any(operator not in _FLIPPED for operator in operators):
        return None
    parts: list[Region | None] = []
    for left, operator, right in zip(node.args, operators, node.args[1:], strict=False):
        parts.append(_compared(left, operator, right))
    return _combined(parts, least=len(parts))


def _compared(left: Node, operator: str, right: Node) -> Region | None:
    if not symbols(left):
        left, operator, right = right, _FLIPPED[operator], left
    if symbols(right) or not symbols(left):
        return None
    if left.op is Op.FUNCTION and left.value == "abs":
        return _absolute(left.args[0], operator, right)
    if not _is_plain_variable(left):
        solved = _solved(left, right)
        if solved is None:
            return None
        right, is_reversed = solved
        operator = _FLIPPED[operator] if is_reversed else operator
    minus_infinity = Node(Op.NEGATE, (Node(Op.INFINITY),))
    match operator:
        case "<" | "<=":
            return _interval(minus_infinity, right, True, operator == "<=")
        case ">" | ">=":
            return _interval(right, Node(Op.INFINITY), operator == ">=", True)
        case _:
            point = _point(right)
            return point if point is None or operator == "=" else _complement(point)


def _absolute(inner: Node, operator: str, right: Node) -> Region | None:
    """|x - 2| < 3 as -3 < x - 2 < 3."""
    bound = value_of(right)
    if bound is None or bound.imag or bound.real <= 0:
        return None
    opposite = Node(Op.NEGATE, (right,))
    parts = [_compared(inner, operator, right), _compared(inner, _FLIPPED[operator], opposite)]
    return _combined(parts, least=2 if operator in ("<", "<=", "!=") else 1)


def _is_plain_variable(node: Node) -> bool:
    """x, or f(x), which reads as a product."""
    if node.op is Op.MULTIPLY:
        return all(arg.op in (Op.SYMBOL, Op.TUPLE) for arg in node.args)
    return node.op is Op.SYMBOL


def _solved(left: Node, right: Node) -> tuple[Node, bool] | None:
    """The bound on x that `left ? right` with `left` linear in x means, and whether the order turns round."""
    names = symbols(left)
    if len(names) != 1:
        return None
    (name,) = names
    values = [exact_value(_substituted(left, name, at)) for at in (0, 1, 2)]
    if values[0] is None or values[1] is None or values[2] is None:
        return None
    slope = values[1] - values[0]
    if not slope or values[2] - values[1] != slope:
        return None
    difference = Node(Op.ADD, (right, Node(Op.NEGATE, (Node(Op.NUMBER, number=values[0]),))))
    return Node(Op.DIVIDE, (difference, Node(Op.NUMBER, number=slope))), slope < 0


def _substituted(node: Node, name: str, value: int) -> Node:
    if node.op is Op.SYMBOL and node.value == name:
        return integer(value)
    if not node.args:
        return node
    return Node(
        node.op, tuple(_substituted(arg, name, value) for arg in node.args), node.value, node.number, node.places
    )
