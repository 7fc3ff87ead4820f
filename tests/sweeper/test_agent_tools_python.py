"""The python tool: what the model sees, what later calls find, and real attacks, over several calls too."""

import re
import resource
import threading
import time
from pathlib import Path

import psutil
import pytest

from sweeper.agent.tools.python import Python
from sweeper.agent.tools.tool import Observation
from sweeper.spec.agent import Agent, ToolLimits

AGENT = Agent(name="test", tools=("python",), max_turns=4)
LIMITS = ToolLimits(cpu_s=1.0, wall_s=2.0, memory_mb=512, output_bytes=300)


def calls(*codes: str, agent: Agent = AGENT, limits: ToolLimits = LIMITS) -> list[Observation]:
    """One trajectory."""
    tool, state = Python(agent), {}
    seen = [tool.run({"code": code}, state, {}, limits) for code in codes]
    tool.close(state)
    assert state == {}
    return seen


def only(code: str) -> Observation:
    return calls(code)[0]


def test_what_is_printed_comes_back_and_so_does_the_value_of_a_last_expression() -> None:
    assert only("print(6 * 7)").text == "42"
    assert only("x = 6\nx * 7").text == "42"
    assert only("'a\\nb'").text == "'a\\nb'"
    assert only("x = 1") == Observation("(no output)", True, pytest.approx(0.01, abs=0.1))
    assert only("import numpy as np\nint(np.arange(4).sum())").text == "6"


def test_later_calls_find_what_earlier_ones_defined_and_hear_nothing_of_them_again() -> None:
    seen = calls("x = 5\nprint('once')", "def f(y):\n    return x * y\nf(2)", "import os\nos.write(1, b'raw ')\nf(3)")
    assert [one.text for one in seen] == ["once", "10", "raw 15"]


def test_a_call_that_raised_keeps_what_it_defined_and_shows_its_error() -> None:
    raised, after = calls("x = 5\nprint('so far')\n1 / 0\nx = 6", "x")
    assert raised.text == "so far\ncall 1, line 3: 1 / 0\nZeroDivisionError: division by zero"
    assert (raised.ok, after.text) == (False, "5")


def test_an_error_names_no_file_of_this_machine() -> None:
    seen = only("import json\njson.loads('{')")
    assert "JSONDecodeError" in seen.text
    assert "/" not in seen.text


def test_a_syntax_error_is_shown_where_it_is() -> None:
    assert only("x = = 1").text.endswith("SyntaxError: invalid syntax")


def test_without_feedback_a_failure_says_only_that_it_is_one() -> None:
    quiet = Agent(name="test", tools=("python",), feedback=False)
    seen = calls("print('a')\n1/0", "import sys\nprint('b')\nx = sys.stderr.write('c')", agent=quiet)
    assert [one.text for one in seen] == ["error", "b"]


def test_random_numbers_are_the_same_when_a_call_is_run_again() -> None:
    first, second = calls("import random\nx = random.random()\nx", "x")
    assert first.text == second.text
    assert [one.text for one in calls("hash('a')", "import random; random.random()")] == [
        one.text for one in calls("hash('a')", "import random; random.random()")
    ]


def test_output_over_the_limit_is_cut_and_told_not_killed() -> None:
    seen = only("print('y' * 5000)")
    assert seen.ok
    assert seen.text == "y" * 300 + "\n[4,701 more bytes]"


def test_a_flood_of_output_is_counted_and_never_kept() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seen = only("import os\nfor _ in range(128):\n    os.write(1, b'z' * (1 << 20))\nprint('end')")
    assert seen.ok
    assert seen.text == "z" * 300 + f"\n[{(1 << 27) + 4 - 300:,} more bytes]"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 << 10  # KiB


def test_of_an_error_of_any_length_the_end_is_shown() -> None:
    seen = only("import sys\nsys.stderr.write('w' * 10**6 + '\\n')\nraise ValueError('last words')")
    assert seen.text.endswith("ValueError: last words")
    assert len(seen.text) <= LIMITS.output_bytes


