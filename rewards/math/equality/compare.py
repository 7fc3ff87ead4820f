r"""Decides whether two answers, read as trees, say the same.

Ordered pairs keep their order; bare enumerations and sets do not. A name in front of an answer (`x = 5`) may be
left out, but x = 1 is not y = 1. None means: not decided here.
"""

from collections.abc import Iterable, Sequence

from rewards.math.equality.angle import has_outer_degrees, in_radians, without_outer_degrees
from rewards.math.equality.form import (
    component_wise,
    expanded,
    is_false_chain,
    is_order,
    is_other_argument,
    joined,
    last_side,
    named,
    rows_of,
    same_name,
    vector,
)
from rewards.math.equality.region import conditions, is_contradiction, is_region_like, region, same_region
from rewards.math.equality.scalar import is_measured, same_scalar
from rewards.math.equality.value import is_solution, proportion, same_value
from rewards.math.reading.node import COLLECTIONS, NOT_SCALAR, Node, Op, contains, symbols
from rewards.math.reading.unit_words import same_quantity_factor

_MAX_ITEMS = 64
_MAX_REPEATS = 16
_FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


def same_answer(gold: Node, pred: Node) -> bool | None:
    """Whether `pred` answers as `gold` does. Not symmetric: a name or unit that the gold lacks is forgiven."""
    if gold == pred:
        return True
    if pred.op is Op.RELATION and is_false_chain(pred):
        return False
    gold, pred = joined(expanded(last_side(gold))), joined(expanded(last_side(pred)))
    if is_order(gold) or is_order(pred):
        return is_order(gold) and is_order(pred) and _same_equation(gold, pred) is True
    if is_region_like(gold) or is_region_like(pred):
        decided = _same_conditions(gold, pred)
        decided = _same_region(gold, pred) if decided is None else decided
        if decided is not None:
            return decided
    if gold.op is Op.RELATION or pred.op is Op.RELATION:
        return _same_relation(gold, pred)
    if gold.op is Op.LIST and pred.op in (Op.LIST, Op.SET, Op.TUPLE):
        return _same_list(gold, pred)
    if pred.op is Op.LIST and pred.value == "or" and gold.op not in NOT_SCALAR:
        # one number in two notations: 3/8 or 0.375
        return _all(same_answer(gold, item) for item in pred.args) if len(set(pred.args)) > 1 else False
    if gold.op is Op.LIST and gold.value == "or" and pred.op not in NOT_SCALAR and _is_one_value(gold.args):
        return same_answer(gold.args[0], pred)
    if gold.op in COLLECTIONS or pred.op in COLLECTIONS:
        return _same_collection(gold, pred)
    if gold.op is Op.TEXT or pred.op is Op.TEXT:
        return gold.op is pred.op and gold.value == pred.value
    if gold.op is Op.NAMED_SET or pred.op is Op.NAMED_SET:
        return gold == pred
    if Op.QUANTITY in (gold.op, pred.op):
        return _same_quantity(gold, pred)
    return same_scalar(gold, pred)


def _same_region(gold: Node, pred: Node) -> bool | None:
    if has_outer_degrees(gold) != has_outer_degrees(pred) and not (in_radians(gold) and in_radians(pred)):
        gold, pred = without_outer_degrees(gold), without_outer_degrees(pred)
    if is_contradiction(pred) and not is_contradiction(gold):
        return False
    first, second = region(gold), region(pred)
    if first is None or second is None:
        return None
    names = symbols(gold), symbols(pred)
    if all(names) and not names[0] & names[1]:
        return False
    return same_region(first, second)


def _same_conditions(gold: Node, pred: Node) -> bool | None:
    """Conditions on several variables: each variable's region by itself, and none left out."""
    wanted, given = conditions(gold), conditions(pred)
    if max(len(wanted or ()), len(given or ())) < 2:
        return None
    if Op.LIST is gold.op is pred.op and (gold.value == "or") != (pred.value == "or"):
        return False
    if wanted is None or given is None:
        return None if Op.LIST in (gold.op, pred.op) and gold.op is pred.op else False
    return given.keys() == wanted.keys() and all(same_region(wanted[name], given[name]) for name in wanted)


