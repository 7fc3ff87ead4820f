"""Tests that call the program: a script of assertions, or pairs of arguments and a value in JSON.

Scripts are those of HumanEval, MBPP, LeetCode, LiveCodeBench and PrimeIntellect, pairs those of TACO and APPS. Expected
values stay in this process for pairs, and for scripts that `rewards.code.assertions` can read; any other script runs in
a process of its own in the sandbox, beside the program's.
"""

import ast
import builtins
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from rewards.code.assertions import AssertionTests, read_assertions
from rewards.code.collected import needs_runner, plain_functions, refuse_what_cannot_run
from rewards.code.known_helpers import missing_helper
from rewards.code.solution import free_names
from rewards.problem.python_tree import python_tree
from rewards.problem.question import BadGroundTruth
from rewards.sandbox.inside.agreement import JSON, Incomparable, values_agree
from rewards.sandbox.inside.known_names import ALIASES, JSON_WORDS, MEMBERS
from rewards.sandbox.inside.rewriting import is_check, is_of_program
from rewards.sandbox.source_text import source_of

_MAX_SOURCE = 8 << 20
# LeetCode's nodes, which tests may bring along for the program as well.
_NODE_HELPERS = frozenset({"ListNode", "TreeNode", "list_node", "tree_node", "is_same_list", "is_same_tree"})
_NOT_OF_PROGRAM = frozenset(dir(builtins)) | {"__name__", "__file__"} | JSON_WORDS.keys() | _NODE_HELPERS


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptTests:
    """A script to run.

    `setup` is for the program's process, before the script runs. `tested` are names that are the program's even if
    Python has a built-in of that name. `names` are those that the program seems to have to define.
    """

    source: str
    setup: str
    tested: frozenset[str]
    names: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTests:
    """Calls of one function with JSON arguments, and the value that each must return."""

    name: str
    arguments: tuple[tuple[object, ...], ...]
    expected: tuple[object, ...]

    @property
    def names(self) -> frozenset[str]:
        """What the program must define: the function, or LeetCode's class with that method."""
        return frozenset({self.name, "Solution"})

    def calls(self, *, in_class: bool) -> tuple[str, ...]:
        """What to evaluate in the sandbox."""
        function = f"Solution().{self.name}" if in_class else self.name
        return tuple(f"{function}({', '.join(source_of(a) for a in row)})" for row in self.arguments)

    def passed(self, values: Sequence[object]) -> bool:
        """Whether every result is the expected one; APPS wraps some of those in a list of one."""
        try:
            return len(values) == len(self.expected) and all(
                values_agree(value, expected, JSON)
                or (isinstance(expected, list) and len(expected) == 1 and values_agree(value, expected[0], JSON))
                for value, expected in zip(values, self.expected, strict=True)
            )
        except (Incomparable, RecursionError):
            return False


def parse_script(source: str, entry: str | None = None) -> AssertionTests | ScriptTests:
    """Prepares a script of assertions.

    Args:
        source: Python.
        entry: Name of the function under test where the data gives it apart; a `check(candidate)` that the script
            defines but never calls is then called with it.

    Raises:
        BadGroundTruth: Not Python, or it asserts nothing about the program.
    """
    if len(source) > _MAX_SOURCE:
        raise BadGroundTruth(f"the functional tests are {len(source)} characters long, more than {_MAX_SOURCE}")
    source, tree = _completed(source, entry)
    setup = _setup(tree)
    given = _given_to_functions(tree)
    names = _names_of(tree) | given
    # A built-in is under test only where nothing else is: else a program's own `sorted` or `abs` would judge it.
    tested = given if names else _called_builtins(tree)
    names |= tested
    known = frozenset(MEMBERS.keys() - names)
    found = None
    if not needs_runner(tree):
        found = read_assertions(tree, given, setup, known) or read_assertions(tree, tested, setup, known)
    if found is not None:
        return found
    if not names or not _checks_anything(tree):
        raise BadGroundTruth("the functional tests assert nothing about the program")
    return ScriptTests(source=source, setup=setup, tested=tested, names=names)


