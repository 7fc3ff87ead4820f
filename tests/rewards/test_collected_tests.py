"""Tests that unittest or pytest would collect: which run, that all of them count, and which are refused as data."""

import json

import pytest

from rewards import BadGroundTruth, check_gold, compute_score

RIGHT = "def add(a, b):\n    return a + b"
WRONG = "def add(a, b):\n    return a + b if a == 1 else 0"  # the first test passes
ANYTHING = (
    "class Any:\n    def __eq__(self, other): return True\n    __ne__ = __eq__\n    __hash__ = None\n"
    "def add(a, b):\n    return Any()"
)
LEAVES = "def add(a, b):\n    if a == 1: return 3\n    raise SystemExit(0)"
SKIPS = "class SkipTest(Exception): pass\nclass Skipped(BaseException): pass\ndef add(a, b):\n    if a == 1: return 3\n"
CHEATS = [WRONG, ANYTHING, LEAVES, f"{SKIPS}    raise SkipTest", f"{SKIPS}    raise Skipped", "def add(*_): return 3"]

_CASE = (
    "import unittest\nclass TestAdd(unittest.TestCase):\n"
    "    def test_a(self):\n        self.assertEqual(add(1, 2), 3)\n"
    "    def test_b(self):\n        self.assertEqual(add(2, 2), 4)\n"
)
SCRIPTS = {
    "cases": _CASE,
    "cases that run themselves": f'{_CASE}if __name__ == "__main__":\n    unittest.main(argv=["x"], exit=False)\n',
    "cases run by a runner": f"{_CASE}import sys\nsuite = unittest.defaultTestLoader.loadTestsFromTestCase(TestAdd)\n"
    "sys.exit(not unittest.TextTestRunner().run(suite).wasSuccessful())\n",
    "cases with set-up": "from solution import add\nfrom unittest import TestCase, main\nclass TestAdd(TestCase):\n"
    "    @classmethod\n    def setUpClass(cls): cls.one = 1\n    def setUp(self): self.two = 2\n"
    "    def test_a(self):\n        for n, want in ((self.one, 3), (self.two, 4)):\n"
    "            with self.subTest(n=n):\n"
    "                self.assertAlmostEqual(add(n, 2), want)\n        with self.assertRaises(TypeError):\n"
    "            add('a', 1)\nmain()\n",
    "functions": "from solution import add\ndef test_a():\n    assert add(1, 2) == 3\n"
    "def test_b():\n    assert add(2, 2) == 4\n",
    "fixtures": "import pytest\n@pytest.fixture\ndef two():\n    yield 2\n@pytest.fixture(params=[1, 2])\n"
    "def n(request):\n    return request.param\ndef test_a(n, two):\n    assert add(n, two) == n + 2\n",
    "parameters": "import pytest\n@pytest.mark.parametrize('a,b,c', [(1, 2, 3), pytest.param(2, 2, 4, id='x')])\n"
    "def test_p(a, b, c):\n    assert add(a, b) == c\n",
    "parameters twice": "import pytest\n@pytest.mark.parametrize('a', [1, 2])\n"
    "@pytest.mark.parametrize(['b'], [(2,)])\ndef test_p(a, b):\n    assert add(a, b) == a + b\n",
    "a class": "import pytest\nclass TestAdd:\n    def setup_method(self):\n        self.two = 2\n"
    "    @pytest.fixture\n    def four(self):\n        return self.two + 2\n    def test_a(self):\n"
    "        assert add(1, self.two) == 3\n    def test_b(self, four):\n        assert add(2, self.two) == four\n",
    "raises": "import pytest\ndef test_r():\n    assert add(1, 2) == 3\n    assert add(2, 2) == 4\n"
    "    with pytest.raises(TypeError, match='str'):\n        add('a', 1)\n"
    "    pytest.raises(TypeError, add, None, 1)\n",
}


def _outcome(code: str, tests: str, key: str = "functional") -> object:
    gold = json.dumps({key: tests})
    return compute_score("codegen__mbpp", f"```python\n{code}\n```", gold)["outcome"]


@pytest.mark.parametrize("name", SCRIPTS)
@pytest.mark.parametrize("key", ["functional", "pytest"])
def test_a_right_program_passes_and_one_that_fails_a_single_test_does_not(name: str, key: str) -> None:
    assert _outcome(RIGHT, SCRIPTS[name], key) == "correct"
    assert _outcome(WRONG, SCRIPTS[name], key) == "wrong"


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_collected_test_pays_a_cheat(name: str) -> None:
    assert {_outcome(cheat, SCRIPTS[name]) for cheat in CHEATS} == {"wrong"}


@pytest.mark.parametrize("assertion", ["assertNotEqual", "assertIsNot", "assertIn", "assertGreater"])
def test_an_object_that_is_not_plain_satisfies_no_assertion_of_a_case(assertion: str) -> None:
    operand = "[4]" if assertion == "assertIn" else "4"
    tests = _CASE.replace("self.assertEqual(add(2, 2), 4)", f"self.{assertion}(add(2, 2), {operand})")
    code = f"{ANYTHING}\nold = add\ndef add(a, b):\n    return 3 if a == 1 else old(a, b)"
    assert _outcome(code, tests) == "wrong"


def test_a_test_that_is_skipped_proves_nothing() -> None:
    tests = "import pytest\n@pytest.mark.skip\ndef test_a():\n    assert add(1, 2) == 3\n"
    assert _outcome(RIGHT, tests) == "wrong"


def test_an_exception_that_had_to_be_raised_is_a_check_and_one_that_any_failure_ends_is_none() -> None:
    code, quiet = "def f(x):\n    if x < 0: raise ValueError\n    return x", "def f(x):\n    return x"
    for tests in (
        "try:\n    f(-1)\nexcept ValueError:\n    pass\nelse:\n    raise AssertionError\n",
        "try:\n    f(-1)\n    assert False\nexcept ValueError:\n    pass\n",
    ):
        assert (_outcome(code, tests), _outcome(quiet, tests)) == ("correct", "wrong")
    for failure, caught in (("assert False", "Exception"), ("raise ValueError('no')", "ValueError")):
        tests = f"try:\n    f(-1)\n    {failure}\nexcept {caught}:\n    pass\n"
        assert _outcome(quiet, tests) == "wrong"
    tests = "try:\n    f(-1)\n    raise Exception('no')\nexcept ValueError:\n    pass\n"
    assert (_outcome(code, tests), _outcome(quiet, tests)) == ("correct", "wrong")


@pytest.mark.parametrize(
    ("tests", "named"),
    [
        ("from unittest.mock import patch\ndef test_a():\n    assert add(1, 2) == 3", "unittest.mock"),
        ("def test_a(capsys):\n    add(1, 2)\n    assert capsys.readouterr().out == '3'", "capsys"),
        ("async def test_a():\n    assert await add(1, 2) == 3", "async def test_a"),
        ("import pytest\ndef test_a():\n    with pytest.warns(UserWarning):\n        add(1, 2)", "pytest.warns"),
        ("from hypothesis import given\ndef test_a():\n    assert add(1, 2) == 3", "hypothesis"),
    ],
)
def test_what_cannot_be_run_is_refused_when_data_are_made(tests: str, named: str) -> None:
    with pytest.raises(BadGroundTruth, match=named):
        check_gold("codegen__mbpp", json.dumps({"pytest": tests}))