def _same_relation(gold: Node, pred: Node) -> bool | None:
    gold_named, pred_named = named(gold), named(pred)
    if gold_named and pred_named:
        if is_other_argument(gold_named[0], *pred_named):
            return False
        if same_name(gold_named[0], pred_named[0]):
            return same_answer(gold_named[1], pred_named[1])
        if gold_named[0].value and pred_named[0].value and gold_named[0].op is pred_named[0].op is Op.MULTIPLY:
            return False  # other points
        if same_answer(gold_named[1], pred_named[1]) is True:
            tuples = gold_named[0].op is Op.TUPLE or len(symbols(gold_named[0])) > 1
            return tuples or gold_named[0].op is Op.TEXT or pred_named[0].op is Op.TEXT
    elif pred_named and gold.op is not Op.RELATION:
        if pred.value == "to":
            return False  # a limit is not a value
        apart = component_wise(*pred_named)
        if apart is not None and gold.op is Op.LIST:
            return same_answer(gold, apart)
        return same_answer(gold, pred_named[1])
    elif gold_named and pred.op is not Op.RELATION:
        apart = component_wise(*gold_named)
        if apart is not None and pred.op is Op.LIST:
            return same_answer(apart, pred)
        return same_answer(gold_named[1], pred)
    if gold.op is Op.RELATION and pred.op is Op.RELATION:
        return _same_equation(gold, pred)
    if pred.op is Op.RELATION and pred.value == "=" and gold.op not in NOT_SCALAR:
        left = pred.args[0]
        if left.op is Op.NUMBER and pred.args[1].op is Op.SYMBOL and not symbols(gold):
            return same_answer(gold, left)  # 5 = x
        if left.op is Op.NUMBER and same_value(left, pred.args[1]) is not True:
            return False
        if symbols(left) and left.op not in (Op.ADD, Op.DIVIDE, Op.FUNCTION):
            return False  # a + b = 7 says 7, but 2x = 6 and -x = 6 do not say 6
        return same_answer(gold, pred.args[1])
    return False if {gold.op, pred.op} & {Op.TEXT, Op.MATRIX} or not is_region_like(gold) else None


def _same_equation(gold: Node, pred: Node) -> bool | None:
    """Equations up to a factor, inequalities up to a factor with its sign; chains side by side."""
    first, second = gold.value.split(), pred.value.split()
    if len(first) != len(second):
        return None
    if len(first) > 1:
        if [_FLIPPED.get(operator, operator) for operator in reversed(first)] == second:
            return _each(gold.args, pred.args[::-1]) is True
        return first == second and _each(gold.args, pred.args) is True
    if any(side.op in NOT_SCALAR for side in (*gold.args, *pred.args)):
        return first == second and _each(gold.args, pred.args) is True
    if not symbols(gold) or not symbols(pred):
        given = pred.args if first == second else tuple(reversed(pred.args))
        if first != second and _FLIPPED.get(first[0]) != second[0]:
            return False
        return all(same_value(a, b) is True for a, b in zip(gold.args, given, strict=True))
    constant = proportion(_difference(gold), _difference(pred))
    if constant is None:
        for one, other in ((gold, pred), (pred, gold)):
            solved = named(one)
            if solved and solved[0].op is Op.SYMBOL and solved[0].value not in symbols(solved[1]):
                return is_solution(solved[0].value, solved[1], _difference(other))
        return False
    operator = first[0]
    if constant < 0:
        operator = _FLIPPED.get(operator, operator)
    return operator == second[0]


def _difference(relation: Node) -> Node:
    return Node(Op.ADD, (relation.args[0], Node(Op.NEGATE, (relation.args[1],))))


def _bare(items: Sequence[Node]) -> tuple[list[Node], list[Node | None]]:
    contents, names = [], []
    for item in items:
        pair = named(last_side(item))
        contents.append(pair[1] if pair else item)
        names.append(pair[0] if pair else None)
    return contents, names


def _same_list(gold: Node, pred: Node) -> bool | None:
    """An enumeration: order matters only where names are left out, or the prediction has round brackets."""
    contents, names = _bare(gold.args)
    given, given_names = _bare(pred.args)
    if pred.op is Op.TUPLE and pred.value != "()":
        return False
    if all(item.op is Op.TUPLE for item in (*gold.args, *pred.args)) and pred.op is not Op.TUPLE:
        given = _without_repeats(given)
        given_names = [None] * len(given)
    if len(contents) != len(given):
        return False
    distinct, given_distinct = _distinct(names), _distinct(given_names)
    if "or" in (gold.value, pred.value) and gold.value != pred.value and _distinct(_unnumbered(given_names)):
        return False  # x = 3 or y = 4 leaves open which
    if distinct and given_distinct:
        pairs = [[b for b, other in zip(given, given_names, strict=True) if other == name] for name in names]
        if all(len(match) == 1 for match in pairs):
            return _each(contents, [match[0] for match in pairs])
        return False
    # x_1 = 2, x_2 = 3 are the solutions for x, in any order
    is_ordered = _distinct(_unnumbered(names)) != _distinct(_unnumbered(given_names)) or pred.op is Op.TUPLE
    return _each(contents, given) if is_ordered else _same_unordered(contents, given)


