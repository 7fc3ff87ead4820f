"""Speed of the sandbox beside verl's own scorer of programs, in the same run: `python -m tests.rewards.bench_code`.

All are run on one thread, one sample after the other, so a sample a second is a sample a second and core. CPU seconds
are those of this process and all that it started; they tell more than wall time on a busy machine.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from rewards.check.doctor import FUNCTIONAL_CALLS, FUNCTIONAL_PROGRAM, STDIN_INPUTS, STDIN_PROGRAM
from rewards.sandbox import runs as sandbox
from rewards.sandbox.runs import Limits, RunStatus, run_calls, run_program, run_tests
from rewards.sandbox.walls.isolation import LEVEL_VARIABLE, LOCAL, attempt

_LIMITS = Limits(cpu_s=4, wall_s=20.0)
_STDIN_OUTPUTS = ("6\n", "5\n", "0\n", "36\n")
_TESTS = "def check(candidate):\n    for x in range(3):\n        assert candidate(x) == x + 1\ncheck(f)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """Samples a second on one core, by wall time and by CPU time."""

    name: str
    by_wall: float
    by_cpu: float


def measure(name: str, sample: Callable[[], bool], seconds: float) -> Speed:
    """Runs samples, which must come out right, for about `seconds`."""
    if not sample():
        raise RuntimeError(f"{name}: a sample came out wrong")
    cpu, start, count = _cpu_seconds(), time.monotonic(), 0
    while count < 3 or time.monotonic() - start < seconds:
        count += 1
        if not sample():
            raise RuntimeError(f"{name}: a sample came out wrong")
    wall = time.monotonic() - start
    return Speed(name=name, by_wall=count / wall, by_cpu=count / max(_cpu_seconds() - cpu, 1e-9))


def _cpu_seconds() -> float:
    total = sum(os.times()[:4])
    for child in psutil.Process().children(recursive=True):
        try:
            total += sum(child.cpu_times()[:4])
        except psutil.NoSuchProcess:
            continue
    return total


def functional() -> bool:
    """Three calls of a function."""
    return run_calls(FUNCTIONAL_PROGRAM, FUNCTIONAL_CALLS, limits=_LIMITS).values == (2, 3, 4)


def whole_tests() -> bool:
    """The same as a script of tests, in a process of its own."""
    return run_tests(FUNCTIONAL_PROGRAM, _TESTS, limits=_LIMITS) is RunStatus.DONE


def four_stdins() -> bool:
    """Four runs on standard input."""
    return tuple(run.stdout for run in run_program(STDIN_PROGRAM, STDIN_INPUTS, limits=_LIMITS)) == _STDIN_OUTPUTS


def bare_python() -> bool:
    """A fresh Python process without any isolation, once."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", FUNCTIONAL_PROGRAM + "print(f(1))"], capture_output=True, check=True
    )
    return done.stdout == b"2\n"


def prime_code(inputs: tuple[str, ...], outputs: tuple[str, ...], program: str) -> Callable[[], bool]:
    """verl's scorer, as its trainer calls it; raises ImportError where it cannot be imported."""
    from verl.utils.reward_score import prime_code as peer

    tests = json.dumps({"inputs": list(inputs), "outputs": list(outputs)})

    def sample() -> bool:
        score, _ = peer.compute_score(f"```python\n{program}```", tests, continuous=False)
        return score is True or score == 1

    return sample


def main(seconds: float = 3.0) -> list[tuple[str, float, str]]:
    """Measures everything and prints it; (name, samples a second and core by wall time, remark) of each line."""
    rows: list[tuple[Speed, Speed | None]] = []
    python = measure("a bare python -I -c", bare_python, seconds)
    one = four = None
    remark = ""
    try:
        reading = "print(int(input()) + 1)\n"
        one = measure("verl prime_code, 1 test", prime_code(("1\n",), ("2\n",), reading), seconds)
        four = measure("verl prime_code, 4 tests", prime_code(STDIN_INPUTS, _STDIN_OUTPUTS, STDIN_PROGRAM), seconds)
    except ImportError as error:
        remark = f"verl's prime_code cannot be imported: {error}"
    before = os.environ.get(LEVEL_VARIABLE)
    for level in LOCAL:
        if not attempt(level).holds:
            continue
        os.environ[LEVEL_VARIABLE] = level
        sandbox.restart()
        rows += [
            (measure(f"{level}: functional", functional, seconds), one),
            (measure(f"{level}: functional, tests in a process of their own", whole_tests, seconds), one),
            (measure(f"{level}: 4 stdin tests", four_stdins, seconds), four),
        ]
    if before is None:
        os.environ.pop(LEVEL_VARIABLE, None)
    else:
        os.environ[LEVEL_VARIABLE] = before
    sandbox.restart()
    rows += [(peer, None) for peer in (one, four, python) if peer is not None]
    lines = []
    for speed, peer in rows:
        ratio = f", {speed.by_wall / peer.by_wall:.1f} times {peer.name}" if peer is not None else ""
        lines.append((speed.name, speed.by_wall, f"{speed.by_cpu:.0f}/s by CPU time{ratio}"))
        print(f"{speed.name}: {speed.by_wall:.0f} samples/s/core ({lines[-1][2]})", flush=True)
    if remark:
        print(remark)
    return lines


if __name__ == "__main__":
    main()