def _completed(source: str, entry: str | None) -> tuple[str, ast.Module]:
    """The script with the helper that it lacks, with the call of its `check` and of its test functions."""
    tree = _parse(source)
    refuse_what_cannot_run(tree)
    before = missing_helper(tree)
    after = f"\n\ncheck({entry})" if entry is not None and entry.isidentifier() and _lacks_call_of_check(tree) else ""
    after += "".join(f"\n{name}()" for name in plain_functions(tree))
    if not before and not after:
        return source, tree
    source = f"{before}{source}{after}"
    return source, _parse(source)


def _setup(tree: ast.Module) -> str:
    """What a program may expect of the tests: their imports, and LeetCode's nodes."""
    lines: list[str] = []
    for node in tree.body:
        if isinstance(node, ast.Import) or (isinstance(node, ast.ImportFrom) and not is_of_program(node)):
            # A program that does not use it must not fail for it, nor one that has something else of that name.
            lines += ["__before_imports = dict(globals())", tolerant_import(node), "globals().update(__before_imports)"]
        elif isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name in _NODE_HELPERS:
            lines.append(ast.unparse(node))
    return "\n".join(lines)


def tolerant_import(node: ast.stmt) -> str:
    """An import that does nothing where its package is not installed."""
    return f"try:\n    {ast.unparse(node)}\nexcept ImportError:\n    pass"


def _parse(source: str) -> ast.Module:
    try:
        return python_tree(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise BadGroundTruth(f"the functional tests are not Python: {error}") from error


def _lacks_call_of_check(tree: ast.Module) -> bool:
    defines = any(isinstance(node, ast.FunctionDef) and node.name == "check" for node in tree.body)
    calls = any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "check"
        for node in ast.walk(tree)
    )
    return defines and not calls


def _given_to_functions(tree: ast.Module) -> frozenset[str]:
    """Names given to a function of the script at its top level, as `f` in `check(f)`.

    They are the program's even if Python has a built-in of that name.
    """
    defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    return frozenset(
        argument.id
        for node in tree.body
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
        if isinstance(node.value.func, ast.Name) and node.value.func.id in defined
        for argument in node.value.args
        if isinstance(argument, ast.Name)
    )


def _called_builtins(tree: ast.Module) -> frozenset[str]:
    """The built-in names that assertions call outermost, if they call nothing else: then one of them is tested."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert):
            sides = [node.test.left, *node.test.comparators] if isinstance(node.test, ast.Compare) else [node.test]
            names |= {s.func.id for s in sides if isinstance(s, ast.Call) and isinstance(s.func, ast.Name)}
    return frozenset(names) if all(hasattr(builtins, name) for name in names) else frozenset()


def _names_of(tree: ast.Module) -> frozenset[str]:
    """A guess at the names that the program has to define."""
    modules = sys.stdlib_module_names | ALIASES.keys()
    owners = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    alone = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in owners}
    imported = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and is_of_program(node)
        for alias in node.names
    }
    free = free_names(tree) - _NOT_OF_PROGRAM
    names = imported | {name for name in free if name in alone or name not in modules}
    # `Fraction` beside `f` is Python's; alone, a `Counter` is the program's.
    return frozenset(names - MEMBERS.keys() or names)


def _checks_anything(tree: ast.Module) -> bool:
    """Whether there is a check outside of functions, or in a method or a function of which the script speaks."""
    spoken = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    unused = {
        node
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name not in spoken and not node.name.startswith("test")
    }
    waiting: list[ast.AST] = [node for node in tree.body if node not in unused]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Raise) or (
            isinstance(node, ast.Assert) and not (isinstance(node.test, ast.Constant) and node.test.value)
        ):
            return True
        if isinstance(node, ast.expr) and is_check(node):
            return True
        waiting += ast.iter_child_nodes(node)
    return False
