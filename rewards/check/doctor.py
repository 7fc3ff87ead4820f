"""Tells what isolates model code on this machine, which probes failed and what would cure that, and how fast it is."""

import os
import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

from rewards.sandbox.execution import Limits
from rewards.sandbox.frames import WorkerDied
from rewards.sandbox.runs import RunStatus, run_calls, run_program
from rewards.sandbox.walls import isolation
from rewards.sandbox.walls.isolation import LOCAL, URL_VARIABLE, Attempt, Level, SandboxUnavailable

_LIMITS = Limits(cpu_s=2, wall_s=10.0)
_MEASURED_S = 1.0
FUNCTIONAL_PROGRAM = "def f(x):\n    return x + 1\n"
FUNCTIONAL_CALLS = ("f(1)", "f(2)", "f(3)")
STDIN_PROGRAM = "n = int(input())\nvalues = list(map(int, input().split()))\nprint(sum(values[:n]))\n"
STDIN_INPUTS = ("3\n1 2 3\n", "1\n5\n", "2\n-1 1\n", "4\n9 9 9 9\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What was found. `level` is None when nothing holds, and then `refusal` says why; speeds: samples per second."""

    system: str
    uid: int
    cores: int
    attempts: tuple[Attempt, ...]
    level: str | None
    isolated: bool
    refusal: str | None
    functional_per_s: float | None
    four_stdins_per_s: float | None


def diagnose() -> Diagnosis:
    """Tries every level, and measures the one in use for two seconds, one sample after the other on one core."""
    attempts = tuple(isolation.attempt(level) for level in LOCAL)
    level, isolated, refusal = None, False, None
    functional = stdins = None
    try:
        found = isolation.find_isolation()
        level, isolated = str(found.level), found.isolated
        functional = _per_second(_functional_sample)
        stdins = _per_second(_stdin_sample)
    except (SandboxUnavailable, WorkerDied) as error:
        refusal = str(error)
    return Diagnosis(
        system=f"{platform.system()} {platform.release()} {platform.machine()}, Python {platform.python_version()}",
        uid=os.getuid(),
        cores=len(os.sched_getaffinity(0)),
        attempts=attempts,
        level=level,
        isolated=isolated,
        refusal=refusal,
        functional_per_s=functional,
        four_stdins_per_s=stdins,
    )


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


def as_json() -> dict[str, object]:
    """The diagnosis as plain values."""
    found = diagnose()
    return asdict(found) | {"attempts": [asdict(a) | {"holds": a.holds, "cure": a.cure} for a in found.attempts]}


def report() -> str:
    """The diagnosis as text."""
    found = diagnose()
    lines = [f"{found.system}; user id {found.uid}; {found.cores} cores", "", "Levels of isolation, strongest first:"]
    for one in found.attempts:
        if one.holds:
            weak = "".join(f"; without {name} ({why})" for name, why in one.missing.items())
            lines.append(f"  {one.level:<11} holds: {', '.join(one.layers)}{weak}")
        else:
            lines += [f"  {one.level:<11} does not hold: {one.failure}", f"  {'':<11} cure: {one.cure}"]
    url = os.environ.get(URL_VARIABLE)
    lines.append(f"  {Level.REMOTE:<11} {url or f'no service named in {URL_VARIABLE}'}")
    lines.append("")
    if found.level is None:
        lines.append(f"Model code is REFUSED here: {found.refusal}")
        return "\n".join(lines)
    lines.append(
        f"In use: {found.level}" if found.isolated else f"In use: {found.level}, which does NOT hold, as was allowed"
    )
    lines.append(f"  {_speed(found.functional_per_s)} samples/s on one core: three calls of a function")
    lines.append(f"  {_speed(found.four_stdins_per_s)} samples/s on one core: four runs on standard input")
    if found.refusal:
        lines.append(f"  {found.refusal}")
    return "\n".join(lines)


def _speed(value: float | None) -> str:
    return "no" if value is None else f"{value:.0f}"
