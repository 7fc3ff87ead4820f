"""A busy machine makes nothing late: limits are CPU time and sleep, and neither grows with the load."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from rewards import Outcome
from rewards.code.program import score_program
from rewards.code.source_rules import SourceRules
from rewards.sandbox import sleep
from rewards.sandbox.execution import cpu_spent
from rewards.sandbox.frames import WorkerTimeout
from rewards.sandbox.runs import Limits, RunStatus, run_calls, run_tests
from rewards.sandbox.sleep import Sleep
from rewards.sandbox.worker import Worker

# As the four cases of the report, at a sixth of their times and limits.
RULES = SourceRules(limits=Limits(cpu_s=1, wall_s=2.0))
_BURN = "import time\ndef burn(s):\n    t = time.process_time()\n    while time.process_time() - t < s: pass\n"
_ONE = json.dumps({"inputs": ["1\n"], "outputs": ["1\n"]})
_MANY = json.dumps({"inputs": [f"{n}\n" for n in range(16)], "outputs": [f"{n}\n" for n in range(16)]})
_CALLS = json.dumps({"fn_name": "f", "inputs": [[n] for n in range(8)], "outputs": list(range(8))})
CASES = {
    "one run just below its limit": (f"{_BURN}x = input()\nburn(0.83)\nprint(x)", _ONE, Outcome.CORRECT),
    "one run above its limit": (f"{_BURN}x = input()\nburn(1.3)\nprint(x)", _ONE, Outcome.TIMEOUT),
    "many runs that sleep": ("import time\nx = input()\ntime.sleep(0.2)\nprint(x)", _MANY, Outcome.CORRECT),
    "calls that take more than one's limit together": (
        f"{_BURN}def f(x):\n    burn(0.2)\n    return x",
        _CALLS,
        Outcome.CORRECT,
    ),
}


@pytest.fixture
def load() -> Iterator[None]:
    """Four busy neighbours for each core."""
    busy = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(4 * len(os.sched_getaffinity(0)))
    ]
    yield
    for one in busy:
        one.kill()
        one.wait()


def outcome(case: str) -> Outcome:
    code, gold, _ = CASES[case]
    return score_program(f"```python\n{code}\n```", gold, "", RULES).outcome


@pytest.mark.nightly
@pytest.mark.usefixtures("load")
@pytest.mark.parametrize("case", CASES)
def test_a_load_of_four_for_each_core_changes_no_verdict_in_twenty(case: str) -> None:
    assert [outcome(case) for _ in range(20)] == [CASES[case][2]] * 20


def test_sleep_is_told_from_work_and_from_waiting_for_a_core() -> None:
    for program, sleeps in (("while True: pass", False), ("import time; time.sleep(60)", True)):
        shell = subprocess.Popen(["sh", "-c", f"{sys.executable} -c '{program}'; true"], start_new_session=True)
        try:
            watched = Sleep(shell.pid, 1.0)
            while watched._looked - watched._begun < 2.5 and watched.left() > 0:
                pass
            assert (watched.seconds >= 1.0) is sleeps
        finally:
            os.killpg(shell.pid, 9)
            shell.wait()


def test_algebra_is_limited_by_the_cpu_time_that_a_pair_takes() -> None:
    worker = Worker("tests.rewards.slow_worker", ("-I",))
    try:
        assert worker.ask_within({"sleep": 0.6}, 0.3) == {"done": True}  # waited for, as for a core
        with pytest.raises(WorkerTimeout, match="s of CPU"):
            worker.ask_within({"burn": 5.0}, 0.3)
    finally:
        worker.kill()


_BLOCKS = """
import signal
def f(x):
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGPROF})
    signal.setitimer(signal.ITIMER_PROF, 0)
    while True: pass
"""


def test_a_program_that_blocks_its_timer_is_ended_by_limits_that_it_cannot_reach() -> None:
    limits = Limits(cpu_s=1, wall_s=6.0, series=20)
    begun = cpu_spent()
    assert run_calls(_BLOCKS, ["f(1)"], limits=limits).status is RunStatus.TIMEOUT
    assert run_tests(_BLOCKS, "x = f(1)\nassert x == 1", limits=limits) is RunStatus.TIMEOUT
    assert cpu_spent() - begun < 2 * 3


def test_a_kernel_that_does_not_tell_who_sleeps_is_named_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert sleep.is_told()
    monkeypatch.setattr(sleep, "_awake_s", lambda _: None)
    sleep._say_untold.cache_clear()
    for _ in range(2):
        watched = Sleep(os.getpid(), 60.0)
        watched._looked -= 2.0
        watched.left()
    assert [record.getMessage() for record in caplog.records] == [sleep.UNTOLD]
