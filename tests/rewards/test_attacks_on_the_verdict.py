"""Attacks on the verdict: a program that does not compute the answer does not get its tests passed."""

import json
import threading

import pytest

from rewards.sandbox.inside.encoding import Opaque
from rewards.sandbox.runs import Limits, RunStatus, run_calls, run_program, run_tests
from tests.rewards.sandbox_levels import SHORT

_EQUAL = (
    "    def __eq__(self, o): return True\n    def __ne__(self, o): return False\n    def __hash__(self): return 0\n"
    "    def __lt__(self, o): return True\n    __le__ = __gt__ = __ge__ = __lt__\n"
    "    def __sub__(self, o): return 0\n    __rsub__ = __add__ = __radd__ = __sub__\n"
    "    def __abs__(self): return 0\n    def __contains__(self, o): return True\n"
)
# Each defines f in a way that must fail these tests; the right values are 7919 and 104729.
_TESTS = {
    "asserts": "assert f(1) == 7919\nassert f(5) == 104729",
    "check": "def check(candidate):\n    for x, y in ((1, 7919), (5, 104729)):\n"
    "        assert candidate(x) == y\ncheck(f)",
    "isclose": "import math\nassert math.isclose(f(1), 7919)\nassert abs(f(5) - 104729) < 1e-6",
    "not unequal": "if f(1) != 7919:\n    raise ValueError\nassert not f(5) != 104729",
    "sorted": "assert sorted([f(1), f(5)]) == [7919, 104729]",
    "catching": "try:\n    f('a')\nexcept BaseException:\n    pass\nassert f(1) == 7919",
    "members": "assert f(1) in {7919}\nassert f(5) in [104729]",
    "zip": "assert all(a == b for a, b in zip(map(f, (1, 5)), (7919, 104729)))",
    "bare": "try:\n    result = f(1)\nexcept:\n    result = None\nassert result == 7919",
}
_CHEATS = {
    "os._exit(0) on import": "import os\nos._exit(0)",
    "os._exit(0) in the call": "import os\ndef f(x):\n    os._exit(0)",
    "sys.exit(0) on import": "import sys\nsys.exit(0)",
    "sys.exit() in the call": "import sys\ndef f(x):\n    sys.exit()",
    "quit in the call": "def f(x):\n    quit()",
    "SystemExit": "def f(x):\n    raise SystemExit(0)",
    "StopIteration": "def f(x):\n    raise StopIteration",
    "GeneratorExit": "def f(x):\n    raise GeneratorExit",
    "exit hook": "import atexit, os\natexit.register(os._exit, 0)\ndef f(x):\n    return 0",
    "exception hook": "import sys, os\nsys.excepthook = lambda *a: os._exit(0)\ndef f(x):\n    return 1 / 0",
    "signal handler": "import signal, os\nfor s in (14, 15, 24, 11):\n    signal.signal(s, lambda *a: os._exit(0))\n"
    "def f(x):\n    while True: pass",
    "thread that exits": "import threading, os\ndef f(x):\n    threading.Thread(target=os._exit, args=(0,)).start()\n"
    "    import time\n    time.sleep(1)",
    "equal object": f"class E:\n{_EQUAL}def f(x):\n    return E()",
    "equal int": f"class E(int):\n{_EQUAL}def f(x):\n    return E(0)",
    "equal float": f"class E(float):\n{_EQUAL}def f(x):\n    return E(0)",
    "equal text": f"class E(str):\n{_EQUAL}def f(x):\n    return E('')",
    "equal list": f"class E(list):\n{_EQUAL}def f(x):\n    return E()",
    "equal class": "class M(type):\n    def __eq__(c, o): return True\n    def __hash__(c): return 0\n"
    "class E(metaclass=M): pass\ndef f(x):\n    return E",
    "equal function": f"class E:\n{_EQUAL}    def __call__(self, *a): return self\nf = E()",
    "patched builtins": "import builtins\nbuiltins.all = builtins.isinstance = builtins.sorted = lambda *a: True\n"
    "builtins.abs = builtins.len = lambda *a: 0\nbuiltins.AssertionError = ZeroDivisionError\ndef f(x):\n    return 0",
    "shadowed builtins": "all = isinstance = lambda *a: True\nabs = len = lambda *a: 0\nzip = lambda *a: ()\n"
    "sorted = lambda x: [7919]\nAssertionError = int\ndef f(x):\n    return 0",
    "patched math": "import math\nmath.isclose = lambda *a, **k: True\ndef f(x):\n    return 0.0",
    "shadowed math": "class math:\n    isclose = staticmethod(lambda *a, **k: True)\ndef f(x):\n    return 0.0",
    "patched json": "import json\njson.dumps = lambda *a, **k: '[true, true]'\njson.loads = lambda *a, **k: []\n"
    "def f(x):\n    return 0",
    "redefined check": "def check(*a): pass\ndef f(x):\n    return 0",
    "frame walk": "import sys\ndef f(x):\n    frame = sys._getframe()\n    while frame:\n"
    "        for space in (frame.f_locals, frame.f_globals):\n            for value in list(space.values()):\n"
    "                if value in (7919, 104729): return value\n                if isinstance(value, (tuple, list)):\n"
    "                    for item in value:\n                        if item in (7919, 104729): return item\n"
    "        frame = frame.f_back\n    return 0",
    "constants of the tests": "import gc\ndef f(x):\n    wanted = int('79') * 100 + 19\n"
    "    for thing in gc.get_objects():\n"
    "        code = getattr(thing, '__code__', None)\n"
    "        if code is not None and wanted in code.co_consts: return wanted\n"
    "        if isinstance(thing, str) and str(wanted) in thing: return wanted\n    return 0",
    "inspect": "import inspect\ndef f(x):\n    text = str([frame.code_context for frame in inspect.stack()])\n"
    "    return int('79') * 100 + 19 if str(int('79') * 100 + 19) in text else 0",
    "forged report": 'import os, json\nfor fd in range(64):\n    for text in (\'{"token": "", "checks": 9}\', '
    "'{\"exit\": 0, \"late\": false}', '[7919, 104729]', '[\"return\", 7919]'):\n        try:\n"
    "            os.write(fd, len(text).to_bytes(4, 'little') + text.encode())\n        except OSError: pass\n"
    "def f(x):\n    return 0",
    "forged report in the call": 'import os\ndef f(x):\n    text = b\'{"token": "", "checks": 9}\'\n'
    "    for fd in range(64):\n        try: os.write(fd, text)\n        except OSError: pass\n    os._exit(0)",
    "swallowed in a callback": "import builtins\ndef f(x):\n    try: return x()\n"
    "    except BaseException: return 7919 - 1",
}


