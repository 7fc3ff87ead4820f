"""Equal ways to write one answer as a tree: chains of equations, names in front, both signs at once."""

from itertools import pairwise

from rewards.math.equality.value import value_of
from rewards.math.reading.node import Node, Op, contains, symbols

_ORDERS = ("<", "<=", ">", ">=")
_NEARLY = 5e-3  # 1.41 is shown for the root of 2


def last_side(node: Node) -> Node:
    """`x = 2 + 3 = 5` as x = 5, `1/3 ~ 0.33` as 1/3, `x ~ 11` as x = 11."""
    if node.op is not Op.RELATION:
        return node
    operators, sides = node.value.split(), list(node.args)
    while "implies" in operators:
        at = operators.index("implies")
        operators, sides = operators[at + 1 :], sides[at + 1 :]
    while "~" in operators:
        at = operators.index("~")
        if at == 0 and (symbols(sides[0]) or sides[0].op is Op.TEXT):
            operators[0] = "="
            continue
        operators, sides = operators[:at], sides[: at + 1]
    if len(operators) > 1 and set(operators) == {"="}:
        operators, sides = ["="], [sides[0], sides[-1]]
    return sides[0] if not operators else Node(Op.RELATION, tuple(sides), " ".join(operators))


def is_false_chain(node: Node) -> bool:
    """Whether two numbers side by side in `1 + 1 = 2 = 5` are not even nearly equal; 1/6 = 0.17 is rounded."""
    return any(
        operator == "=" and _is_far(one, two)
        for operator, one, two in zip(node.value.split(), node.args, node.args[1:], strict=False)
    )


def _is_far(one: Node, two: Node) -> bool:
    if symbols(one) or symbols(two):
        return False
    first, second = value_of(one), value_of(two)
    if first is None or second is None:
        return False
    return bool(abs(first - second) > max(_NEARLY * max(abs(first), abs(second)), _rounding(one), _rounding(two)))


def _rounding(node: Node) -> float:
    """By how much a number may miss what it is rounded from; 0 where it has no decimals and is no percentage."""
    match node.op:
        case Op.NUMBER if node.places > 0:
            return 0.5001 / 10.0**node.places
        case Op.NEGATE:
            return _rounding(node.args[0])
        case Op.PERCENT if node.args[0].op is Op.NUMBER:
            return _rounding(node.args[0]) / 100 or 0.005001
    return 0.0


def expanded(node: Node) -> Node:
    r"""`1 \pm \sqrt2` as the two numbers it stands for, also inside an enumeration."""
    if not contains(node, Op.PLUS_MINUS):
        return node
    if node.op in (Op.LIST, Op.SET):
        items = [expanded(arg) for arg in node.args]
        flat = [part for item in items for part in (item.args if item.op is Op.LIST else (item,))]
        return Node(node.op, tuple(flat), node.value)
    if node.op is Op.RELATION and len(node.args) == 2:
        left, right = node.args[0], expanded(node.args[1])
        if right.op is Op.LIST:
            return Node(Op.LIST, tuple(Node(Op.RELATION, (left, part), node.value) for part in right.args), "or")
        return node
    both = [_signed(node, 1), _signed(node, -1)]
    return Node(Op.LIST, tuple(both), "or")


def joined(node: Node) -> Node:
    """`a < b, b < c` as a < b < c; anything else as it is."""
    if node.op is not Op.LIST or node.value == "or" or not all(_is_link(arg) for arg in node.args):
        return node
    links = [
        arg if arg.value in ("<", "<=") else Node(Op.RELATION, arg.args[::-1], arg.value.replace(">", "<"))
        for arg in node.args
    ]
    if any(one.args[1] != two.args[0] for one, two in pairwise(links)):
        return node
    sides = (links[0].args[0], *(link.args[1] for link in links))
    return Node(Op.RELATION, sides, " ".join(link.value for link in links))


def _is_link(node: Node) -> bool:
    return node.op is Op.RELATION and node.value in _ORDERS and all(side.op is Op.SYMBOL for side in node.args)


