"""The process that a user's tool or environment runs in: loads its file once, then answers request after request."""

import inspect
import json
import os
from collections import OrderedDict
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from rewards.own.inside import awaited, serve_file, told
from sweeper.agent.own.signature import GIVEN, schema_of

TOOL, ENVIRONMENT = "tool", "environment"
_EPISODES = 256  # that are kept; one that is not is played again from its beginning
_STEP = ("observation", "done", "correct")


def main(control: int, kind: str, file: str, name: str, memory_mb: str) -> None:
    """Greet with `error`, or with what the file has by that name; then answer until the other end is closed."""

    def ready(module: ModuleType) -> tuple[dict[str, Any], Callable[[Any], object]]:
        hello, answer = (_tool if kind == TOOL else _environment)(_found(module, name))
        return hello, lambda request: _measured(answer, request, file)

    serve_file(control, file, int(memory_mb), ready)


def _found(module: ModuleType, name: str) -> Any:
    found = getattr(module, name, None)
    if found is None:
        known = [key for key, one in vars(module).items() if callable(one) and not key.startswith("_")]
        raise AttributeError(f"there is no {name} in it; there are: {', '.join(known) or 'none'}")
    return found


def _measured(answer: Callable[[Any], dict[str, Any]], request: Any, file: str) -> dict[str, Any]:
    """An answer with the CPU seconds that it took, those of processes that it started and waited for among them."""
    begun = sum(os.times()[:4])
    try:
        said = answer(request)
        json.dumps(said)
    except BaseException as error:  # the user's code may even call exit()
        said = {"error": told(error, file)}
    return said | {"cpu_s": max(0.0, sum(os.times()[:4]) - begun)}


def _tool(function: Any) -> tuple[dict[str, Any], Callable[[Any], dict[str, Any]]]:
    if not inspect.isfunction(function):
        raise TypeError("a tool is a function")
    given = [name for name in GIVEN if name in inspect.signature(function).parameters]

    def answer(request: Mapping[str, Any]) -> dict[str, Any]:
        value = awaited(function(**request["arguments"], **{name: request[name] for name in given}))
        return {"text": _text(value), "state": request["state"]}

    return {"schema": schema_of(function)}, answer


def _text(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict | tuple) else str(value)


def _environment(found: Any) -> tuple[dict[str, Any], Callable[[Any], dict[str, Any]]]:
    if not inspect.isclass(found):
        raise TypeError("an environment is a class")
    for method, arguments in (("reset", ("row", "seed")), ("step", ("text",))):
        try:
            inspect.signature(getattr(found, method)).bind(None, *arguments)
        except (AttributeError, TypeError):
            raise TypeError(f"it needs a method {method}(self, {', '.join(arguments)})") from None
    return {}, _Episodes(found).answer


class _Episodes:
    """Episodes by their ids. Whoever steps tells all actions so far, so an episode that is not here can be again."""

    def __init__(self, made: Callable[[], Any]) -> None:
        self._made = made
        self._known: OrderedDict[str, tuple[Any, int]] = OrderedDict()

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        actions, said = request["actions"], request["said"]
        episode, steps = self._known.pop(request["id"], (None, -1))
        if steps != len(actions) - 1 or episode is None:
            episode = self._made(*request["given"])
            opening = awaited(episode.reset(request["row"], request["seed"]))
            if not actions:
                self._keep(request["id"], episode, 0)
                return {"opening": opening if opening is None else str(opening)}
            for action, then in zip(actions[:-1], said, strict=True):
                now = _step(awaited(episode.step(action)))["observation"]
                if now != then:
                    raise RuntimeError(
                        f"the same row, seed and actions gave {then[:40]!r} and then {now[:40]!r}: an episode must "
                        "draw from its seed alone"
                    )
        step = _step(awaited(episode.step(actions[-1])))
        if not step["done"]:
            self._keep(request["id"], episode, len(actions))
        return step

    def _keep(self, name: str, episode: Any, steps: int) -> None:
        self._known[name] = (episode, steps)
        if len(self._known) > _EPISODES:
            self._known.popitem(last=False)


def _step(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        if not isinstance(value, tuple) or len(value) != len(_STEP):
            raise TypeError(f"step returned {str(value)[:80]!r}, not (observation, done, correct)")
        value = dict(zip(_STEP, value, strict=True))
    if set(value) - {*_STEP, "ok"} or not {*_STEP} <= set(value):
        raise TypeError(f"step returned {sorted(map(str, value))}, not observation, done and correct")
    return {
        "observation": str(value["observation"]),
        "done": bool(value["done"]),
        "correct": bool(value["correct"]),
        "ok": bool(value.get("ok", True)),
    }