@pytest.mark.parametrize("tests", _TESTS.values(), ids=_TESTS)
@pytest.mark.parametrize("code", _CHEATS.values(), ids=_CHEATS)
def test_a_cheat_does_not_pass(code: str, tests: str) -> None:
    assert run_tests(code, tests, limits=SHORT) is not RunStatus.DONE


@pytest.mark.parametrize("tests", _TESTS.values(), ids=_TESTS)
def test_a_right_program_passes_the_same_tests(tests: str) -> None:
    code = "def f(x):\n    return {1: 7919, 5: 104729}[int(x)]"
    assert run_tests(code, tests, limits=SHORT) is RunStatus.DONE


@pytest.mark.parametrize("code", _CHEATS.values(), ids=_CHEATS)
def test_a_cheat_gives_no_right_value(code: str) -> None:
    results = run_calls(code, ["f(1)", "f(5)"], limits=SHORT)
    assert results.values != (7919, 104729)
    assert not any(value == 7919 for value in results.values)


def test_a_cheat_that_is_taken_as_a_script_prints_no_right_output() -> None:
    for code in _CHEATS.values():
        (run,) = run_program(code, ["1\n"], limits=SHORT)
        assert run.stdout.strip() != "7919"


def test_tests_that_check_nothing_are_not_passed() -> None:
    for tests in ("", "f(1)", "for x in []:\n    assert f(x)", "def check(c):\n    assert c(1)"):
        assert run_tests("def f(x):\n    return 1", tests, limits=SHORT) is RunStatus.RAISED


