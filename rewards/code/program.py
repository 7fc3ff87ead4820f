"""Scores a program by running it in the sandbox against functional or standard-input tests."""

import ast
import builtins
import importlib
import re
import sys
from functools import lru_cache

from rewards.code.assertions import AssertionTests
from rewards.code.code_ground_truth import CodeTests, parse_ground_truth
from rewards.code.functional_tests import CallTests, ScriptTests, tolerant_import
from rewards.code.solution import MAX_CODE, Solution, answer_blocks, bound_names, solution_of
from rewards.code.source_rules import SourceRules
from rewards.code.stdin_tests import StdinTests, same_output
from rewards.problem.python_tree import python_tree
from rewards.problem.verdict import Outcome, Verdict, verdict_of
from rewards.sandbox.frames import WorkerDied
from rewards.sandbox.runs import Limits, ProgramRun, RunStatus, run_calls, run_program, run_tests

_FUTURE = re.compile(r"^from __future__ import [^\n]*$", re.MULTILINE)


def score_program(response: str, ground_truth: str, prefix: str, rules: SourceRules) -> Verdict:
    """Runs the response's program, as `rewards.code.solution` puts it together, against its tests.

    Args:
        response: Whole model output; a thinking part is dropped.
        ground_truth: Tests in any of the encodings of `rewards.code.code_ground_truth`.
        prefix: Imports and helpers that the data puts before every solution (extra_info.prefix).
        rules: Of the source.

    Raises:
        BadGroundTruth: The tests cannot be read.
        SandboxUnavailable: This machine cannot isolate programs.
    """
    tests = parse_ground_truth(ground_truth)
    names = frozenset() if isinstance(tests, StdinTests) else tests.names
    blocks = [block for block in answer_blocks(response) if rules.any_fence or not block.foreign]
    solution = solution_of(blocks, names, prefix)
    if solution is None or not solution.source.strip():
        return Verdict(outcome=Outcome.NO_ANSWER)
    shown, limits = solution.source, rules.limits
    if len(shown) > MAX_CODE:
        return Verdict(outcome=Outcome.TOO_LONG, pred=shown)
    if "\0" in shown or not _may_pass(solution, tests, prefix):
        return Verdict(outcome=Outcome.WRONG, pred=shown)
    program = _with_prefix(shown, f"{rules.imports_for(solution)}{prefix}")
    try:
        match tests:
            case StdinTests():
                return _on_stdin(program, shown, tests, limits)
            case CallTests():
                in_class = tests.name not in (solution.defined or ())
                results = run_calls(program, tests.calls(in_class=in_class), limits=limits)
                return _judged(results.status, results.status is RunStatus.DONE and tests.passed(results.values), shown)
            case AssertionTests():
                results = run_calls(program, tests.calls, setup=tests.setup, limits=limits)
                return _judged(results.status, results.status is RunStatus.DONE and tests.passed(results.values), shown)
            case ScriptTests():
                entries = tests.tested | _required(tests, prefix)
                status = run_tests(
                    program, tests.source, setup=tests.setup, prefix=prefix, entries=entries, limits=limits
                )
                return _judged(status, status is RunStatus.DONE, shown)
    except WorkerDied:
        return Verdict(outcome=Outcome.ERROR, pred=shown)


def _with_prefix(code: str, prefix: str) -> str:
    if not prefix.strip():
        return code
    future = "\n".join(_FUTURE.findall(code))
    return f"{future}\n{_tolerant(prefix)}\n{_FUTURE.sub('', code) if future else code}"


@lru_cache(maxsize=64)
def _tolerant(prefix: str) -> str:
    """The prefix, in which an import of a package that is not installed fails only those who use it."""
    try:
        body = python_tree(prefix).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return prefix
    return "\n".join(ast.unparse(node) if _is_standard(node) else tolerant_import(node) for node in body)


def _is_standard(node: ast.stmt) -> bool:
    """Whether this imports nothing but Python's own modules."""
    names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
    names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
    return all(name.partition(".")[0] in sys.stdlib_module_names for name in names)


def _may_pass(solution: Solution, tests: CodeTests, prefix: str) -> bool:
    """Whether the program can be right as far as its names tell.

    It must itself define what is tested: with a prefix that star-imports `operator`, an empty program would
    otherwise pass the tests of `add`.
    """
    if solution.defined is None:
        return False
    if isinstance(tests, StdinTests):
        return True
    if isinstance(tests, CallTests):
        own = solution.defined
        return tests.name in own or "Solution" in own or _defines(solution, tests.name, _names_given_by(prefix))
    given = _names_given_by(prefix)
    required = _required(tests, prefix)
    # Some of the names that a script seems to need may be its own.
    suffices = any if isinstance(tests, ScriptTests) else all
    return suffices(_defines(solution, name, given) for name in required)


def _required(tests: AssertionTests | ScriptTests, prefix: str) -> frozenset[str]:
    """The names under test: what the tests use and the prefix does not give, or else all that they use."""
    return (tests.names - _names_given_by(prefix)) or tests.names


def _defines(solution: Solution, name: str, given: frozenset[str]) -> bool:
    if name in given or hasattr(builtins, name):
        return name in (solution.defined or ())
    return solution.may_define(name)


@lru_cache(maxsize=64)
def _names_given_by(prefix: str) -> frozenset[str]:
    try:
        tree, names = python_tree(prefix), bound_names(prefix)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset(re.findall(r"\w+", prefix))
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*" and node.module in _STAR_IMPORTED:
            names |= set(dir(importlib.import_module(node.module)))
    return names


_STAR_IMPORTED = frozenset(
    {
        *("bisect", "cmath", "collections", "copy", "datetime", "decimal", "fractions", "functools", "heapq", "io"),
        *("itertools", "json", "math", "operator", "random", "re", "statistics", "string", "sys", "time", "typing"),
    }
)


def _judged(status: RunStatus, passed: bool, shown: str) -> Verdict:
    if status is RunStatus.TIMEOUT:
        return Verdict(outcome=Outcome.TIMEOUT, pred=shown)
    return verdict_of(passed, shown)


def _on_stdin(program: str, shown: str, tests: StdinTests, limits: Limits) -> Verdict:
    cpu_s, asleep_s = float(limits.series * limits.cpu_s), limits.series * limits.wall_s

    def stop(index: int, run: ProgramRun) -> bool:
        nonlocal cpu_s, asleep_s
        cpu_s, asleep_s = cpu_s - run.cpu_s, asleep_s - run.asleep_s
        is_right = run.status is RunStatus.DONE and same_output(run.stdout, tests.outputs[index])
        return not is_right or min(cpu_s, asleep_s) < 0

    runs = run_program(program, tests.inputs, limits=limits, output_limits=tests.output_limits(), stop=stop)
    if not runs:
        return Verdict(outcome=Outcome.ERROR, pred=shown)
    last = runs[-1]
    if last.status is not RunStatus.DONE:
        return _judged(last.status, False, shown)
    if not same_output(last.stdout, tests.outputs[len(runs) - 1]):
        return verdict_of(False, shown)
    # Stopped by the limit on the whole row if some were never run.
    return _judged(last.status if len(runs) == len(tests.inputs) else RunStatus.TIMEOUT, True, shown)
