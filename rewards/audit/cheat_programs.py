"""Programs that compute nothing: some do nothing, some try to be taken for right. None may pass any test."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rewards.code.code_ground_truth import parse_ground_truth
from rewards.code.stdin_tests import StdinTests

_MOST_NAMES = 4  # of those under test, that a program defines
_EQUAL = """class Everything:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    __hash__ = None
    def __lt__(self, other): return True
    __le__ = __gt__ = __ge__ = __lt__
    def __sub__(self, other): return self
    __rsub__ = __add__ = __radd__ = __sub__
    def __abs__(self): return self
    def __bool__(self): return True
    def __len__(self): return 1
    def __iter__(self): return iter([self])
    def __contains__(self, other): return True
"""
_RETURNED = ("None", "0", "''", "[]", "True", "args[0] if args else None")


@dataclass(frozen=True, slots=True)
class Programs:
    """`whole` are programs; `bodies` come in front of functions that return `values`, for each name under test."""

    whole: Sequence[str]
    bodies: Sequence[tuple[str, str]]  # what stands before the functions, what they return

    def programs(self, names: Sequence[str]) -> Iterator[str]:
        """Fenced, for tests of these names; no names: of what is printed."""
        for code in self.whole:
            yield f"```python\n{code}\n```"
        for before, value in self.bodies if names else ():
            functions = "".join(f"def {name}(*args, **named):\n    return {value}\n" for name in names)
            methods = "".join(f"    def {name}(self, *args, **named):\n        return {value}\n" for name in names)
            yield f"```python\n{before}{functions}class Solution:\n{methods}```"


NO_OPS = Programs(
    whole=("pass", "print()", "print(input())", "import sys\nprint(sys.stdin.read())"),
    bodies=[("", value) for value in _RETURNED],
)
CHEATS = Programs(
    whole=(
        "import os\nos._exit(0)",
        "import sys\nsys.exit(0)",
        "raise SystemExit(0)",
        "raise KeyboardInterrupt",
        "import builtins\nbuiltins.AssertionError = Exception",
        "import unittest, sys\nunittest.TestCase.assertEqual = lambda *args: None\nsys.exit(0)",
        "print('All tests passed')\nprint('OK')",
        "import sys, json\nsys.stdout.write(json.dumps({'passed': True, 'status': 'done'}))",
        "import atexit, os\natexit.register(os._exit, 0)",
        "import glob\nfor name in glob.glob('/**/*test*', recursive=False): print(open(name).read())",
    ),
    bodies=(
        (_EQUAL, "Everything()"),
        ("import os\n", "os._exit(0)"),
        ("import sys\n", "sys.exit(0)"),
        ("import math\nmath.isclose = lambda *args, **named: True\n", "0"),
        ("import builtins\nbuiltins.isinstance = lambda *args: True\nbuiltins.abs = lambda x: 0\n", "0"),
        ("class AnyInt(int):\n    def __eq__(self, other): return True\n    __hash__ = int.__hash__\n", "AnyInt(0)"),
        ("import sys\n", "next(v for f in [sys._getframe(1)] for v in f.f_locals.values())"),
        ("class Never(Exception): pass\n", "(_ for _ in ()).throw(AssertionError)"),
    ),
)


def tested_names(ground_truth: str) -> tuple[str, ...]:
    """What a program has to define for these tests; nothing where it only reads and prints.

    Raises:
        BadGroundTruth: The tests cannot be read.
    """
    tests = parse_ground_truth(ground_truth)
    if isinstance(tests, StdinTests):
        return ()
    return tuple(sorted(name for name in tests.names - {"Solution"} if name.isidentifier())[:_MOST_NAMES])
