"""Runs tests once in every level of isolation that holds on this machine."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import pytest

from rewards.sandbox import runs as sandbox
from rewards.sandbox.runs import Limits, RunStatus, run_calls, run_program, run_tests
from rewards.sandbox.walls.isolation import LEVEL_VARIABLE, LOCAL, Attempt, Level, attempt

SHORT = Limits(cpu_s=1, wall_s=1.5, memory_mb=256)
# What a run may take: its limit, two seconds, and something for a busy machine.
SHORT_S = SHORT.wall_s + 2.0 + 1.0


# For attacks that take their seconds: the gate makes them on the strongest and on the weakest level.
at_the_ends = pytest.mark.parametrize(
    "level",
    [pytest.param(str(level), marks=() if level in (LOCAL[0], LOCAL[-1]) else pytest.mark.nightly) for level in LOCAL],
    indirect=True,
)


@lru_cache
def attempted(level: Level) -> Attempt:
    return attempt(level)


@pytest.fixture(scope="module", params=[str(level) for level in LOCAL])
def level(request: pytest.FixtureRequest) -> Iterator[str]:
    """Makes the sandbox one of this level for the tests of a module."""
    found = attempted(Level(request.param))
    if not found.holds:
        pytest.skip(f"{request.param} does not hold here: {found.failure}")
    before = os.environ.get(LEVEL_VARIABLE)
    os.environ[LEVEL_VARIABLE] = request.param
    sandbox.restart()
    yield request.param
    if before is None:
        del os.environ[LEVEL_VARIABLE]
    else:
        os.environ[LEVEL_VARIABLE] = before
    sandbox.restart()


def value_of(code: str, expression: str = "result", limits: Limits = SHORT) -> object:
    """What the program computes in the sandbox; it must come to its end."""
    results = run_calls(code, [expression], limits=limits)
    assert results.status is RunStatus.DONE, results
    return results.values[0]


def statuses(code: str, limits: Limits = SHORT) -> list[RunStatus]:
    """How the code ends in each kind of run, all at once: calls, tests of a function it defines, standard input."""
    called = f"{code}\ndef f(x):\n    return 0\n"
    with ThreadPoolExecutor(3) as executor:
        runs = [
            executor.submit(lambda: run_calls(called, ["f(1)"], limits=limits).status),
            executor.submit(lambda: run_tests(called, "assert f(1) == 0", limits=limits)),
            executor.submit(lambda: run_program(code, [""], limits=limits)[0].status),
        ]
        return [run.result() for run in runs]


def refused(code: str) -> bool:
    """Whether the statements raise in the sandbox."""
    body = "\n".join(f"    {line}" for line in code.splitlines())
    program = (
        f"try:\n{body}\n    result = False\n"
        "except (OSError, MemoryError, RuntimeError, ValueError, ImportError, AttributeError):\n    result = True\n"
    )
    return value_of(program) is True
