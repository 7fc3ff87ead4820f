"""Tests that call the program: which calls to make in the sandbox, and whether their results satisfy the tests.

Two kinds: a script of assertions (HumanEval, MBPP, LeetCode, LiveCodeBench, PrimeIntellect), and pairs of arguments
and a value in JSON (TACO, APPS). Expected values stay in this process for both; only a script that goes beyond the
interpreter of `rewards.code.script.run` is run in the sandbox as it is.
"""

import ast
import builtins
from collections.abc import Sequence
from dataclasses import dataclass

from rewards.code.script.builtins import BUILTINS, TYPES, Unsupported
from rewards.code.script.known_helpers import with_helpers
from rewards.code.script.linked_values import DEFINED_BY_PREFIX, READERS
from rewards.code.script.names import FoldLiterals, free_names
from rewards.code.script.plain_values import Incomparable, source_of, values_agree
from rewards.code.script.remote_calls import Diverged, Recording, Results
from rewards.code.script.run import ScriptRun
from rewards.problem.bad_ground_truth import BadGroundTruth

_MAX_SOURCE = 8 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptTests:
    """A script of assertions.

    `recording` is None when the script has to be run in the sandbox as it is. `names` are those that the program
    must define, empty when not known.
    """

    source: str
    setup: str
    tree: ast.Module
    recording: Recording | None
    forced: frozenset[str]
    last_read: dict[str, tuple[int, int]]
    names: frozenset[str]

    def calls(self) -> tuple[str, ...]:
        """What to evaluate in the sandbox."""
        return () if self.recording is None else self.recording.calls()

    def passed(self, values: Sequence[object]) -> bool | None:
        """Whether the results of `calls` satisfy every assertion; None if this cannot be told without the program."""
        if self.recording is None:
            return None
        run = ScriptRun(Results(self.recording, values), self.forced, self.last_read)
        try:
            return run.holds(self.tree)
        except Diverged:
            return None
        except Unsupported:
            # A result leads the script where no honest one did in recording, or it is too large to look at here.
            return None


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
                values_agree(value, expected, json_gold=True)
                or (
                    isinstance(expected, list)
                    and len(expected) == 1
                    and values_agree(value, expected[0], json_gold=True)
                )
                for value, expected in zip(values, self.expected, strict=True)
            )
        except (Incomparable, RecursionError):
            return False


def parse_script(source: str, entry: str | None = None) -> ScriptTests:
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
    tree = _parse(source)
    if entry is not None and entry.isidentifier() and _lacks_call_of_check(tree):
        source = f"{source}\n\ncheck({entry})"
        tree = _parse(source)
    tree = with_helpers(tree)
    if not any(isinstance(node, ast.Assert | ast.Raise | ast.Call) for node in ast.walk(tree)):
        raise BadGroundTruth("the functional tests assert nothing")
    last_read = {
        node.id: (node.lineno, node.col_offset)
        for node in sorted(
            (n for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)),
            key=lambda n: (n.lineno, n.col_offset),
        )
    }
    names = _names_of(tree)
    FoldLiterals().generic_visit(tree)
    candidates = _candidates(tree)
    for forced in (candidates, candidates | _called_builtins(tree)):
        recording = Recording()
        run = ScriptRun(recording, forced, last_read)
        try:
            run.holds(tree)
        except Unsupported:
            if forced != candidates | _called_builtins(tree):
                continue
            if not any(isinstance(node, ast.Assert | ast.Raise | ast.Call) for node in ast.walk(tree)):
                raise BadGroundTruth("the functional tests assert nothing") from None
            return ScriptTests(
                source=source,
                setup="",
                tree=tree,
                recording=None,
                forced=forced,
                last_read=last_read,
                names=names,
            )
        if recording.sources and run.checks:
            setup = [_tolerant(line) if line.startswith(("import ", "from ")) else line for line in run.setup]
            if run.uses_nodes:
                setup.append(READERS)
            return ScriptTests(
                source=source,
                setup="\n".join(setup),
                tree=tree,
                recording=recording,
                forced=forced,
                last_read=last_read,
                names=frozenset(run.program_names - DEFINED_BY_PREFIX),
            )
    raise BadGroundTruth("the functional tests assert nothing about the program")


def _tolerant(line: str) -> str:
    """An import of the tests' own, which a program that does not use it must not fail for."""
    return f"try:\n    {line}\nexcept ImportError:\n    pass"


def _parse(source: str) -> ast.Module:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise BadGroundTruth(f"the functional tests are not Python: {error}") from error


def _lacks_call_of_check(tree: ast.Module) -> bool:
    defines = any(isinstance(node, ast.FunctionDef) and node.name == "check" for node in tree.body)
    calls = any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "check"
        for node in ast.walk(tree)
    )
    return defines and not calls


def _candidates(tree: ast.Module) -> frozenset[str]:
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
    """A guess at the program's names in a script that is not interpreted."""
    return frozenset(free_names(tree) - BUILTINS.keys() - TYPES.keys() - DEFINED_BY_PREFIX - _COMMON)


_COMMON = frozenset(dir(builtins)) | {"__name__", "__file__"}
