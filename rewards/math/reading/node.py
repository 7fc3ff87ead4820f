"""The tree that a mathematical answer is read into. It is data: nothing in it can be executed."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction


class Op(StrEnum):
    """What a node is; `args` and `value` hold what the comment says."""

    NUMBER = "number"  # number: its exact value; places: digits after the decimal point, -1 if none was written
    SYMBOL = "symbol"  # value: its name
    CONSTANT = "constant"  # value: pi, e or i
    INFINITY = "infinity"
    ADD = "add"
    NEGATE = "negate"
    MULTIPLY = "multiply"  # value: "run" for capital letters together (ABC), "angle" for \\angle ABC, "triangle", or ""
    DIVIDE = "divide"
    POWER = "power"
    ROOT = "root"  # args: degree, radicand
    FUNCTION = "function"  # value: name; args: argument (log: argument, base)
    FACTORIAL = "factorial"
    PLUS_MINUS = "plus_minus"  # value: + (upper sign plus) or -; args: term
    PERCENT = "percent"
    DEGREE = "degree"  # args: the number before the sign
    BASED = "based"  # value: digits as written; args: the base
    TUPLE = "tuple"  # value: the two brackets, such as (]
    SET = "set"
    LIST = "list"  # value: the separator: "," or "or" or "and"
    UNION = "union"
    WITHOUT = "without"  # args: set, removed set
    INTERSECTION = "intersection"
    NAMED_SET = "named_set"  # value: R, Z, N, Q, C or "empty"
    MATRIX = "matrix"  # args: rows, each a LIST
    RELATION = "relation"  # value: operators separated by blanks; args: the sides
    RATIO = "ratio"
    TEXT = "text"  # value: words
    QUANTITY = "quantity"  # args: amount; value: unit


COLLECTIONS = (Op.TUPLE, Op.SET, Op.LIST, Op.MATRIX)
NOT_SCALAR = (*COLLECTIONS, Op.UNION, Op.WITHOUT, Op.INTERSECTION, Op.NAMED_SET, Op.RELATION, Op.TEXT)


@dataclass(frozen=True, slots=True)
class Node:
    """One operation, number, name or collection."""

    op: Op
    args: tuple["Node", ...] = ()
    value: str = ""
    number: Fraction = Fraction(0)
    places: int = -1


def integer(value: int) -> Node:
    """The number `value`."""
    return Node(Op.NUMBER, number=Fraction(value))


def symbols(node: Node) -> frozenset[str]:
    """Names of all free symbols below `node`."""
    if node.op is Op.SYMBOL:
        return frozenset((node.value,))
    return frozenset().union(*(symbols(arg) for arg in node.args)) if node.args else frozenset()


def anywhere(node: Node, holds: Callable[[Node], bool]) -> bool:
    """Whether `holds` says so of `node` or of anything below it."""
    return holds(node) or any(anywhere(arg, holds) for arg in node.args)


def contains(node: Node, *ops: Op) -> bool:
    """Whether `node` or anything below it is one of `ops`."""
    return anywhere(node, lambda part: part.op in ops)


def is_scalar(node: Node) -> bool:
    """Whether it is one value: no collection, set, condition or text, and no two values by a sign."""
    return node.op not in NOT_SCALAR and not contains(node, Op.PLUS_MINUS)
