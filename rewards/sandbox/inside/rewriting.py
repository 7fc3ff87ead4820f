"""Changes the syntax tree of test code so that its checks are counted and its comparisons are those of `agreement`."""

import ast
import builtins
import hashlib
import importlib.util
import sys

from rewards.sandbox.inside.agreement import COMPARISONS, holds, nearly_equal

COUNTER = "__check_passed__"
_CHAIN = "__comparisons_hold__"
_NEARLY_EQUAL = "__nearly_equal__"
# What the changed code uses, besides `COUNTER`, which the caller gives.
NAMES: dict[str, object] = {
    _CHAIN: holds,
    _NEARLY_EQUAL: nearly_equal,
    **{f"__{name}__": compare for name, compare in COMPARISONS.items()},
}
_ERRORS = {
    name: value
    for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, BaseException)
}
# Guru's tests of PrimeIntellect and TACO problems all define this one, which takes 10**18 for 10**18 + 1.
_DEEP_EQ = "065620bcdab9de05298fac0330a0883e779ccf79b447983bf1b0c80208a16018"


def rewritten(source: str) -> ast.Module:
    """The tests as they are to be run."""
    tree = ast.parse(source)
    _Rewriter().visit(tree)
    return ast.fix_missing_locations(tree)


class _Rewriter(ast.NodeTransformer):
    def _counted(self, node: ast.stmt) -> list[ast.stmt] | ast.stmt:
        checks = _checks(node)  # as it was written
        self.generic_visit(node)
        return [node, ast.Expr(_call(COUNTER, []))] if checks else node

    visit_Assert = visit_Expr = visit_With = visit_If = visit_Try = _counted

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        self.generic_visit(node)
        names = [type(operation).__name__ for operation in node.ops]
        operands = [node.left, *node.comparators]
        if len(names) == 1:
            return _call(f"__{names[0]}__", operands)
        return _call(_CHAIN, [ast.Tuple([ast.Constant(name) for name in names], ast.Load()), *operands])

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.stmt:
        if node.name == "_deep_eq" and hashlib.sha256(ast.unparse(node).encode()).hexdigest() == _DEEP_EQ:
            return ast.Assign([ast.Name(node.name, ast.Store())], ast.Name(_NEARLY_EQUAL, ast.Load()), lineno=0)
        self.generic_visit(node)
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.stmt:
        return ast.Pass() if is_of_program(node) else node


def is_check(node: ast.expr) -> bool:
    """Whether this calls something that raises unless a condition holds: `assert...`, or `pytest.raises`."""
    if not isinstance(node, ast.Call):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return name.startswith("assert") or name == "raises"


def is_of_program(statement: ast.ImportFrom) -> bool:
    """Whether this is as `from solution import f`: the program, under whatever name of a module."""
    root = (statement.module or "").partition(".")[0]
    if statement.level or root in sys.stdlib_module_names or root in sys.modules:
        return bool(statement.level)
    return importlib.util.find_spec(root) is None


def _checks(statement: ast.stmt) -> bool:
    """Whether coming to its end says that something held; an `if` that would have raised is a check as well."""
    match statement:
        case ast.Assert() | ast.If(body=[*_, ast.Raise()], orelse=[]):
            return True
        case ast.Expr(value=value):
            return is_check(value)
        case ast.With(items=items):
            return any(is_check(item.context_expr) for item in items)
        case ast.Try(body=body, handlers=[_, *_], orelse=after, finalbody=[]):
            # What had to raise did, or this would have raised: behind the handlers' reach, or past them.
            return _fails(after) or (
                _fails(body) and not any(_catches(one, _raised(body)) for one in statement.handlers)
            )
    return False


def _fails(body: list[ast.stmt]) -> bool:
    """Whether statements that come to their end raise, as `raise AssertionError` and `assert False` do."""
    match body:
        case [*_, ast.Raise() | ast.Assert(test=ast.Constant(value=False | 0 | None))]:
            return True
        case [*_, ast.Expr(ast.Call(func=ast.Attribute(attr="fail")))]:  # of unittest, or of pytest
            return True
    return False


def _raised(body: list[ast.stmt]) -> str:
    """The name of the exception that `_fails` saw."""
    match body[-1]:
        case ast.Raise(exc=ast.Name(id=name) | ast.Call(func=ast.Name(id=name))):
            return name
        case ast.Raise():
            return ""
    return "AssertionError"


def _catches(handler: ast.ExceptHandler, raised: str) -> bool:
    """Whether a handler may catch an exception of that name."""
    parts = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    kinds = [_ERRORS.get(part.id) if isinstance(part, ast.Name) else None for part in parts]
    error = _ERRORS.get(raised)
    return error is None or any(kind is None or issubclass(error, kind) for kind in kinds)


def _call(name: str, arguments: list[ast.expr]) -> ast.expr:
    return ast.Call(ast.Name(name, ast.Load()), arguments, [])
