"""Python source to its syntax tree, in programs with several threads.

CPython up to 3.12 counts the depth of a tree for the whole interpreter (github.com/python/cpython/issues/106905): where
one thread is let in while another makes its nodes, by a hook of the garbage collector for one, `ast.parse` ends in
"SystemError: AST constructor recursion depth mismatch". So one thread is in it at a time.
"""

import ast
import os
import threading

_one_at_a_time = threading.Lock()


def _free() -> None:
    global _one_at_a_time
    _one_at_a_time = threading.Lock()


os.register_at_fork(after_in_child=_free)  # the thread that holds it is not in the copy


def python_tree(source: str | bytes) -> ast.Module:
    """As `ast.parse`.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: It is not Python, or too large.
    """
    with _one_at_a_time:
        return ast.parse(source)


def python_literal(text: str) -> object:
    """As `ast.literal_eval`.

    Raises:
        SyntaxError, ValueError, TypeError, RecursionError, MemoryError: It is no literal, or too large.
    """
    with _one_at_a_time:
        value: object = ast.literal_eval(text)
    return value
