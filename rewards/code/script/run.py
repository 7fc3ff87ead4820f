"""Runs a data set's test script without `exec`, first to learn which calls it makes, then to judge their results.

The script is trusted not to attack, but it is not executed either: a closed part of Python is interpreted, and
`Unsupported` tells that the rest has to run in the sandbox.
"""

import ast
import sys

from rewards.code.script.builtins import OPERATORS, CheckFailed, Unsupported, truth
from rewards.code.script.calls import Calls
from rewards.code.script.expressions import Module
from rewards.code.script.known_helpers import known_function
from rewards.code.script.linked_values import DEFINED_BY_PREFIX
from rewards.code.script.names import Function
from rewards.code.script.remote_calls import Diverged, Recording, Remote, Results, Unknown, is_unknown


class _Return(Exception):
    def __init__(self, value: object) -> None:
        self.value = value


class _Break(Exception):
    pass


class _Continue(Exception):
    pass


class _Failed(Exception):
    """An assertion does not hold."""


class ScriptRun(Calls):
    """One run of a whole script."""

    def __init__(
        self, remote: Recording | Results, forced: frozenset[str], last_read: dict[str, tuple[int, int]]
    ) -> None:
        """See `Expressions`."""
        super().__init__(remote, forced, last_read)
        self.setup: list[str] = []

    def holds(self, tree: ast.Module) -> bool:
        """Runs the script: whether no assertion failed.

        Raises:
            Unsupported: The script needs more of Python than there is here.
            Diverged: Its calls depend on results.
        """
        try:
            for statement in tree.body:
                self.run(statement)
        except _Failed:
            return False
        except CheckFailed as error:
            if self.recording is not None:
                raise Unsupported(str(error)) from error
            return False
        except (
            TypeError,
            ValueError,
            ArithmeticError,
            LookupError,
            AttributeError,
            RecursionError,
            MemoryError,
        ) as error:
            # A result of the wrong kind; while recording there are none, so then the script itself is at fault.
            if self.recording is not None:
                raise Unsupported(f"{type(error).__name__}: {error}") from error
            return False
        except (_Return, _Break, _Continue) as error:
            raise Unsupported("misplaced statement") from error
        return True

    def run(self, statement: ast.stmt) -> None:
        """One statement."""
        self.step()
        match statement:
            case ast.Pass():
                pass
            case ast.Assert():
                self._assert(statement)
            case ast.Expr():
                if not isinstance(statement.value, ast.Constant | ast.Name):
                    self.any(statement.value)
            case ast.Assign():
                value = self.any(statement.value)
                for target in statement.targets:
                    self.bind(target, value)
            case ast.AnnAssign():
                if statement.value is not None:
                    self.bind(statement.target, self.any(statement.value))
            case ast.AugAssign(target=ast.Name() as name):
                current = self.value(ast.copy_location(ast.Name(name.id, ast.Load()), name))
                self.bind(name, self._apply(OPERATORS[type(statement.op)], current, self.value(statement.value)))
            case ast.For():
                self._for(statement)
            case ast.While():
                self._while(statement)
            case ast.If():
                self._run_all(statement.body if self._condition(statement.test) else statement.orelse)
            case ast.FunctionDef():
                self._define(statement)
            case ast.ClassDef() if statement.name in DEFINED_BY_PREFIX:
                self.setup.append(ast.unparse(statement))
            case ast.Import() | ast.ImportFrom():
                self._import(statement)
            case ast.Return():
                raise _Return(None if statement.value is None else self.any(statement.value))
            case ast.Break():
                raise _Break
            case ast.Continue():
                raise _Continue
            case _:
                raise Unsupported(type(statement).__name__)

    def _run_all(self, body: list[ast.stmt]) -> None:
        for statement in body:
            self.run(statement)

    def run_body(self, body: list[ast.stmt]) -> object:
        """A function's statements; its returned value."""
        try:
            self._run_all(body)
        except _Return as returned:
            return returned.value
        return None

    def _assert(self, statement: ast.Assert) -> None:
        if isinstance(statement.test, ast.Constant) and statement.test.value:
            return  # HumanEval's `assert True, "..."`
        result = self.tested(statement.test)
        if is_unknown(result):
            self.checks += 1
        elif not truth(result):
            if self.recording is not None:
                raise Unsupported("an assertion that fails for every program")
            raise _Failed

    def _condition(self, test: ast.expr) -> bool:
        value = self.value(test)
        if is_unknown(value):
            raise Unsupported("condition on a result")
        return truth(value)

    def _for(self, statement: ast.For) -> None:
        iterable = self.value(statement.iter)
        for item in self._iterable(iterable):
            self.step()
            self.bind(statement.target, item)
            try:
                self._run_all(statement.body)
            except _Break:
                return
            except _Continue:
                continue
        self._run_all(statement.orelse)

    def _while(self, statement: ast.While) -> None:
        while self._condition(statement.test):
            self.step()
            try:
                self._run_all(statement.body)
            except _Break:
                return
            except _Continue:
                continue

    def _define(self, statement: ast.FunctionDef) -> None:
        if statement.name in DEFINED_BY_PREFIX:
            self.setup.append(ast.unparse(statement))
        elif statement.decorator_list or any(isinstance(i, ast.Yield | ast.YieldFrom) for i in ast.walk(statement)):
            raise Unsupported("decorator or generator")
        else:
            known = known_function(statement)
            self.scope.set(statement.name, known or Function(statement, self.scope.frame, self.run_function))

    def _import(self, statement: ast.Import | ast.ImportFrom) -> None:
        if self.scope.frame.outer is None and not (isinstance(statement, ast.ImportFrom) and self._is_own(statement)):
            self.setup.append(ast.unparse(statement))
        for alias in statement.names:
            if isinstance(statement, ast.ImportFrom):
                if not self._is_own(statement):
                    self._import_member(str(statement.module), alias)
            else:
                members = self.modules.get(alias.name, {})
                self.scope.set(alias.asname or alias.name.partition(".")[0], Module(members))

    def _is_own(self, statement: ast.ImportFrom) -> bool:
        """`from solution import f`: the program under whatever module name."""
        root = (statement.module or "").partition(".")[0]
        return bool(statement.level) or (root not in sys.stdlib_module_names and root not in self.modules)

    def _import_member(self, module: str, alias: ast.alias) -> None:
        members = self.modules.get(module, {})
        if alias.name == "*":
            for name, member in members.items():
                self.scope.set(name, member)
        elif alias.name in members:
            self.scope.set(alias.asname or alias.name, members[alias.name])
        elif module != "typing":
            raise Unsupported(f"import of {module}.{alias.name}")


__all__ = ["CheckFailed", "Diverged", "Remote", "ScriptRun", "Unknown", "Unsupported"]
