"""Reads Guru's functional tests and splits them into calls (for the sandbox) and expected values (kept here).

Covers the shapes of HumanEval, MBPP, LeetCode and the synthetic tasks: top-level assertions, or one function of
assertions that is then called with the candidate. Tests of any other shape are run as they are, in the candidate's
interpreter, which is weaker evidence (see `rewards.sandbox`).
"""

import ast
import json
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache


class Comparison(StrEnum):
    """How a returned value is held against the expected one."""

    EQUAL = "equal"
    NOT_EQUAL = "not_equal"
    IDENTICAL = "identical"  # `is None`, `is True`, `is False`
    TRUTHY = "truthy"
    FALSY = "falsy"
    CLOSE = "close"  # abs(call - expected) < tolerance


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One assertion: an expression to evaluate in the sandbox and what its value must be."""

    call: str
    comparison: Comparison
    expected: object = None
    tolerance: float = 0.0

    def holds_for(self, value: object) -> bool:
        """Whether `value`, as decoded from the sandbox, satisfies the assertion; Python's own `==` decides."""
        match self.comparison:
            case Comparison.EQUAL:
                return bool(value == self.expected)
            case Comparison.NOT_EQUAL:
                return bool(value != self.expected)
            case Comparison.IDENTICAL:
                return value is self.expected
            case Comparison.TRUTHY:
                return _is_plain(value) and bool(value)
            case Comparison.FALSY:
                return _is_plain(value) and not value
            case Comparison.CLOSE:
                numbers = isinstance(value, int | float) and isinstance(self.expected, int | float)
                return numbers and abs(value - self.expected) < self.tolerance  # type: ignore[operator]


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionalTests:
    """Parsed tests.

    `checks` is empty when the assertions could not be split; then `source` must be run as it is.
    `entry` is the name that the candidate program must define, when known.
    """

    source: str
    setup: str
    checks: tuple[Check, ...]
    entry: str | None


class BadGroundTruth(ValueError):
    """The data's ground truth is not what its data_source promises."""


def _is_plain(value: object) -> bool:
    return value is None or isinstance(
        value, bool | int | float | complex | str | bytes | list | tuple | set | frozenset | dict
    )


@lru_cache(maxsize=8192)
def parse_ground_truth(ground_truth: str) -> FunctionalTests:
    """Parses `{"functional": "<tests>"}`.

    Raises:
        BadGroundTruth: Not that JSON, not Python, or no assertion and no call in it (zero tests are a data
            error, not a pass).
    """
    try:
        parsed = json.loads(ground_truth)
    except ValueError as error:
        raise BadGroundTruth(f"ground_truth is not JSON: {error}") from error
    if not isinstance(parsed, dict) or not isinstance(parsed.get("functional"), str):
        raise BadGroundTruth('ground_truth has no "functional" tests (standard-input tests are not supported yet)')
    source: str = parsed["functional"]
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError) as error:
        raise BadGroundTruth(f"the functional tests are not Python: {error}") from error
    if not any(isinstance(node, ast.Assert | ast.Call) for node in ast.walk(tree)):
        raise BadGroundTruth("the functional tests assert nothing")
    split = _split(tree)
    if split is None:
        return FunctionalTests(source=source, setup="", checks=(), entry=_called_name(tree))
    setup, checks = split
    return FunctionalTests(source=source, setup=setup, checks=checks, entry=_called_name(tree))


def _called_name(tree: ast.Module) -> str | None:
    """The name under test: what check(...) is given, or what the first assertion calls."""
    defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    for statement in reversed(tree.body):
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            for argument in statement.value.args:
                for node in ast.walk(argument):
                    if isinstance(node, ast.Name):
                        return node.id
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert):
            for inner in ast.walk(node):
                if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name):
                    name = inner.func.id
                    if name not in defined and name not in _BUILTIN_WRAPPERS:
                        return name
    return None


_BUILTIN_WRAPPERS = frozenset(
    {
        "abs",
        "set",
        "sorted",
        "list",
        "tuple",
        "len",
        "round",
        "str",
        "int",
        "float",
        "sum",
        "isinstance",
    }
)