def is_order(node: Node) -> bool:
    """Whether it orders three names or more, as in a < b < c."""
    return (
        node.op is Op.RELATION
        and len(node.args) > 2
        and all(side.op is Op.SYMBOL for side in node.args)
        and all(operator in (*_ORDERS, "=") for operator in node.value.split())
        and node.value != " ".join(["="] * (len(node.args) - 1))
    )


def _signed(node: Node, upper: int) -> Node:
    if node.op is Op.PLUS_MINUS:
        term = _signed(node.args[0], upper)
        return term if upper * (1 if node.value == "+" else -1) > 0 else Node(Op.NEGATE, (term,))
    if not node.args:
        return node
    return Node(node.op, tuple(_signed(arg, upper) for arg in node.args), node.value, node.number, node.places)


def _is_name(node: Node) -> bool:
    r"""Whether the left side of an equation only names the right one: x, f(x), |AB|, V_1 : V_2, Area."""
    if node.op in (Op.SYMBOL, Op.TEXT):
        return True
    if node.op is Op.CONSTANT:
        return True
    if node.op is Op.MULTIPLY:
        return node.args[0].op in (Op.SYMBOL, Op.CONSTANT) and all(
            arg.op in (Op.SYMBOL, Op.CONSTANT, Op.NUMBER, Op.TUPLE, Op.NEGATE, Op.QUANTITY) or _is_name(arg)
            for arg in node.args
        )
    if node.op in (Op.TUPLE, Op.RATIO, Op.DIVIDE) or (node.op is Op.FUNCTION and node.value == "abs"):
        return all(map(_is_name, node.args))
    return node.op is Op.QUANTITY


def named(node: Node) -> tuple[Node, Node] | None:
    r"""Name and content of `x = 5` or `x \in \{5\}`."""
    if node.op is Op.RELATION and node.value in ("=", "in", "to") and _is_name(node.args[0]):
        return node.args[0], node.args[1]
    return None


def is_other_argument(gold: Node, pred: Node, content: Node) -> bool:
    """Whether f(n) = ... is answered by f(x) = ... with n in it: that is a constant."""
    if gold.op is not Op.MULTIPLY or pred.op is not Op.MULTIPLY or gold.args[0] != pred.args[0]:
        return False
    return gold.args[1:] != pred.args[1:] and bool(symbols(content) & (symbols(gold) - symbols(pred)))


def same_name(one: Node, two: Node) -> bool:
    """Whether two names are the same; the letter in brackets, as in f(x) and f(n), does not matter."""
    if one.op is Op.MULTIPLY and two.op is Op.MULTIPLY and (one.value or two.value):
        if {one.value, two.value} == {"angle", "triangle"}:
            return False
        return one.args == two.args or (
            one.args == two.args[::-1] and ("angle" in (one.value, two.value) or len(one.args) == 2)
        )
    if one.op is Op.MULTIPLY and two.op is Op.MULTIPLY and one.args[0].op is Op.SYMBOL:
        return one.args[0] == two.args[0]  # f(x) and f(n)
    return one == two


def component_wise(names: Node, contents: Node) -> Node | None:
    """`(x, y) = (1, 2)` as x = 1, y = 2."""
    if names.op is not Op.TUPLE or contents.op is not Op.TUPLE or len(names.args) != len(contents.args):
        return None
    pairs = zip(names.args, contents.args, strict=True)
    return Node(Op.LIST, tuple(Node(Op.RELATION, pair, "=") for pair in pairs), ",")


def rows_of(node: Node) -> Node | None:
    """`[[1,2],[3,4]]` as a matrix; None if it is none."""
    if node.op is Op.MATRIX:
        return node
    rows = node.args
    if node.value != "[]" or not all(row.op is Op.TUPLE and row.value == "[]" for row in rows):
        return None
    return Node(Op.MATRIX, tuple(Node(Op.LIST, row.args) for row in rows))


def vector(node: Node) -> tuple[Node, ...] | None:
    """The components of `(1, 2)` or of a matrix of one row or column."""
    if node.op is Op.TUPLE:
        return node.args if node.value == "()" else None
    if len(node.args) == 1:
        return node.args[0].args
    return tuple(row.args[0] for row in node.args) if all(len(row.args) == 1 for row in node.args) else None
