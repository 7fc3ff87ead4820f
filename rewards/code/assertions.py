"""Assertions that can be judged without running the test code: comparisons of literals and of calls with literals.

Such as `assert f([1, 2]) == 3`, at the top of a script or in a function that the script calls once, as HumanEval's
`check(candidate)`. The calls are made in the sandbox, all at once; the other literals never leave the scorer.
"""

import ast
import builtins
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rewards.sandbox.inside.agreement import Incomparable, Unjudged, has_opaque, holds
from rewards.sandbox.inside.known_names import ALIASES
from rewards.sandbox.inside.rewriting import is_of_program
from rewards.sandbox.source_text import NotPlain, source_of

_BOUND = "_callee_{}"


@dataclass(frozen=True, slots=True)
class Result:
    """Stands for what a call returned; `call` is its number."""

    call: int


@dataclass(frozen=True, slots=True)
class Assertion:
    """One comparison; `operation` is named as in `ast`. Each side is a literal's value or a `Result`."""

    operation: str
    left: object
    right: object

    def holds(self, values: Sequence[object]) -> bool:
        """Whether it does with the results of all calls; an opaque result is something other than None at most."""
        left, right = (values[s.call] if isinstance(s, Result) else s for s in (self.left, self.right))
        if self.operation == "IsNot" and right is None:
            return left is not None
        if has_opaque(left) or has_opaque(right):
            return False
        try:
            return bool(holds((self.operation,), left, right))
        except (Unjudged, Incomparable, TypeError, ArithmeticError, RecursionError):
            return False


@dataclass(frozen=True, slots=True, kw_only=True)
class AssertionTests:
    """Assertions, at least one of them on a call; `calls` are expressions, and `names` the program's among them."""

    calls: tuple[str, ...]
    assertions: tuple[Assertion, ...]
    setup: str
    names: frozenset[str]

    def passed(self, values: Sequence[object]) -> bool:
        """Whether the results of `calls` satisfy every assertion."""
        return all(assertion.holds(values) for assertion in self.assertions)


class _BeyondAssertions(Exception):
    """The script holds something else, so it has to be run."""


def read_assertions(
    tree: ast.Module, tested: frozenset[str], setup: str, known: frozenset[str] = frozenset()
) -> AssertionTests | None:
    """The script as assertions, or None if it is, or may be, more than that.

    Args:
        tree: The script.
        tested: Built-in names that are the program's here.
        setup: Statements for the program's process, to go between program and calls.
        known: Names that are the standard library's here, though the script does not import them.
    """
    reader = _Reader(tested, known)
    try:
        reader.read(tree.body)
    except (_BeyondAssertions, NotPlain, ValueError, TypeError, RecursionError, MemoryError):
        return None
    if not any(isinstance(side, Result) for a in reader.assertions for side in (a.left, a.right)):
        return None
    return AssertionTests(
        calls=tuple(reader.calls),
        assertions=tuple(reader.assertions),
        setup=setup,
        names=frozenset(reader.names),
    )


class _Reader:
    def __init__(self, tested: frozenset[str], known: frozenset[str]) -> None:
        self.calls: list[str] = []
        self.assertions: list[Assertion] = []
        self.names: set[str] = set()
        self._tested = tested
        self._own: set[str] = set(known)
        self._functions: dict[str, ast.FunctionDef] = {}

    def read(self, body: Sequence[ast.stmt]) -> None:
        """The statements of a script."""
        for statement in body:
            match statement:
                case ast.FunctionDef(name=name, decorator_list=[]):
                    self._define(name, {})
                    self._functions[name] = statement
                case ast.Expr(ast.Call(func=ast.Name(id=name), args=given, keywords=[])) if name in self._functions:
                    self._read_function(self._functions.pop(name), given)
                case _:
                    self._read_statement(statement, {})

    def _read_function(self, function: ast.FunctionDef, given: Sequence[ast.expr]) -> None:
        """A function of the script, called with functions of the program."""
        match function.args:
            case ast.arguments(posonlyargs=[], args=names, vararg=None, kwonlyargs=[], kwarg=None, defaults=[]):
                if len(names) != len(given):
                    raise _BeyondAssertions
            case _:
                raise _BeyondAssertions
        functions = {name.arg: self._bound(self._callee(one, {})) for name, one in zip(names, given, strict=True)}
        for statement in function.body:
            self._read_statement(statement, functions)

    def _bound(self, callee: str) -> str:
        """A name for what an expression gives, so that all calls go to the same object."""
        if "(" not in callee:
            return callee
        name = _BOUND.format(len(self.calls))
        self.calls.append(f"({name} := {callee})")
        return name

    def _read_statement(self, statement: ast.stmt, functions: Mapping[str, str]) -> None:
        match statement:
            case ast.Pass() | ast.Expr(ast.Constant()):
                pass
            case ast.Assert(test=ast.Constant(value=value)) if value:
                pass  # HumanEval's `assert True, "..."`
            case ast.Assert(test=ast.Compare(left=left, ops=[operation], comparators=[right])):
                sides = self._side(left, functions), self._side(right, functions)
                self.assertions.append(Assertion(type(operation).__name__, *sides))
            case ast.ImportFrom() if is_of_program(statement):
                pass
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                for alias in names:
                    self._define((alias.asname or alias.name).partition(".")[0], functions)
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                ast.literal_eval(value)  # HumanEval's METADATA; an assertion that uses it is beyond
                self._define(name, functions)
            case _:
                raise _BeyondAssertions

    def _define(self, name: str, functions: Mapping[str, str]) -> None:
        if name == "*" or name in self.names or name in self._functions or name in functions:
            raise _BeyondAssertions
        self._own.add(name)

    def _side(self, node: ast.expr, functions: Mapping[str, str]) -> object:
        if not isinstance(node, ast.Call) or _is_empty_set(node):
            return ast.literal_eval(node)
        self.calls.append(self._call(node, functions))
        return Result(len(self.calls) - 1)

    def _call(self, node: ast.Call, functions: Mapping[str, str]) -> str:
        parts = [source_of(ast.literal_eval(argument)) for argument in node.args]
        for keyword in node.keywords:
            if keyword.arg is None:
                raise _BeyondAssertions
            parts.append(f"{keyword.arg}={source_of(ast.literal_eval(keyword.value))}")
        return f"{self._callee(node.func, functions)}({', '.join(parts)})"

    def _callee(self, node: ast.expr, functions: Mapping[str, str]) -> str:
        match node:
            case ast.Name(id=name):
                if name in functions:
                    return functions[name]
                if name in self._own or (hasattr(builtins, name) and name not in self._tested):
                    raise _BeyondAssertions
                self.names.add(name)
                return name
            case ast.Attribute(value=ast.Name(id=module)) if module in sys.stdlib_module_names or module in ALIASES:
                raise _BeyondAssertions
            case ast.Attribute(value=value, attr=name):
                return f"{self._callee(value, functions)}.{name}"
            case ast.Call():
                return self._call(node, functions)
        raise _BeyondAssertions


def _is_empty_set(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Name) and node.func.id == "set" and not node.args and not node.keywords
