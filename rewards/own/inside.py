"""The process that a user's reward function runs in: loads it once, then answers one request after the other."""

import asyncio
import inspect
import math
import os
import resource
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from rewards.sandbox.frames import send, serve

PARAMETERS = ("data_source", "solution_str", "ground_truth", "extra_info")
# Of the user's file, and optional: a response that must be right, for the check of golds.
RENDERER = "right_answer"
_SHOWN = 300


def main(control: int, file: str, function: str, memory_mb: str) -> None:
    """Greet with `error` or with `renders`, then answer requests until the other end is closed."""

    def ready(module: ModuleType) -> tuple[dict[str, Any], Callable[[Any], object]]:
        score, renderer = _checked(module, function), getattr(module, RENDERER, None)
        return {"renders": callable(renderer)}, lambda request: _answer(request, score, renderer, file)

    serve_file(control, file, int(memory_mb), ready)


def serve_file(
    control: int,
    file: str,
    memory_mb: int,
    ready: Callable[[ModuleType], tuple[dict[str, Any], Callable[[Any], object]]],
) -> None:
    """Load a user's file, greet, and answer requests until the other end is closed.

    Args:
        control: Descriptor of our end.
        file: Path.
        memory_mb: What may be allocated once the file is loaded.
        ready: Gives the greeting and what answers a request, of the loaded file; what it raises is greeted with as
            `error`, like what loading raises.
    """
    # A process that the user's code forks and lets run on would answer too, and every later answer be another's. The
    # number stays taken: its own forks would close, and its answer be written to, whatever else had got it.
    nothing = os.open(os.devnull, os.O_RDWR)
    os.register_at_fork(after_in_child=lambda: os.dup2(nothing, control, inheritable=False))
    try:
        hello, answer = ready(_loaded(Path(file)))
    except BaseException as error:
        send(control, {"error": told(error, file)})
        return
    _limit_memory(memory_mb)
    send(control, hello)
    serve(control, answer)


def _loaded(path: Path) -> ModuleType:
    # This process was started with bare stand-ins for our packages; the user's file may import the real ones.
    packages = Path(__file__).resolve().parents[2]
    bare = {name for name, one in sys.modules.items() if hasattr(one, "__path__") and one.__spec__ is None}
    for name in [name for name in sys.modules if name.partition(".")[0] in bare]:
        del sys.modules[name]
    sys.path[:0] = [str(path.parent), str(packages)]
    module = ModuleType(path.stem)
    module.__file__ = str(path)
    sys.modules[path.stem] = module
    exec(compile(path.read_bytes(), str(path), "exec"), module.__dict__)
    return module


def _checked(module: ModuleType, name: str) -> Callable[..., Any]:
    function: Callable[..., Any] | None = getattr(module, name, None)
    if function is None or not callable(function):
        known = [key for key, value in vars(module).items() if inspect.isfunction(value) and not key.startswith("_")]
        raise AttributeError(f"no function {name}; there are: {', '.join(known) or 'none'}")
    try:
        inspect.signature(function).bind(**dict.fromkeys(PARAMETERS))
    except TypeError as error:
        raise TypeError(f"{name}{inspect.signature(function)} must take {', '.join(PARAMETERS)}: {error}") from None
    return function


def _limit_memory(megabytes: int) -> None:
    """Of what is allocated from now on: importing some libraries takes several gigabytes of address space."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + (megabytes << 20)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _answer(
    request: Mapping[str, Any], score: Callable[..., Any], renderer: Callable[..., Any] | None, file: str
) -> dict[str, Any]:
    """What the function returned, in plain form, or `error`: the class of what went wrong, with its words."""
    try:
        if "solution_str" in request:
            return _plain(awaited(score(**request)))
        assert renderer is not None
        return {"text": str(awaited(renderer(**request)))}
    except BaseException as error:  # a function may even call exit()
        return {"error": told(error, file)}


def awaited(value: Any) -> Any:
    """The value, or what a coroutine comes to."""
    return asyncio.run(value) if inspect.iscoroutine(value) else value


def _plain(returned: Any) -> dict[str, Any]:
    if not isinstance(returned, Mapping):
        return {"score": _number("the score", returned), "acc": None, "pred": ""}
    if "score" not in returned:
        raise TypeError(f"returned a dictionary without 'score', with {sorted(map(str, returned))}")
    accurate = returned.get("acc")
    if accurate is not None:
        accurate = _number("acc", accurate)
        if accurate not in (0.0, 1.0):
            raise ValueError(f"acc is {accurate:g}, not 0 or 1")
    return {"score": _number("the score", returned["score"]), "acc": accurate, "pred": str(returned.get("pred", ""))}


def _number(what: str, value: Any) -> float:
    try:
        number = float(value.item() if hasattr(value, "item") else value)  # of numpy and torch
    except (TypeError, ValueError, RuntimeError):
        number = None
    if number is None or isinstance(value, str | bytes):
        raise TypeError(f"{what} is {str(value)[:80]!r} of type {type(value).__name__}, not a number")
    if not math.isfinite(number):
        raise ValueError(f"{what} is {value}, not a finite number")
    return number


def told(error: BaseException, file: str) -> str:
    """An exception in one line, with the line of `file` that it came through last."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    where = f" (line {lines[-1]})" if lines else ""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:_SHOWN] + where