def _split(tree: ast.Module) -> tuple[str, tuple[Check, ...]] | None:
    setup: list[str] = []
    checks: list[Check] = []
    functions: dict[str, ast.FunctionDef] = {}
    for statement in tree.body:
        if _is_noise(statement):
            continue
        if isinstance(statement, ast.Import | ast.ImportFrom):
            setup.append(ast.unparse(statement))
        elif isinstance(statement, ast.FunctionDef) and len(statement.args.args) <= 1:
            functions[statement.name] = statement
        elif isinstance(statement, ast.Assert):
            check = _check(statement)
            if check is None:
                return None
            checks.append(check)
        elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            called = _inline(statement.value, functions)
            if called is None:
                return None
            binding, more = called
            setup += binding
            checks += more
        else:
            return None
    return ("\n".join(setup), tuple(checks)) if checks else None


def _inline(call: ast.Call, functions: dict[str, ast.FunctionDef]) -> tuple[list[str], list[Check]] | None:
    """`check(f)` with `def check(candidate): assert ...` as a binding of the candidate and its checks."""
    if not isinstance(call.func, ast.Name) or call.func.id not in functions or call.keywords:
        return None
    function = functions[call.func.id]
    parameters = [argument.arg for argument in function.args.args]
    if len(parameters) != len(call.args):
        return None
    binding = [f"{name} = {ast.unparse(value)}" for name, value in zip(parameters, call.args, strict=True)]
    checks: list[Check] = []
    for statement in function.body:
        if _is_noise(statement):
            continue
        check = _check(statement) if isinstance(statement, ast.Assert) else None
        if check is None:
            return None
        checks.append(check)
    return binding, checks


def _is_noise(statement: ast.stmt) -> bool:
    """Docstrings, `pass`, and HumanEval's METADATA."""
    if isinstance(statement, ast.Pass):
        return True
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return True
    return (
        isinstance(statement, ast.Assign)
        and [ast.unparse(target) for target in statement.targets] == ["METADATA"]
        and isinstance(statement.value, ast.Dict)
    )


def _check(statement: ast.Assert) -> Check | None:
    test = statement.test
    if isinstance(test, ast.Constant):
        # HumanEval ends with `assert True, "..."`.
        return Check(call="True", comparison=Comparison.TRUTHY) if test.value is True else None
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return Check(call=ast.unparse(test.operand), comparison=Comparison.FALSY)
    if isinstance(test, ast.Call):
        return Check(call=ast.unparse(test), comparison=Comparison.TRUTHY)
    if not isinstance(test, ast.Compare) or len(test.ops) != 1:
        return None
    left, operator, right = test.left, test.ops[0], test.comparators[0]
    if isinstance(operator, ast.Lt | ast.LtE):
        return _closeness(left, right)
    if _is_literal(left) and not _is_literal(right):
        left, right = right, left
    if not _is_literal(right) or _is_literal(left):
        return None
    comparison = _OPERATORS.get(type(operator))
    if comparison is None:
        return None
    expected = ast.literal_eval(right)
    if comparison is Comparison.IDENTICAL and not (expected is None or isinstance(expected, bool)):
        return None
    return Check(call=ast.unparse(left), comparison=comparison, expected=expected)


_OPERATORS: dict[type[ast.cmpop], Comparison] = {
    ast.Eq: Comparison.EQUAL,
    ast.NotEq: Comparison.NOT_EQUAL,
    ast.Is: Comparison.IDENTICAL,
}


def _closeness(left: ast.expr, right: ast.expr) -> Check | None:
    """`abs(call - literal) < literal`."""
    if not (
        _is_literal(right)
        and isinstance(left, ast.Call)
        and ast.unparse(left.func) in {"abs", "math.fabs"}
        and len(left.args) == 1
        and isinstance(left.args[0], ast.BinOp)
        and isinstance(left.args[0].op, ast.Sub)
        and _is_literal(left.args[0].right)
    ):
        return None
    expected, tolerance = ast.literal_eval(left.args[0].right), ast.literal_eval(right)
    if not isinstance(expected, int | float) or not isinstance(tolerance, int | float):
        return None
    return Check(
        call=ast.unparse(left.args[0].left),
        comparison=Comparison.CLOSE,
        expected=expected,
        tolerance=float(tolerance),
    )


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError):
        return False
    return True