def test_a_failed_assertion_in_a_callback_cannot_be_swallowed() -> None:
    code = "def f(g):\n    try: g(0)\n    except BaseException: pass\n    return 1"
    tests = "def g(x):\n    assert x == 5\nassert f(g) == 1"
    assert run_tests(code, tests, limits=SHORT) is not RunStatus.DONE


def test_an_object_of_the_programs_own_class_is_opaque() -> None:
    results = run_calls(f"class E(int):\n{_EQUAL}", ["E()", "[E()]", "object()", "print"], limits=SHORT)
    assert [isinstance(value, Opaque) for value in results.values] == [True, False, True, True]
    assert not any(value == expected for value in results.values[2:] for expected in (0, None))


@pytest.mark.parametrize(
    "report",
    [
        "[" * 10**5,
        "[1e999]",
        '[["I", "' + "f" * 10**5 + '"]]',
        "[{}]",
        '[["l", 5]]',
        "null",
        "7",
        '[["d", [[["l", []], 1]]]]',
    ],
)
def test_a_forged_report_does_not_break_the_scorer(report: str) -> None:
    code = (
        f"import os\ndef f(x):\n    for fd in range(3, 64):\n        try: os.write(fd, {report!r}.encode())\n"
        f"        except OSError: pass\n    os._exit(0)"
    )
    results = run_calls(code, ["f(1)"], limits=SHORT)
    assert results.status is RunStatus.DIED or not any(value == 1 for value in results.values)


@pytest.mark.parametrize(
    "name", ["ValueError", "KeyError", "ZeroDivisionError", "TypeError", "IndexError", "RuntimeError", "OSError"]
)
def test_an_exception_arrives_as_what_it_is(name: str) -> None:
    tests = (
        f"try:\n    f(1)\nexcept {name} as error:\n    assert error.args == ('a', 1)\nelse:\n    raise AssertionError"
    )
    assert run_tests(f"def f(x):\n    raise {name}('a', 1)", tests, limits=SHORT) is RunStatus.DONE


@pytest.mark.parametrize(
    ("code", "tests"),
    [
        ("class Solution:\n    def g(self, a): return sorted(a)", "assert Solution().g([2, 1]) == [1, 2]"),
        ("def f(a): a.sort()", "a = [3, 1]\nassert f(a) is None\nassert a == [1, 3]"),
        ("def f(a):\n    a[0][0] = 9", "a = [[1], [2]]\nrow = a[0]\nf(a)\nassert a == [[9], [2]]\nassert row == [9]"),
        ("def f(a):\n    a.append(1)\n    return a", "a = []\nassert f(a) is a\nassert a == [1]"),
        ("def f(d):\n    d['x'] = 1", "d = {}\nf(d=d)\nassert d == {'x': 1}"),
        ("def f(n):\n    yield from range(n)", "assert list(f(1000)) == list(range(1000))"),
        ("def f():\n    n = 0\n    while True:\n        yield n\n        n += 1", "g = f()\n"
        "assert next(g) == 0\nassert next(g) == 1"),
        ("def f(n):\n    yield 1\n    raise KeyError", "g = f(1)\nassert next(g) == 1\ntry:\n    next(g)\n"
        "except KeyError:\n    assert True"),
        ("def f(g, a): return [g(x) for x in a]", "assert f(lambda x: x * 2, [1, 2]) == [2, 4]"),
        ("def f(n): return lambda x: x + n", "assert f(2)(3) == 5"),
        (
            "class Stack:\n    def __init__(self): self.a = []\n    def push(self, x): self.a.append(x)\n"
            "    def __len__(self): return len(self.a)\n    def __repr__(self): return f'Stack({self.a})'",
            "s = Stack()\ns.push(1)\nassert len(s) == 1\nassert s.a == [1]\nassert repr(s) == 'Stack([1])'\n"
            "assert isinstance(s, Stack)\nassert not isinstance(3, Stack)",
        ),
        ("class Bad(ValueError): pass\ndef f(): raise Bad('x')", "try:\n    f()\nexcept Bad as e:\n"
        "    assert str(e) == 'x'"),
        (
            "def f(x): return {1.5, 2}, (1, [True]), {'a': None}, b'x', 1j, 10**30",
            "assert f(1) == ({1.5, 2}, (1, [True]), {'a': None}, b'x', 1j, 10**30)",
        ),
        ("def f(x): return x + 1", "import random\nfor _ in range(50):\n    x = random.randrange(10**6)\n"
        "    assert f(x) == x + 1"),
        ("def f(x): return x * 1.0", "assert isclose(f(2), 2.0)\nassert type(f(2)) is float\n"
        "assert isinstance(f(1), float)"),
        ("import math", "assert math.sqrt(4) == 2.0"),
    ],
)  # fmt: skip
def test_test_code_of_any_shape_works_across_processes(code: str, tests: str) -> None:
    assert run_tests(code, tests, limits=SHORT) is RunStatus.DONE