@pytest.mark.parametrize(
    ("attack", "said"),
    [
        ("while True: pass", "error: stopped after 1 s of CPU or 2 s"),
        ("import time; time.sleep(60)", "error: stopped after 1 s of CPU or 2 s"),
        ("import signal; signal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass", "error: stopped"),
        ("x = bytearray(1 << 30)", "MemoryError"),
        ("y = []\nwhile True: y.append(bytearray(64 << 20))", "MemoryError|stopped"),
        ("import os\nwhile True: os.fork()", "PermissionError"),
        ("import os\nif os.fork() == 0:\n    os.setsid()\n    while True: pass", "PermissionError"),
        ("import subprocess; subprocess.Popen(['sleep', '60'], start_new_session=True)", "Error"),
        ("import multiprocessing; multiprocessing.Process(target=print).start()", "Error"),
        ("import socket; socket.create_connection(('127.0.0.1', 22))", "PermissionError"),
        ("print(open('/etc/passwd').read())", "Error"),
        ("open('left', 'w')", "Error"),
        ("import os; os.kill(os.getppid(), 9)", "PermissionError"),
        ("import os; os._exit(0)", "error: the process died"),
        ("import ctypes; ctypes.string_at(0)", "error: the process died"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("raise type('E', (BaseException,), {'__str__': lambda self: 1 / 0})", r"E: <exception str\(\) failed>"),
        ("import sys\nsys.stdout = sys.stderr = None\nraise KeyError", "KeyError"),
        ("import builtins\nbuiltins.print = None\nraise KeyError", "TypeError"),
    ],
)
def test_an_attack_ends_its_call_and_the_next_call_works(attack: str, said: str) -> None:
    begun = time.monotonic()
    _, attacked, after = calls("x = 40", attack, "print(x + 2)") if "builtins" not in attack else _replaced(attack)
    assert not attacked.ok
    assert "root:" not in attacked.text
    assert re.search(said, attacked.text) or "builtins" in attack
    assert after.ok
    assert time.monotonic() - begun < 30  # a hang guard


def _replaced(attack: str) -> list[Observation]:
    """A trajectory that breaks its own interpreter; another trajectory goes on."""
    return [*calls("x = 40", attack), only("print(42)")]


def test_a_thread_that_goes_on_ends_with_its_call() -> None:
    code = (
        "import threading, time\ndef f():\n    while True: time.sleep(0.01)\nthreading.Thread(target=f).start()\nx = 1"
    )
    hung, after = calls(code, "print('x' in globals())")
    assert hung.text.startswith("error: stopped")
    assert after.text == "False"


def test_what_a_call_spoils_stays_in_its_trajectory() -> None:
    calls("import builtins, sys\nbuiltins.len = lambda _: 0\nsys.modules['math'] = None")
    assert only("import math\nlen([1]) + math.floor(1.5)").text == "2"


def test_limits_hold_for_what_is_run_again_too_and_a_late_call_is_undone() -> None:
    spin = "import time\nt = time.process_time()\nwhile time.process_time() - t < 0.6: pass"
    first, second, third = calls(spin, spin, "print('here')")
    assert (first.ok, second.ok, third.ok) == (True, False, True)
    assert "the 1 earlier calls, run again, are part of it" in second.text


def test_cpu_seconds_are_those_of_the_sandbox_process() -> None:
    spin = "import time\nt = time.process_time()\nwhile time.process_time() - t < 0.4: pass"
    assert 0.4 <= only(spin).cpu_s < 0.8
    assert only("import time; time.sleep(0.4)").cpu_s < 0.2


def test_nothing_is_left_behind_whatever_was_tried() -> None:
    calls("1")  # the sandbox processes themselves stay
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    calls("import os\nos.fork()", "import subprocess; subprocess.Popen('sleep 60', shell=True)", "while True: pass")
    children = [child for child in psutil.Process().children(recursive=True) if child.pid not in before]
    assert children == []
    assert not [one for one in psutil.process_iter(["cmdline"]) if one.info["cmdline"] == ["sleep", "60"]]


def test_many_trajectories_at_once_do_not_see_each_other() -> None:
    seen: dict[int, str] = {}

    def play(number: int) -> None:
        seen[number] = calls(f"x = {number}", "x += 1000", "x")[-1].text

    threads = [threading.Thread(target=play, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {number: str(1000 + number) for number in range(16)}


@pytest.mark.parametrize("arguments", [{}, {"code": None}, {"code": ["1"]}, {"other": "1"}])
def test_code_that_is_no_text_is_an_error(arguments: dict[str, object]) -> None:
    assert not Python(AGENT).run(arguments, {}, {}, LIMITS).ok


@pytest.mark.parametrize("code", ["\udcff", "x = '\0'", "(" * 10**4, "#" * 10**6, ""])
def test_text_that_python_cannot_read_is_an_error_or_nothing(code: str) -> None:
    assert isinstance(only(code).text, str)


def test_the_sandbox_leaves_no_descriptor_open() -> None:
    only("1")
    before = len([*Path("/proc/self/fd").iterdir()])
    calls("print(1)", "while True: pass", "import os; os._exit(1)", "print(2)")
    assert len([*Path("/proc/self/fd").iterdir()]) == before
    assert not Path("left").exists()
