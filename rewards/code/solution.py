"""Puts the program that a response proposes together from its code blocks."""

import ast
import builtins
import re
import symtable
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rewards.problem.extraction import CodeBlock, after_thinking, code_blocks
from rewards.problem.python_tree import python_tree

MAX_CODE = 1 << 16
_BUILTINS = frozenset(dir(builtins))
# What can define a name without an assignment that can be seen.
_DYNAMIC = re.compile(r"\b(?:exec|globals|locals|vars|setattr|__dict__|modules|eval)\b|import \*")
_PRINTS = re.compile(r"\bprint\b|\bstdout\b|\bwrite\b")
_READS = re.compile(r"\binput\b|\bstdin\b|\bopen\(0\b|\bfileinput\b")
_END_OF_THINKING, _IN_PROGRAM = "</think>", "\0thought\0"


@dataclass(frozen=True, slots=True)
class Solution:
    """A program. `defined` are the names that it binds at its top level, None if it does not compile."""

    source: str
    defined: frozenset[str] | None

    def may_define(self, name: str) -> bool:
        """Whether the name can be the program's own after it ran."""
        return self.defined is not None and (name in self.defined or bool(_DYNAMIC.search(self.source)))


def answer_blocks(response: str) -> list[CodeBlock]:
    """The code blocks behind a response's thinking.

    A `</think>` in a block that compiles is the program's own text and ends no thinking.
    """
    if _END_OF_THINKING in response and "\0" not in response:
        for block in code_blocks(response):
            if _END_OF_THINKING in block.source and _analysed(block.source).defined is not None:
                kept = block.source.replace(_END_OF_THINKING, _IN_PROGRAM)
                response = response.replace(block.source, kept)
    return [
        replace(block, source=block.source.replace(_IN_PROGRAM, _END_OF_THINKING))
        for block in code_blocks(after_thinking(response))
    ]


def solution_of(blocks: Sequence[CodeBlock], names: frozenset[str], known: str = "") -> Solution | None:
    """The program of the last block that defines what the tests use.

    Blocks whose fence says Python go before those whose fence says nothing, and these before those whose fence says
    something else. Where programs read and print, the last that does both is taken, else the last that prints.
    Earlier blocks are put before the chosen one only for names that it lacks, and joined all only if no block defines
    any of `names`.

    Args:
        blocks: Of the response, in order.
        names: What the program must define; empty for one that reads and prints.
        known: Code that will precede the program.
    """
    chosen = [_analysed(block.source) for block in blocks if block.tagged and block.source.strip()]
    for foreign in (False, True):
        if not chosen:
            sources = [block.source for block in blocks if block.source.strip() and block.foreign is foreign]
            chosen = [part for part in map(_analysed, sources) if part.defined is not None]
            if not names:
                chosen = [part for part in chosen if _PRINTS.search(part.source)]
            elif foreign:
                chosen = [part for part in chosen if any(map(part.may_define, names))]
    if not chosen:
        return None
    last = _last_of(chosen, names)
    if last is None:
        return chosen[0] if len(chosen) == 1 else _analysed("\n".join(part.source for part in chosen))
    program = chosen[last]
    missing = _missing(program, names, known)
    for part in reversed(chosen[:last]):
        if missing and part.defined and missing & part.defined:
            joined = _analysed(f"{part.source}\n{program.source}")
            if joined.defined is not None:
                program = joined
                missing = _missing(program, names, known)
    return program


def _last_of(parts: Sequence[Solution], names: frozenset[str]) -> int | None:
    if not names:
        printing = [i for i, part in enumerate(parts) if _PRINTS.search(part.source)]
        both = [i for i in printing if _READS.search(parts[i].source)]
        return (both or printing or [len(parts) - 1])[-1]
    return next((i for i in range(len(parts) - 1, -1, -1) if names & (parts[i].defined or frozenset())), None)


def _missing(program: Solution, names: frozenset[str], known: str) -> frozenset[str]:
    if program.defined is None:
        return frozenset()
    # `names` may be alternatives, as a function and the class that can hold it.
    wanted = free_names(python_tree(program.source)) | (names if not names & program.defined else frozenset())
    return frozenset(n for n in wanted - program.defined - _BUILTINS if not re.search(rf"\b{re.escape(n)}\b", known))


def _analysed(source: str) -> Solution:
    if len(source) > MAX_CODE or "\0" in source:
        return Solution(source, None)
    try:
        return Solution(source, bound_names(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Solution(source, None)


def bound_names(source: str) -> frozenset[str]:
    """Names that code binds at its top level.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: It does not compile.
    """
    names = symtable.symtable(source, "program", "exec").get_symbols()
    return frozenset(name.get_name() for name in names if name.is_assigned() or name.is_imported())


def free_names(node: ast.AST) -> set[str]:
    """Names that `node` reads and does not itself assign or take as parameters."""
    read: set[str] = set()
    own: set[str] = set()
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name):
            (read if isinstance(inner.ctx, ast.Load) else own).add(inner.id)
        elif isinstance(inner, ast.arg):
            own.add(inner.arg)
        elif isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            own.add(inner.name)
        elif isinstance(inner, ast.Import | ast.ImportFrom):
            own |= {(alias.asname or alias.name).partition(".")[0] for alias in inner.names}
        elif isinstance(inner, ast.ExceptHandler) and inner.name:
            own.add(inner.name)
    return read - own
