"""One comparison in a test script."""

import ast

from rewards.code.script.builtins import CheckFailed, Unsupported
from rewards.code.script.plain_values import values_agree
from rewards.sandbox.inside.encoding import Opaque


def holds(operation: ast.cmpop, left: object, right: object) -> bool:
    """Whether `left operation right`; equality as `values_agree` has it.

    Raises:
        CheckFailed: One side is something that the sandbox could not represent; only `is not None` holds for that.
    """
    if isinstance(operation, ast.IsNot) and right is None:
        return left is not None
    if isinstance(left, Opaque) or isinstance(right, Opaque):
        raise CheckFailed("comparison of an opaque object")
    if isinstance(operation, ast.Lt | ast.LtE | ast.Gt | ast.GtE) and (left != left or right != right):
        raise CheckFailed("order of nan")  # else it would satisfy `not abs(f(x) - 1) > 1e-6`
    match operation:
        case ast.Eq():
            return values_agree(left, right)
        case ast.NotEq():
            return not values_agree(left, right)
        case ast.Is():
            return left is right or (type(left) is type(right) and left == right)
        case ast.IsNot():
            return not (left is right or (type(left) is type(right) and left == right))
        case ast.In():
            return bool(left in right)  # type: ignore[operator]
        case ast.NotIn():
            return left not in right  # type: ignore[operator]
        case ast.Lt():
            return bool(left < right)  # type: ignore[operator]
        case ast.LtE():
            return bool(left <= right)  # type: ignore[operator]
        case ast.Gt():
            return bool(left > right)  # type: ignore[operator]
        case ast.GtE():
            return bool(left >= right)  # type: ignore[operator]
    raise Unsupported(type(operation).__name__)