def _unnumbered(names: Sequence[Node | None]) -> list[Node | None]:
    return [name if name is None else Node(name.op, name.args, name.value.partition("_")[0]) for name in names]


def _distinct(names: Sequence[Node | None]) -> bool:
    """Whether every item has its own name."""
    return len(names) > 1 and None not in names and len(set(names)) == len(names)


def _all(verdicts: Iterable[bool | None]) -> bool | None:
    result: bool | None = True
    for verdict in verdicts:
        if verdict is False:
            return False
        if verdict is None:
            result = None
    return result


def _each(gold: Sequence[Node], pred: Sequence[Node]) -> bool | None:
    """Item by item, as many on both sides."""
    if len(gold) != len(pred):
        return False
    return _all(same_answer(a, b) for a, b in zip(gold, pred, strict=True))


def _same_unordered(gold: Sequence[Node], pred: Sequence[Node]) -> bool | None:
    if len(gold) != len(pred):
        return False
    if len(gold) > _MAX_ITEMS:
        return _each(gold, pred)
    left = list(pred)
    for item in gold:
        verdicts = [same_answer(item, candidate) for candidate in left]
        if True not in verdicts:
            return None if None in verdicts else False
        del left[verdicts.index(True)]
    return True


def _same_collection(gold: Node, pred: Node) -> bool | None:
    kinds = (gold.op, pred.op)
    if kinds == (Op.TUPLE, Op.TUPLE):
        return _each(gold.args, pred.args) if gold.value == pred.value else False
    if kinds == (Op.TUPLE, Op.LIST):
        if gold.value != "()" or len(gold.args) != len(pred.args):
            return False
        given, names = _bare(pred.args)
        if _distinct(names) and [str(name) for name in names] != sorted(str(name) for name in names):
            return None
        return _each(gold.args, given)
    if kinds in ((Op.SET, Op.SET), (Op.SET, Op.LIST)):
        return _same_unordered(
            _without_repeats(gold.args), _without_repeats(pred.args) if pred.op is Op.SET else pred.args
        )
    if kinds == (Op.MATRIX, Op.MATRIX):
        if [len(row.args) for row in gold.args] != [len(row.args) for row in pred.args]:
            return False
        first, second = ([cell for row in matrix.args for cell in row.args] for matrix in (gold, pred))
        return _each(first, second)
    if Op.MATRIX in kinds and Op.TUPLE in kinds:
        rows = [rows_of(node) for node in (gold, pred)]
        if rows[0] is not None and rows[1] is not None:
            return _same_collection(rows[0], rows[1])
        vectors = vector(gold), vector(pred)
        return False if vectors[0] is None or vectors[1] is None else _each(vectors[0], vectors[1])
    for one, other in ((gold, pred), (pred, gold)):
        if one.op is Op.SET and len(one.args) == 1 and other.op not in (Op.SET, Op.LIST):
            return same_answer(*((one.args[0], other) if one is gold else (other, one.args[0])))
    return None if any(contains(node, Op.MATRIX) for node in (gold, pred)) else False


def _without_repeats(items: Sequence[Node]) -> list[Node]:
    kept: list[Node] = []
    for item in items[:_MAX_REPEATS]:
        if not any(same_answer(item, other) is True for other in kept):
            kept.append(item)
    return kept + list(items[_MAX_REPEATS:])


def _is_one_value(items: Sequence[Node]) -> bool:
    return all(item.op not in NOT_SCALAR and same_answer(items[0], item) is True for item in items[1:])


def _same_quantity(gold: Node, pred: Node) -> bool | None:
    if gold.op is Op.QUANTITY and pred.op is Op.QUANTITY:
        factor = same_quantity_factor(pred.value, gold.value)
        if factor is None:
            return False
        scaled = pred.args[0] if factor == 1 else Node(Op.MULTIPLY, (pred.args[0], Node(Op.NUMBER, number=factor)))
        return same_answer(gold.args[0], scaled)
    if any(contains(node, Op.DEGREE) for node in (gold, pred)):
        return same_scalar(gold, pred)
    if any(is_measured(one) and other.op is Op.PERCENT for one, other in ((gold, pred), (pred, gold))):
        return False
    first, second = (node.args[0] if node.op is Op.QUANTITY else node for node in (gold, pred))
    return same_answer(first, second)
