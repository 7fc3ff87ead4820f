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

from rewards.sandbox.frames import write_whole
from rewards.sandbox.inside import pytest_tests, rewriting, stand_ins, unittest_cases
from rewards.sandbox.inside.cell import prepare_interpreter, read_whole
from rewards.sandbox.inside.known_names import ALIASES, JSON_WORDS, MEMBERS
from rewards.sandbox.inside.remote_objects import Solution

_FAILED = 1


def run_tests(payload_fd: int, reading: int, writing: int, report_fd: int, program: int | None = None) -> int:
    """Runs the tests in `payload_fd`; a status of 0 goes with a report, any other status means that they failed.

    `program` is the candidate's process, None where only its own timer limits it.
    """
    request = json.loads(read_whole(payload_fd))
    prepare_interpreter()
    solution = Solution(reading, writing, request["cpu_s"], program)
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

    stand_ins.install()
    tree = rewriting.rewritten(request["tests"])
    module = types.ModuleType("__main__")
    names = _Names(module.__dict__)
    names.update({"__name__": "__main__", "__builtins__": builtins, rewriting.COUNTER: count, **rewriting.NAMES})
    names.configure(solution, request["entries"], _trusted(request["prefix"]))
    sys.modules["__main__"] = module
    called = frozenset(node.id for node in ast.walk(tree) if isinstance(node, ast.Name))
    has_cases = "unittest" in request["tests"]
    if has_cases:
        unittest_cases.install()
    vars(sys).update(exit=_end_script)
    with contextlib.suppress(_EndOfScript):
        exec(compile(tree, "<tests>", "exec"), names)
    if has_cases:
        unittest_cases.run(names)
    pytest_tests.Collected(names, called).run()
    return passed


class _EndOfScript(BaseException):
    """The script ended itself with success. Not SystemExit, which a program can raise in a call."""


def _end_script(code: object = None) -> None:
    raise SystemExit(code) if code else _EndOfScript


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
        if name in JSON_WORDS:
            return JSON_WORDS[name]
        known = _known(name)
        return known if known is not None else self._of_program(name)

    def _of_program(self, name: str) -> Any:
        try:
            return self._solution.get("global", name)
        except NameError:
            raise KeyError(name) from None


def _known(name: str) -> Any:
    """A module or a member of one that test code is used to find imported."""
    with contextlib.suppress(ImportError):
        if name in MEMBERS:
            return getattr(importlib.import_module(MEMBERS[name]), name)
        if name in ALIASES or name in sys.stdlib_module_names:
            return importlib.import_module(ALIASES.get(name, name))
    return None
