"""Runs trusted test code against a candidate program that lives in another process (`.solution_server`).

Names that the tests do not have themselves are the program's. Only this process can report: it alone has the
descriptor and the token of the run, and it reports how many checks passed, only after all of them have.
"""

import ast
import builtins
import contextlib
import importlib
import json
import sys
import types
from collections.abc import Collection
from typing import Any

from rewards.sandbox.inside.cell import prepare_interpreter, read_whole, write_whole
from rewards.sandbox.inside.remote_objects import Solution

_FAILED = 1
_COUNTER = "__check_passed__"
# What test code uses without importing it, relying on the program's imports. It must not be the program's: a patched
# `isclose` would pass anything.
_ALIASES = {"np": "numpy", "pd": "pandas", "dt": "datetime", "nx": "networkx"}
_MEMBERS = {
    **dict.fromkeys(("isclose", "sqrt", "inf", "nan", "pi", "gcd", "lcm", "floor", "ceil", "factorial"), "math"),
    **dict.fromkeys(("Counter", "defaultdict", "deque", "OrderedDict", "namedtuple"), "collections"),
    **dict.fromkeys(("permutations", "combinations", "product", "chain", "accumulate", "zip_longest"), "itertools"),
    **dict.fromkeys(("reduce", "partial", "lru_cache", "cache", "cmp_to_key"), "functools"),
    **dict.fromkeys(("List", "Dict", "Set", "Tuple", "Optional", "Union", "Any", "Callable", "Iterable"), "typing"),
    **{"Decimal": "decimal", "Fraction": "fractions", "deepcopy": "copy", "randint": "random"},
    **dict.fromkeys(("heappush", "heappop", "heapify"), "heapq"),
    **dict.fromkeys(("ascii_lowercase", "ascii_uppercase", "ascii_letters", "digits"), "string"),
    **dict.fromkeys(("bisect_left", "bisect_right"), "bisect"),
    **dict.fromkeys(("date", "datetime", "timedelta"), "datetime"),
}


def run_tests(payload_fd: int, reading: int, writing: int, report_fd: int) -> int:
    """Runs the tests in `payload_fd`; a status of 0 goes with a report, any other status means that they failed."""
    request = json.loads(read_whole(payload_fd))
    prepare_interpreter()
    solution = Solution(reading, writing)
    try:
        if not solution.loaded():
            return _FAILED
        checks = _run(request, solution)
    except BaseException:  # a failed assertion, or whatever else the tests or the program raise
        return _FAILED
    report = {"token": request["token"], "checks": checks}
    write_whole(report_fd, json.dumps(report).encode())
    return 0


def _run(request: dict[str, Any], solution: Solution) -> int:
    passed = 0

    def count() -> None:
        nonlocal passed
        passed += 1

    tree = ast.parse(request["tests"])
    tree = ast.fix_missing_locations(_CountChecks().visit(tree))
    module = types.ModuleType("__main__")
    names = _Names(module.__dict__)
    names.update({"__name__": "__main__", _COUNTER: count, "__builtins__": builtins})
    names.configure(solution, request["entries"], _trusted(request["prefix"]))
    sys.modules["__main__"] = module
    exec(compile(tree, "<tests>", "exec"), names)
    return passed


def _trusted(prefix: str) -> dict[str, object]:
    """What the data's own imports and helpers define; an import of what is not installed here is skipped."""
    defined: dict[str, object] = {"__name__": "prefix"}
    for node in ast.parse(prefix).body:
        with contextlib.suppress(ImportError):
            exec(compile(ast.Module([node], []), "<prefix>", "exec"), defined)
    return defined


class _Names(dict[str, Any]):
    """Globals of the tests: their own, then those under test, then trusted ones, then the program's."""

    def configure(self, solution: Solution, entries: Collection[str], trusted: dict[str, object]) -> None:
        self._solution = solution
        self._entries = frozenset(entries)
        self._trusted = trusted

    def __missing__(self, name: str) -> Any:
        if name in self._entries:
            return self._of_program(name)
        if name in self._trusted:
            return self._trusted[name]
        if hasattr(builtins, name):
            return getattr(builtins, name)
        known = _known(name)
        return known if known is not None else self._of_program(name)

    def _of_program(self, name: str) -> Any:
        try:
            return self._solution.get(name)
        except NameError:
            raise KeyError(name) from None


def _known(name: str) -> Any:
    """A module or a member of one that test code is used to find imported."""
    with contextlib.suppress(ImportError):
        if name in _MEMBERS:
            return getattr(importlib.import_module(_MEMBERS[name]), name)
        if name in _ALIASES or name in sys.stdlib_module_names:
            return importlib.import_module(_ALIASES.get(name, name))
    return None


class _CountChecks(ast.NodeTransformer):
    """Puts a count behind every check: `assert`, a call of `assert...`, an `if` that would have raised."""

    def visit_Assert(self, node: ast.Assert) -> list[ast.stmt]:
        return [node, _count()]

    def visit_Expr(self, node: ast.Expr) -> list[ast.stmt] | ast.Expr:
        if isinstance(node.value, ast.Call):
            function = node.value.func
            name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
            if name.startswith("assert"):
                return [node, _count()]
        return node

    def visit_If(self, node: ast.If) -> list[ast.stmt] | ast.AST:
        self.generic_visit(node)
        if isinstance(node.body[-1], ast.Raise) and not node.orelse:
            return [node, _count()]
        return node


def _count() -> ast.stmt:
    return ast.Expr(ast.Call(ast.Name(_COUNTER, ast.Load()), [], []))