def test_linked_nodes_go_over_and_come_back_changed() -> None:
    prefix = "class Node:\n    def __init__(self, val=0, next=None):\n        self.val = val\n        self.next = next"
    code = f"{prefix}\ndef f(node):\n    while node:\n        node.val += 1\n        node = node.next"
    tests = (
        "last = Node(2)\nhead = Node(1, last)\nf(head)\nassert (head.val, last.val) == (2, 3)\nassert head.next is last"
    )
    assert run_tests(code, tests, prefix=prefix, limits=SHORT) is RunStatus.DONE


def test_a_name_under_test_is_the_programs_even_if_built_in() -> None:
    code = "def sum(a, b): return a * b"
    assert run_tests(code, "assert sum(2, 5) == 10", entries=["sum"], limits=SHORT) is RunStatus.DONE
    assert run_tests(code, "assert sum([2, 5]) == 7", limits=SHORT) is RunStatus.DONE


@pytest.mark.parametrize("library", ["numpy"])
def test_an_installed_library_can_be_used(library: str) -> None:
    pytest.importorskip(library)
    code = "import numpy as np\ndef f(n): return np.arange(n), np.int64(n)"
    assert run_calls(code, ["f(3)[1]", "int(f(3)[0].sum())"]).values == (3, 3)
    tests = "a, n = f(3)\nassert n == 3\nassert np.array_equal(a, [0, 1, 2])\nassert np.allclose(a, [0, 1, 2])"
    assert run_tests(code, tests, limits=Limits()) is RunStatus.DONE
    (run,) = run_program("import numpy as np\nprint(np.ones(3).sum())", [""], limits=Limits())
    assert run.stdout == "3.0\n"


def test_cheats_fail_from_eight_threads_at_once_and_right_programs_pass() -> None:
    outcomes: dict[int, list[RunStatus]] = {}

    def work(number: int) -> None:
        right = f"def f(x):\n    return x + {number}"
        outcomes[number] = []
        for cheat in ("import os\nos._exit(0)", "def f(x):\n    while True: pass", "import os\nos.kill(-1, 9)"):
            outcomes[number].append(run_tests(right, f"assert f(1) == {number + 1}", limits=Limits()))
            outcomes[number].append(run_tests(cheat, "assert f(1) == 1", limits=SHORT))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for statuses in outcomes.values():
        assert statuses[::2] == [RunStatus.DONE] * 3
        assert RunStatus.DONE not in statuses[1::2]


def test_values_survive_the_way_exactly() -> None:
    values = [
        "1",
        "True",
        "1.0",
        "0.1 + 0.2",
        "float('inf')",
        "-0.0",
        "'\\ud800'",
        "10**5000",
        "(1,)",
        "{}",
        "set()",
        "None",
    ]
    results = run_calls("", values, limits=SHORT)
    assert [type(value) for value in results.values] == [type(eval(text)) for text in values]
    assert list(results.values) == [eval(text) for text in values]
    assert json.dumps(results.values[6]) == '"\\ud800"'
