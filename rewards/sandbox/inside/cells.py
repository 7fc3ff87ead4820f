"""What runs in a locked-down child of the zygote for a program in cells: earlier ones again, unheard, then the last.

As in `cell`, the interpreter is shared with the program: how a run ended is for the program's author to know, and
proves nothing.
"""

import ast
import contextlib
import fcntl
import io
import json
import linecache
import os
import sys
import traceback
import types
from typing import Any, TextIO

from rewards.sandbox.inside.cell import (
    connect_standard_streams,
    end_interpreter,
    fresh_module,
    prepare_interpreter,
    read_whole,
)

# Exit statuses. None is 0 or 1, which a program that leaves by itself would choose.
DONE = 60
RAISED = 61
_NAME = "call"  # and its number: what a cell's file is called
_FRAMES = 2


def run_cells(payload_fd: int, output_fd: int, error_fd: int) -> int:
    """Runs the JSON list of cells in `payload_fd` in one namespace; descriptors 1 and 2 are heard in the last alone.

    An exception ends its cell and no other. The value of an expression that a cell ends with is printed, as a prompt
    would.
    """
    cells = json.loads(read_whole(payload_fd))
    streams = _standard_streams()
    prepare_interpreter()
    module = fresh_module("__main__")
    for number, code in enumerate(cells[:-1], 1):
        _run(code, number, module)
    for stream, descriptor in zip(streams, (output_fd, error_fd), strict=True):
        _lead_to(stream, descriptor)
    ok = _run(cells[-1], len(cells), module)
    with contextlib.suppress(BaseException):  # what the program left to be done may raise anything
        end_interpreter()
    for stream in streams:
        with contextlib.suppress(BaseException):
            stream.flush()
    return DONE if ok else RAISED


def _standard_streams() -> tuple[TextIO, TextIO]:
    printed = connect_standard_streams()
    told = io.TextIOWrapper(
        io.FileIO(2, "w", closefd=False), encoding="utf-8", errors="backslashreplace", write_through=True
    )
    sys.stderr = told
    vars(sys).update(__stderr__=told)
    return printed, told


def _lead_to(stream: TextIO, descriptor: int) -> None:
    """Has a standard stream, and its number, lead to a descriptor from now on."""
    with contextlib.suppress(Exception):  # an earlier cell may have closed it, or put anything in its place
        stream.flush()
    number = 1 if stream is sys.__stdout__ else 2
    with contextlib.suppress(OSError):
        os.close(number)
    # dup2 is no system call that is allowed here; the lowest free number at or above this one is this one.
    fcntl.fcntl(descriptor, fcntl.F_DUPFD, number)
    os.close(descriptor)


def _run(code: str, number: int, module: types.ModuleType) -> bool:
    """Whether the cell came to its end without an exception; what it raised is printed."""
    name = f"{_NAME} {number}"
    try:
        linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
        body, last = _compiled(code, name)
        exec(body, module.__dict__)
        if last is not None:
            value = eval(last, module.__dict__)
            if value is not None:
                print(repr(value))
    except BaseException as error:  # the program's: it may raise anything
        if isinstance(error, SystemExit) and (error.code is None or error.code == 0):
            return True
        with contextlib.suppress(BaseException):
            print(_told(error), end="", file=sys.__stderr__)
        return False
    return True


def _compiled(code: str, name: str) -> tuple[Any, Any]:
    tree = ast.parse(code, name)
    last = tree.body[-1] if tree.body else None
    if not isinstance(last, ast.Expr):
        return compile(tree, name, "exec"), None
    body = ast.Module(tree.body[:-1], tree.type_ignores)
    return compile(body, name, "exec"), compile(ast.Expression(last.value), name, "eval")


def _told(error: BaseException) -> str:
    """An exception with the last lines of the program that led to it, and no path of this machine."""
    frames = [one for one in traceback.extract_tb(error.__traceback__) if one.filename.startswith(_NAME)]
    lines = [f"{one.filename}, line {one.lineno}: {one.line}\n" for one in frames[-_FRAMES:]]
    return "".join(lines + traceback.format_exception_only(error))
