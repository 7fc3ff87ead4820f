"""Programs against functional tests: which code is run, and what counts as a pass."""

import json

import pytest

from rewards import BadGroundTruth, compute_score
from rewards.functional_tests import parse_ground_truth


def _gold(tests: str) -> str:
    return json.dumps({"functional": tests})


def _outcome(response: str, tests: str, prefix: str = "") -> object:
    return compute_score("codegen__mbpp", response, _gold(tests), {"prefix": prefix})["outcome"]


_TESTS = "assert f(1) == 2\nassert f(5) == 6"
_GOOD = "def f(x):\n    return x + 1"
# Loops are not split into calls and values, so these run as they are.
_UNSPLIT = "for i in range(3):\n    assert f(i) == i + 1"


@pytest.mark.parametrize("tests", [_TESTS, _UNSPLIT])
def test_a_right_program_passes(tests: str) -> None:
    assert _outcome(f"```python\n{_GOOD}\n```", tests) == "correct"


@pytest.mark.parametrize(
    "response",
    [
        f"```py\r\n{_GOOD}\r\n```".replace("\n", "\r\n").replace("\r\r", "\r"),
        f"```python \n{_GOOD}\n```",
        f"```\n{_GOOD}\n```",
        f"```python\n{_GOOD}```",
        f"draft ```x```\n```python\ndef f(x): return 0\n```\nfinal\n```python\n{_GOOD}\n```",
        f"```python\n{_GOOD}\n```\nOutput:\n```text\n2\n```",
        f"<think>```python\ndef f(x): return 0\n```</think>```python\n{_GOOD}\n```",
        f"```python\n{_GOOD}\n```\n```python\nprint(1)\n```",
    ],
)
def test_the_code_is_found_in_any_usual_form(response: str) -> None:
    assert _outcome(response, _TESTS) == "correct"


@pytest.mark.parametrize("response", [_GOOD, f"```python\n{_GOOD}", "```python\n\n```", "```js\nf = 1\n```"])
def test_unfenced_or_unfinished_code_is_no_answer(response: str) -> None:
    assert _outcome(response, _TESTS) == "no_answer"


@pytest.mark.parametrize("tests", [_TESTS, _UNSPLIT])
@pytest.mark.parametrize(
    "code",
    [
        "import sys\nsys.exit(0)",
        "raise SystemExit",
        "import os\nos._exit(0)",
        "def f(x): quit()",
        "import atexit, os\natexit.register(os._exit, 0)\nexit()",
        "def check(*a): pass",
        "pass",
        "def f(x): raise AssertionError",
        "import signal, os\nsignal.signal(signal.SIGALRM, lambda *a: os._exit(0))\n"
        "signal.setitimer(signal.ITIMER_REAL, .01)\n"
        "def f(x):\n    while True: pass",
        "import threading, os\nthreading.Thread(target=os._exit, args=(0,)).start()",
    ],
)
def test_ending_early_is_never_a_pass(code: str, tests: str) -> None:
    assert _outcome(f"```python\n{code}\n```", tests) in ("wrong", "timeout")


def test_an_object_equal_to_everything_does_not_pass() -> None:
    code = "class E(int):\n    def __eq__(self, o): return True\n    __hash__ = int.__hash__\ndef f(x): return E(0)"
    assert _outcome(f"```python\n{code}\n```", _TESTS) == "wrong"


def test_expected_values_are_not_in_the_sandbox() -> None:
    code = (
        "import sys, gc\ndef f(x):\n    frame = sys._getframe()\n    seen = ''\n    while frame:\n"
        "        seen += repr(frame.f_locals) + repr(frame.f_globals)\n        frame = frame.f_back\n"
        "    return 987654321 if '987654' + '321,' in seen or '=='+' 987' in seen else 0"
    )
    assert _outcome(f"```python\n{code}\n```", "assert f(1) == 987654321") == "wrong"


def test_a_forged_report_needs_the_right_values() -> None:
    code = (
        "import os, struct, json\nbody = json.dumps({'values': [0, 0]}).encode()\n"
        "for fd in range(3, 64):\n    try:\n        os.write(fd, struct.pack('=I', len(body)) + body)\n"
        "    except OSError:\n        pass"
    )
    assert _outcome(f"```python\n{code}\n```", _TESTS) == "wrong"


def test_the_prefix_of_the_data_is_put_before_the_program() -> None:
    code = "```python\ndef f(x): return sqrt(x)\n```"
    assert _outcome(code, "assert f(4) == 2", prefix="from math import *") == "correct"
    assert _outcome(code, "assert f(4) == 2") == "wrong"


def test_large_integers_are_compared_exactly() -> None:
    tests = f"assert f() == {10**18 + 1}\nassert g() == {10**40}"
    right = "```python\ndef f(): return 10**18 + 1\ndef g(): return 10**40\n```"
    assert _outcome(right, tests) == "correct"
    assert _outcome(right.replace("18 + 1", "18"), tests) == "wrong"


def test_values_of_all_plain_types_come_back() -> None:
    expected = "{'a': [1, (2.5, None)], (1, 2): {3, 4}, True: b'x', 'n': -1e300}"
    assert _outcome(f"```python\ndef f(): return {expected}\n```", f"assert f() == {expected}") == "correct"


@pytest.mark.parametrize(
    "gold", ["", "[]", '{"inputs": ["1"], "outputs": ["2"]}', _gold(""), _gold("x ="), _gold("x=1")]
)
def test_unreadable_or_empty_tests_are_a_data_error(gold: str) -> None:
    with pytest.raises(BadGroundTruth):
        parse_ground_truth(gold)
