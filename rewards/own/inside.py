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
    # A process that the user's code forks and lets run on would answer too, and every later answer be another's. The
    # number stays taken: its own forks would close, and its answer be written to, whatever else had got it.
    nothing = os.open(os.devnull, os.O_RDWR)
    os.register_at_fork(after_in_child=lambda: os.dup2(nothing, control, inheritable=False))
    try:
        module = _loaded(Path(file))
        score = _checked(module, function)
    except BaseException as error:
        send(control, {"error": _told(error, file)})
        return
    renderer = getattr(module, RENDERER, None)
    _limit_memory(int(memory_mb))
    send(control, {"renders": callable(renderer)})
    serve(control, lambda request: _answer(request, score, renderer, file))


def _loaded(path: Path) -> ModuleType:
    # This process was started with a bare stand-in for our package; the user's file may import the real one.
    packages = Path(__file__).resolve().parents[2]
    for name in [name for name in sys.modules if name.partition(".")[0] == "rewards"]:
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
            return _plain(_awaited(score(**request)))
        assert renderer is not None
        return {"text": str(_awaited(renderer(**request)))}
    except BaseException as error:  # a function may even call exit()
        return {"error": _told(error, file)}


def _awaited(value: Any) -> Any:
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


def _told(error: BaseException, file: str) -> str:
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    where = f" (line {lines[-1]})" if lines else ""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:_SHOWN] + where
