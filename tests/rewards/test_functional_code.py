"""Programs against functional tests: which code is run, and what counts as a pass."""

import json

import pytest

from rewards import compute_score
from rewards.code.assertions import AssertionTests
from rewards.code.code_ground_truth import parse_ground_truth
from rewards.code.functional_tests import ScriptTests
from rewards.sandbox.inside.agreement import nearly_equal
from tests.rewards.code_cases import CASES, Case, Family


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


@pytest.mark.parametrize("response", [_GOOD, f"```python\n{_GOOD}", "```python\n\n```", "```js\nlet f = 1\n```"])
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
    "case",
    [c for c in CASES if c.family in (Family.SCRIPT, Family.CALLS)],
    ids=lambda case: str(case.name),
)
def test_a_program_is_judged_as_labelled(case: Case) -> None:
    scored = compute_score(case.source, case.response, case.gold, {"prefix": case.prefix})
    assert (scored["acc"] == 1.0) is case.right, scored


def test_the_same_tests_judge_the_same_twice() -> None:
    tests = _gold("import random\nfor _ in range(5):\n    x = random.random()\n    assert f(x) == x")
    for _ in range(2):
        assert compute_score("codegen__mbpp", "```python\ndef f(x): return x\n```", tests)["outcome"] == "correct"


def test_a_list_literal_of_the_tests_is_made_anew_for_every_answer() -> None:
    tests = _gold("seen = [1]\nseen.append(f(1))\nassert seen == [1, 2]")
    for extra in range(3):
        response = f"```python\n# {extra}\ndef f(x): return x + 1\n```"
        assert compute_score("codegen__mbpp", response, tests)["outcome"] == "correct"


@pytest.mark.parametrize(
    "tests",
    [
        "import os\nos.system('true')\nassert f(1) == 2",
        "assert f(1) == 2\n().__class__.__base__.__subclasses__()",
        "assert f(1) == eval('2')",
        "assert f(1) == open('/dev/null').read()",
        "assert f(1) == '{0.__class__}'.format(1)",
        "while True: pass\nassert f(1)",
        "assert f(1) == sum(range(10**12))",
        "assert f(1) == 9 ** 9 ** 9",
        "def g(): return g()\nassert f(1) == g()",
    ],
)
def test_a_script_of_more_than_assertions_on_literals_is_never_run_in_this_process(tests: str) -> None:
    assert isinstance(parse_ground_truth(_gold(tests)), ScriptTests)


@pytest.mark.parametrize(
    "tests",
    [
        "assert f(1) == 2",
        "assert 2 == f(1), 'message'",
        "assert f([1, (2.5, None)], key={'a': b'x'}) != -1",
        "assert f(1) == f(2)",
        "assert f(1) is None\nassert f(2) in [1, 2]\nassert f(3) <= 4",
        "import math\nfrom solution import f\nassert f(1) == 2",
        "METADATA = {}\ndef check(candidate):\n    assert candidate(1) == 2\n    assert True, 'x'\n\ncheck(f)",
        "def check(candidate):\n    assert candidate(nums = [3], target = 6) == [0, 1]\ncheck(Solution().g)",
        "def check_g():\n    assert Solution().g([3], 6) == [0, 1]\n\ncheck_g()",
        "def check(candidate):\n    assert candidate([1, 2]) == 3\ncheck(sum)",
        "assert sum([1, 2]) == 3",
    ],
)
def test_assertions_on_literals_are_judged_without_running_the_tests(tests: str) -> None:
    assert isinstance(parse_ground_truth(_gold(tests)), AssertionTests)


@pytest.mark.parametrize(
    "tests",
    [
        "assert f(g(1)) == 2",
        "assert f(1)",
        "x = 2\nassert f(x) == 2",
        "assert 1 < f(1) < 3",
        "assert f(1) == 2\ndef f(x):\n    return 2\nassert g(1)",
        "f = len\nassert f(g) == 2",
        "from math import *\nassert f(1) == 2",
        "def check(c):\n    assert c(1) == 2\ncheck(f)\ncheck(g)",
        "def check(c, d=1):\n    assert c(1) == 2\ncheck(f)",
        "@skip\ndef check():\n    assert f(1) == 2\ncheck()",
        "assert sorted(f(1)) == [1]",
        "assert math.floor(2.5) == f(1)",
        "assert f(*[1]) == 2",
        "assert f(**{'x': 1}) == 2",
        "assert f(1) == len('ab')",
    ],
)
def test_whatever_else_a_script_holds_it_is_run(tests: str) -> None:
    assert isinstance(parse_ground_truth(_gold(tests)), ScriptTests)


def test_the_assertions_of_one_check_share_one_object_of_the_program() -> None:
    tests = "def check(candidate):\n    assert candidate(1) == 1\n    assert candidate(1) == 2\ncheck(Solution().g)"
    code = "class Solution:\n    n = 0\n    def g(self, x):\n        self.n += x\n        return self.n"
    assert _outcome(f"```python\n{code}\n```", tests) == "correct"


@pytest.mark.parametrize("tests", ["import math\nassert f(4) == 2", "import math\nfor x in [2]:\n    assert f(4) == x"])
def test_a_program_may_use_what_its_tests_import(tests: str) -> None:
    assert _outcome("```python\ndef f(x): return math.sqrt(x)\n```", tests) == "correct"


@pytest.mark.parametrize(
    "comparison",
    ["f(1) != 1", "not f(1) == 1", "f(1) not in [1]", "f(1) is not 1", "not f(1) > 2", "f(1) == f(1)", "f(1) <= 2"],
)
def test_an_object_that_is_not_plain_satisfies_no_comparison_with_a_value(comparison: str) -> None:
    code = (
        "class E:\n    def __eq__(self, o): return True\n    __ne__ = __lt__ = __le__ = __gt__ = __eq__\n"
        "def f(x): return E()"
    )
    assert _outcome(f"```python\n{code}\n```", f"assert {comparison}\nassert f(2) is not None") == "wrong"


@pytest.mark.parametrize(
    ("value", "expected", "equal"),
    [
        (1.000001, 1.0, True),
        (1.1, 1.0, False),
        ([1, (2.0, 3)], [1, [2.0, 3]], True),
        ([1], [1, 2], False),
        ([1], 1, False),
        ("a", 1.0, False),
        (10**18, 10**18 + 1, False),
        (1e18, 10**18 + 1, False),
        (2.9999999999, 3, True),
        (1e9, 10**9 + 1, False),
        (float("inf"), 3, False),
        (10**400, 1.5, False),
        (float("nan"), float("nan"), True),
        (float("nan"), 1, False),
        ({"a": 1}, {"a": 1}, True),
    ],
)
def test_gurus_own_comparison_is_kept_but_for_large_integers(value: object, expected: object, equal: bool) -> None:
    assert nearly_equal(value, expected) is equal
