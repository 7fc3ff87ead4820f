"""Dataclasses that a program returns are compared field by field, by the tests' process, never by the program."""

import pytest

from rewards.sandbox.runs import Limits, RunStatus, run_tests

LIMITS = Limits(cpu_s=4, wall_s=20.0)
POINT = "from dataclasses import dataclass, field\n@dataclass\nclass Point:\n    x: int\n    y: float = 0.0\n"
PLUS_ONE = "def f(a): return Point(a, a + 1.0)"
TESTS = "assert f(1) == Point(1, 2.0)"


@pytest.mark.parametrize(
    ("code", "tests"),
    [
        (POINT + PLUS_ONE, f"{TESTS}\nassert f(2) == Point(x=2, y=3.0000000001)\nassert f(1) != Point(1, 3)"),
        (POINT + "def f(a): return [Point(i, i) for i in range(a)]", "assert f(2) == [Point(0, 0), Point(1, 1)]"),
        (POINT + PLUS_ONE, f"{POINT}{TESTS}"),  # the tests have a class of their own
        (
            POINT + "@dataclass\nclass Line:\n    a: Point\n    b: Point\ndef f(): return Line(Point(1, 1), Point(2))",
            "assert f() == Line(Point(1, 1), Point(2, 0.0))",
        ),
    ],
)
def test_a_right_one_is_equal(code: str, tests: str) -> None:
    assert run_tests(code, tests, entries=["f"], limits=LIMITS) is RunStatus.DONE


_LATE = """last = []
_made = Point.__init__
def init(self, *given):
    _made(self, *given)
    for one in last: one.__dict__.update(self.__dict__)
    last.append(self)
Point.__init__ = init
"""
_MOVED = "    def move(self): self.x += 9; return 0\n"


@pytest.mark.parametrize(
    ("code", "tests"),
    [
        (POINT + "def f(a): return Point(a, a + 2)", TESTS),
        (POINT.replace("Point", "Dot") + "def f(a): return Dot(a, a + 1.0)", f"{POINT}{TESTS}"),
        (POINT + "    def __eq__(self, other): return True\ndef f(a): return Point(0, 0)", TESTS),
        (POINT.replace("x: int", "x: int = field(default=0, compare=False)") + "def f(a): return Point(0, 2.0)", TESTS),
        (f"{POINT}{_LATE}def f(a): return Point(0, 0)", TESTS),  # takes on what the tests expect
        (f"{POINT}{_LATE}def f(a): return Point(*vars(last[-1]).values())", "w = Point(1, 2.0)\nassert f(1) == w"),
        (POINT.replace("@dataclass\n", "") + "    def __init__(self, x, y): pass\ndef f(a): return Point(1, 2)", TESTS),
        (f"{POINT}{_MOVED}{PLUS_ONE}", "p = Point(1, 2.0)\np.move()\nassert p == Point(1, 2.0)"),
    ],
)
def test_one_that_only_claims_to_be_is_not(code: str, tests: str) -> None:
    assert run_tests(code, tests, entries=["f"], limits=LIMITS) is RunStatus.RAISED
