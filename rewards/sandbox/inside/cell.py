"""What runs in a locked-down child of the zygote: a program on its standard input, or calls into it.

Everything here shares its interpreter with the candidate program, so nothing it says is evidence. It reports values
or output, which the scorer compares with what was expected; that never comes here.
"""

import builtins
import contextlib
import gc
import io
import json
import os
import random
import sys
import types
from collections.abc import Callable
from typing import Any, TextIO

from rewards.sandbox.frames import write_whole
from rewards.sandbox.inside import event_loop
from rewards.sandbox.inside.encoding import encode_value
from rewards.sandbox.inside.timer import limited

_EXIT_RAISED = 1


def read_whole(descriptor: int) -> bytes:
    """All bytes of a sealed memory file, which others may be reading too; closes it."""
    try:
        return os.pread(descriptor, os.fstat(descriptor).st_size, 0)
    finally:
        os.close(descriptor)


def fresh_module(name: str) -> types.ModuleType:
    """An empty module that `import name` finds."""
    module = types.ModuleType(name)
    module.__dict__["__builtins__"] = __builtins__
    sys.modules[name] = module
    return module


def prepare_interpreter() -> None:
    """Undoes what the zygote did for its own sake."""
    gc.enable()
    random.seed(0)
    sys.argv = ["solution.py"]


def connect_standard_streams() -> TextIO:
    """Makes standard input and output anew on descriptors 0 and 1; returns the output."""
    # The zygote's own were made for /dev/null, and remember it (block size, whether they can seek).
    given = open(0, encoding="utf-8", errors="surrogateescape", closefd=False)  # noqa: SIM115
    raw = io.BufferedWriter(io.FileIO(1, "w", closefd=False))
    printed = io.TextIOWrapper(raw, encoding="utf-8", errors="surrogateescape")
    sys.stdin, sys.stdout = given, printed
    vars(sys).update(__stdin__=given, __stdout__=printed)
    return printed


_STREAMS = {f"{folder}/{number}": number for folder in ("/dev/fd", "/proc/self/fd") for number in (0, 1)}
_STREAMS |= {"/dev/stdin": 0, "/dev/stdout": 1}
_python_open: Callable[..., Any] = open


def _open(file: Any, *arguments: Any, **named: Any) -> Any:
    """`open`, for which the standard streams have their usual names, though there is no /dev."""
    number = _STREAMS.get(file) if type(file) is str else None
    return _python_open(file if number is None else number, *arguments, **named)


def run_program(code_fd: int) -> int:
    """Runs the code in `code_fd` as `__main__` on descriptors 0 and 1, then what Python does at its end.

    Returns the exit status: 0 where Python's would be 0.
    """
    code = read_whole(code_fd).decode("utf-8", "surrogatepass")
    connect_standard_streams()
    prepare_interpreter()
    builtins.open = _open
    sys.meta_path.insert(0, event_loop.LoopGiver())
    module = fresh_module("__main__")
    module.__dict__["__file__"] = "solution.py"
    status = _status_of(lambda: exec(compile(code, "solution.py", "exec"), module.__dict__))
    return _status_of(end_interpreter) or status


def _status_of(action: Callable[[], object]) -> int:
    try:
        action()
    except SystemExit as error:
        return 0 if error.code is None or (type(error.code) is int and error.code & 0xFF == 0) else _EXIT_RAISED
    except BaseException:  # the candidate's: it may raise anything
        return _EXIT_RAISED
    return 0


def end_interpreter() -> None:
    """Does what Python does at the end of a program: waits for its threads, runs what it registered, flushes."""
    threading = sys.modules.get("threading")
    if threading is not None:
        threading._shutdown()
    import atexit

    atexit._run_exitfuncs()
    for stream in {id(s): s for s in (sys.stdout, sys.__stdout__)}.values():
        if stream is not None:
            with contextlib.suppress(ValueError):  # closed by the program, which flushed it
                stream.flush()


def run_calls(payload_fd: int, report_fd: int) -> int:
    """Runs `code`, then `setup`, evaluates `calls`, and writes their values, encoded, to `report_fd`.

    Code and calls may take `cpu_s` CPU seconds each.
    """
    request = json.loads(read_whole(payload_fd))
    prepare_interpreter()
    namespace = fresh_module("solution").__dict__
    try:
        with limited(request["cpu_s"]):
            exec(compile(request["code"], "<solution>", "exec"), namespace)
            if request["setup"]:
                exec(compile(request["setup"], "<tests>", "exec"), namespace)
        values = []
        for call in request["calls"]:
            with limited(request["cpu_s"]):
                values.append(encode_value(eval(compile(call, "<tests>", "eval"), namespace)))
        report = json.dumps(values).encode()
    except BaseException:  # the candidate's: it may raise anything
        return _EXIT_RAISED
    write_whole(report_fd, report)
    return 0
