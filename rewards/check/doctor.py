"""Tells what isolates model code on this machine, which probes failed and what would cure that, and how fast it is."""

import os
import platform
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from rewards.sandbox.execution import Limits
from rewards.sandbox.frames import WorkerDied
from rewards.sandbox.runs import RunStatus, run_calls, run_program
from rewards.sandbox.sleep import UNTOLD, is_told
from rewards.sandbox.walls import isolation
from rewards.sandbox.walls.isolation import LOCAL, URL_VARIABLE, Attempt, Level, SandboxUnavailable

_LIMITS = Limits(cpu_s=2, wall_s=10.0)
_MEASURED_S = 1.0
FUNCTIONAL_PROGRAM = "def f(x):\n    return x + 1\n"
FUNCTIONAL_CALLS = ("f(1)", "f(2)", "f(3)")
STDIN_PROGRAM = "n = int(input())\nvalues = list(map(int, input().split()))\nprint(sum(values[:n]))\n"
STDIN_INPUTS = ("3\n1 2 3\n", "1\n5\n", "2\n-1 1\n", "4\n9 9 9 9\n")


def as_json() -> dict[str, Any]:
    """What every level of isolation came to, and two seconds' measurement of the one in use.

    `level` is None when nothing holds, and then `refusal` says why; speeds are samples per second, made one after the
    other on one core, and None where one does not come out right.
    """
    found: dict[str, Any] = {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}, Python {platform.python_version()}",
        "uid": os.getuid(),
        "cores": len(os.sched_getaffinity(0)),
        "attempts": [_told(isolation.attempt(level)) for level in LOCAL],
        **dict.fromkeys(("level", "refusal", "functional_per_s", "four_stdins_per_s")),
        "isolated": False,
        "tells_sleep": is_told(),
    }
    try:
        in_use = isolation.find_isolation()
        found |= {"level": str(in_use.level), "isolated": in_use.isolated}
        found["functional_per_s"] = _per_second(_functional_sample)
        found["four_stdins_per_s"] = _per_second(_stdin_sample)
    except (SandboxUnavailable, WorkerDied) as error:
        found["refusal"] = str(error)
    return found


def _told(tried: Attempt) -> dict[str, Any]:
    return asdict(tried) | {"holds": tried.holds, "failure": tried.failure, "cure": tried.cure}


def _functional_sample() -> bool:
    return run_calls(FUNCTIONAL_PROGRAM, FUNCTIONAL_CALLS, limits=_LIMITS).values == (2, 3, 4)


def _stdin_sample() -> bool:
    runs = run_program(STDIN_PROGRAM, STDIN_INPUTS, limits=_LIMITS)
    return [run.stdout.strip() for run in runs if run.status is RunStatus.DONE] == ["6", "5", "0", "36"]


def _per_second(sample: Callable[[], bool]) -> float | None:
    """None when a sample does not come out right."""
    if not sample():
        return None
    start = time.monotonic()
    count = 0
    while (seconds := time.monotonic() - start) < _MEASURED_S:
        count += 1
        if not sample():
            return None
    return count / seconds


def report() -> str:
    """The same as text."""
    found = as_json()
    lines = [f"{found['system']}; user id {found['uid']}; {found['cores']} cores", ""]
    lines.append("Levels of isolation, strongest first:")
    for tried in found["attempts"]:
        if tried["holds"]:
            weak = "".join(f"; without {name} ({why})" for name, why in tried["missing"].items())
            lines.append(f"  {tried['level']:<11} holds: {', '.join(tried['layers'])}{weak}")
        else:
            lines.append(f"  {tried['level']:<11} does not hold: {tried['failure']}")
            lines.append(f"  {'':<11} cure: {tried['cure']}")
    lines.append(f"  {Level.REMOTE:<11} {os.environ.get(URL_VARIABLE) or f'no service named in {URL_VARIABLE}'}")
    lines += ["", *([] if found["tells_sleep"] else [f"Time limits: {UNTOLD}."])]
    if found["level"] is None:
        lines.append(f"Model code is REFUSED here: {found['refusal']}")
        return "\n".join(lines)
    lines.append(f"In use: {found['level']}" + ("" if found["isolated"] else ", which does NOT hold, as was allowed"))
    lines.append(f"  {_speed(found['functional_per_s'])} samples/s on one core: three calls of a function")
    lines.append(f"  {_speed(found['four_stdins_per_s'])} samples/s on one core: four runs on standard input")
    if found["refusal"]:
        lines.append(f"  {found['refusal']}")
    return "\n".join(lines)


def _speed(value: float | None) -> str:
    return "no" if value is None else f"{value:.0f}"
