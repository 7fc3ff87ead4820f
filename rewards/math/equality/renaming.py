r"""Answers that differ in the name of a parameter only: `k\pi` and `n\pi`, `+C` and `+K`, `f(x)=x^2` and `f(n)=n^2`."""

from rewards.math.reading.node import Node, Op, anywhere, symbols

_INTEGERS = frozenset("knmljKNM")
_CONSTANTS = frozenset(("C", "K", "A", "B", "D", "c", "k", "C_1", "C_{1}", "c_1", "C_0", "c_0", "C'"))
_OF_GOLD = frozenset(("C", "K", "A", "c", "C_1", "c_1"))
# Of these, one at least is integrated over: b + c is a sum of two sides.
_INTEGRATED = frozenset(("x", "y", "z", "t", "u", "v", "w", "s", "r", "\\theta", "\\phi", "\\varphi"))
_FUNCTIONS = frozenset("fghFGHPQ")


def with_names_of(gold: Node, pred: Node, *, declared: str = "") -> Node | None:
    """`pred` with its one parameter named as the gold's; None where the letters that differ are no such parameters.

    Args:
        gold: The gold answer.
        pred: The given answer.
        declared: The letter of the gold, or of the answer, that is said to be any integer.
    """
    if gold.op is Op.RELATION and gold.value == "=" and pred.op is not Op.RELATION:
        gold = gold.args[-1]  # x = ... may be left out
    if pred.op is Op.RELATION and pred.value == "=" and gold.op is not Op.RELATION:
        pred = pred.args[-1]
    mine, theirs = symbols(gold), symbols(pred)
    here, there = mine - theirs, theirs - mine
    if len(here) != 1 or len(there) != 1:
        return None
    (old,), (new,) = here, there
    if not (
        (_is_argument(gold, old) and _is_argument(pred, new))
        or ({old, new} <= _INTEGERS and (declared in (old, new) or _is_period(gold, old)))
        or (old in _OF_GOLD and new in _CONSTANTS and _is_integration_constant(gold, old))
    ):
        return None
    return _renamed(pred, new, old)


def _renamed(node: Node, old: str, new: str) -> Node:
    if node.op is Op.SYMBOL:
        return Node(Op.SYMBOL, value=new) if node.value == old else node
    if not node.args:
        return node
    return Node(node.op, tuple(_renamed(arg, old, new) for arg in node.args), node.value, node.number, node.places)


def _is_argument(node: Node, name: str) -> bool:
    """Whether it says f(name) = ..."""
    if node.op is not Op.RELATION or node.value != "=":
        return False
    left = node.args[0]
    return (
        left.op is Op.MULTIPLY
        and len(left.args) == 2
        and left.args[0].op is Op.SYMBOL
        and left.args[0].value in _FUNCTIONS
        and left.args[1] == Node(Op.SYMBOL, value=name)
    )


def _is_period(node: Node, name: str) -> bool:
    r"""Whether a letter only counts turns, as in `2k\pi` and `360^\circ k`."""
    wanted = Node(Op.SYMBOL, value=name)

    def counts_turns(part: Node) -> bool:
        return part.op is Op.MULTIPLY and anywhere(part, lambda inner: inner == wanted) and anywhere(part, _is_turn)

    def stray(part: Node) -> bool:
        if part == wanted:
            return True
        return not counts_turns(part) and any(map(stray, part.args))

    return not stray(node)


def _is_turn(node: Node) -> bool:
    return node.op is Op.DEGREE or (node.op is Op.CONSTANT and node.value == "pi")


def _is_integration_constant(node: Node, name: str) -> bool:
    r"""Whether a letter is added by itself at the end (an A is not), or multiplies a power of e, beside a variable."""
    wanted = Node(Op.SYMBOL, value=name)
    if len(symbols(node)) < 2:
        return False
    body = node.args[1] if node.op is Op.RELATION and node.value == "=" and len(node.args) == 2 else node
    if body.op is Op.ADD and wanted in body.args:
        rest = Node(Op.ADD, tuple(arg for arg in body.args if arg != wanted))
        return name != "A" and name not in symbols(rest) and bool(symbols(rest) & _INTEGRATED)
    if body.op is Op.MULTIPLY and body.args[0] == wanted:
        return any(
            arg.op is Op.POWER and arg.args[0] == Node(Op.CONSTANT, value="e") and bool(symbols(arg.args[1]))
            for arg in body.args[1:]
        )
    return False
