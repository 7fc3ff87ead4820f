"""Test code that runs in a process of its own: what it finds there, and how it compares."""

import importlib.util

import pytest

from rewards.sandbox.runs import RunStatus, run_tests
from tests.rewards.sandbox_levels import SHORT

_HAS_NUMPY = importlib.util.find_spec("numpy") is not None
_ARRAY = "import numpy as np\ndef f(n): return np.arange(n)"
_THIRD = "def f(n): return n / 3"


@pytest.mark.parametrize(
    ("code", "tests"),
    [
        (_THIRD, "import pytest\nassert f(1) == pytest.approx(0.333333333)\nassert f(1) != pytest.approx(0.334)"),
        (_THIRD, "import pytest\nassert [f(1), 1] == pytest.approx([0.333333333, 1])"),
        (_THIRD, "import numpy as np\nassert np.isclose(f(1), 0.333333333)\nassert np.allclose([f(3)], [1])"),
        (_THIRD, "assert np.allclose([[f(1)], [2]], ((0.333333333,), (2,)))\nassert not np.allclose([f(1)], [1, 2])"),
        (_THIRD, "import numpy as np\nassert not isinstance(f(1), (np.ndarray, np.float64))"),
        ("def f(x): return not x", "assert f(true) == false\nassert f(null) == true"),
        ("def f(x): return x + 1", "from solution import f\nassert f(f(1)) == 3"),
        ("def f(x): return x + 0.1", "for x in [0.2]:\n    assert f(x) == 0.3\n    assert [f(x)] == [0.3]"),
        ("def f(x): return x", "for x in [10**18]:\n    assert f(x) != x + 1"),
        ("def f(x): return 300 if x else (1, 2)", "y = 299\nassert f(1) is y + 1\nassert f(0) is (1, 2)"),
        ("def f(x): return [x]", "for x in [1]:\n    assert f(x) is not f(x)"),
        ("def f(x): return x", "nan = float('nan')\nassert f(nan) == nan"),
        ("def f(x): return x", "assert 1 < f(2) <= 2 != f(3) < 4"),
        (
            "def f(x): raise ValueError('bad x')",
            "import pytest\nwith pytest.raises((ValueError, OSError), match='bad') as caught:\n    f(1)\n"
            "assert str(caught.value) == 'bad x'",
        ),
        ("def f(x): return [][0]", "import pytest\nwith pytest.raises(IndexError):\n    f(1)"),
    ],
)
def test_a_right_program_passes(code: str, tests: str) -> None:
    assert run_tests(code, tests, limits=SHORT) is RunStatus.DONE


@pytest.mark.parametrize(
    ("code", "tests"),
    [
        ("def f(x): return float('nan')", "for x in [1]:\n    assert not abs(f(x) - 1.5) > 1e-6"),
        ("def f(x): return x + 0.1001", "for x in [0.2]:\n    assert f(x) == 0.3"),
        ("def f(x): return [x]", "for x in [1]:\n    assert f(x) == (x,)"),
        ("def f(x): return 1.0", "assert f(1) is 1\nassert True"),
        ("def f(x): return 10**18", "for x in [10**18 + 1]:\n    assert f(1) == x"),
        ("def f(x): return object()", "for x in [1]:\n    assert f(x) != x"),
        ("def f(x): return object()", "for x in [1]:\n    assert not f(x) == x"),
        ("def f(x): return 3", "assert 1 < f(2) < 3"),
        ("class E(str):\n    def isdigit(self): return True\ndef f(x): return E('b')", "assert f(1).isdigit()"),
        (_THIRD, "import numpy as np\nassert np.allclose([f(1)], [0.34])"),
        ("def f(x): return object()", "import numpy as np\nassert np.allclose(f(1), [1])"),
        ("def f(x): return 1", "import pytest\nwith pytest.raises(ValueError):\n    f(1)"),
        ("def f(x): raise TypeError", "import pytest\nwith pytest.raises(ValueError):\n    f(1)"),
        ("def f(x): raise ValueError", "import pytest\nwith pytest.raises(ValueError, match='bad'):\n    f(1)"),
    ],
)
def test_a_wrong_program_does_not_pass(code: str, tests: str) -> None:
    assert run_tests(code, tests, limits=SHORT) is RunStatus.RAISED


@pytest.mark.skipif(not _HAS_NUMPY, reason="needs numpy")
@pytest.mark.parametrize(
    "tests",
    [
        "import numpy as np\nassert np.allclose(f(3), [0, 1, 2])",
        "import numpy as np\nassert isinstance(f(3), np.ndarray)\nassert f(3)[2] == np.float64(2.0)",
        "from numpy import array_equal\nassert array_equal(f(3), [0, 1, 2])",
        "import numpy.linalg\nassert numpy.linalg.norm(f(2)) == 1",
        "import numpy as np\nassert np.isclose([1.0, 2.0], f(3)[1:]).all()",
    ],
)
def test_numpy_itself_comes_where_more_of_it_is_needed(tests: str) -> None:
    assert run_tests(_ARRAY, tests) is RunStatus.DONE


def test_the_tests_guru_writes_take_no_large_integer_for_another() -> None:
    tests = (
        "_inputs = [[1], [2.5]]\n_outputs = [[10**18 + 1], [3.5]]\nimport math\ndef _deep_eq(a, b, tol=1e-5):\n"
        "    if isinstance(a, float) or isinstance(b, float):\n"
        "        return math.isclose(a, b, rel_tol=tol, abs_tol=tol)\n"
        "    if isinstance(a, (list, tuple)):\n        if len(a) != len(b): return False\n"
        "        return all(_deep_eq(x, y, tol) for x, y in zip(a, b))\n    return a == b\n\n"
        "for i, o in zip(_inputs, _outputs):\n    assert _deep_eq(f(*i), o[0] if len(o) == 1 else tuple(o))\n"
    )
    for large, status in (("10**18 + 1", RunStatus.DONE), ("1e18", RunStatus.RAISED)):
        assert run_tests(f"def f(x): return {large} if x == 1 else x + 1.000001", tests, limits=SHORT) is status


def test_the_setup_of_the_tests_is_for_the_program() -> None:
    code = "def f(x): return math.sqrt(x)"
    assert run_tests(code, "assert f(4) == 2", setup="import math", limits=SHORT) is RunStatus.DONE
    assert run_tests(code, "assert f(4) == 2", limits=SHORT) is RunStatus.RAISED
