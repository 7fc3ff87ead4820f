"""Programs that compute nothing: some do nothing, some try to be taken for right. None may pass any test."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rewards.code.code_ground_truth import parse_ground_truth
from rewards.code.stdin_tests import StdinTests

_MOST_NAMES = 4  # of those under test, that a program defines
_RETURNED = ("None", "0", "''", "[]", "True", "args[0] if args else None")


def equal_methods(measure: float = 1) -> str:
    """Methods of a class whose objects are equal to everything, and as long and as large as `measure`."""
    return (
        "    def __eq__(self, other): return True\n    def __ne__(self, other): return False\n    __hash__ = None\n"
        "    def __lt__(self, other): return True\n    __le__ = __gt__ = __ge__ = __lt__\n"
        "    def __sub__(self, other): return self\n    __rsub__ = __add__ = __radd__ = __sub__\n"
        f"    def __abs__(self): return self\n    def __float__(self): return {float(measure)}\n"
        f"    def __contains__(self, other): return True\n    def __len__(self): return {int(measure)}\n"
        "    def __iter__(self): return iter([self])\n    def __bool__(self): return True\n"
    )


@dataclass(frozen=True, slots=True)
class Programs:
    """By name: `whole` are programs; `bodies` come in front of functions that return a value, for names under test."""

    whole: Mapping[str, str]
    bodies: Mapping[str, tuple[str, str]]  # what stands before the functions, what they return

    def programs(self, names: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Each with its name, fenced, for tests of these names, which it then defines; none: of what is printed."""
        defined = _defining(names, "None") if names else ""
        for name, code in self.whole.items():
            yield name, f"```python\n{defined}{code}\n```"
        for name, (before, value) in self.bodies.items() if names else ():
            yield name, f"```python\n{before}{_defining(names, value)}```"


def _defining(names: Sequence[str], value: str) -> str:
    """Functions, and methods of a `Solution`, of these names."""
    functions = "".join(f"def {name}(*args, **named):\n    return {value}\n" for name in names)
    methods = "".join(f"    def {name}(self, *args, **named):\n        return {value}\n" for name in names)
    return f"{functions}class Solution:\n{methods}"


NO_OPS = Programs(
    whole={code: code for code in ("pass", "print()", "print(input())", "import sys\nprint(sys.stdin.read())")},
    bodies={f"returns {value}": ("", value) for value in _RETURNED},
)
CHEATS = Programs(
    whole={
        "os._exit(0) on import": "import os\nos._exit(0)",
        "sys.exit(0) on import": "import sys\nsys.exit(0)",
        "SystemExit(0) on import": "raise SystemExit(0)",
        "KeyboardInterrupt on import": "raise KeyboardInterrupt",
        "AssertionError is Exception": "import builtins\nbuiltins.AssertionError = Exception",
        "patched unittest": "import unittest, sys\nunittest.TestCase.assertEqual = lambda *args: None\nsys.exit(0)",
        "printing that it passed": "print('All tests passed')\nprint('OK')",
        "printing a report": "import sys, json\nsys.stdout.write(json.dumps({'passed': True, 'status': 'done'}))",
        "exit hook": "import atexit, os\natexit.register(os._exit, 0)",
        "printing files of tests": "import glob\n"
        "for name in glob.glob('/**/*test*', recursive=False): print(open(name).read())",
    },
    bodies={
        "object that equals everything": (f"class Everything:\n{equal_methods()}", "Everything()"),
        "os._exit(0) in the call": ("import os\n", "os._exit(0)"),
        "sys.exit(0) in the call": ("import sys\n", "sys.exit(0)"),
        "patched math": ("import math\nmath.isclose = lambda *a, **k: True\nmath.fabs = lambda x: 0\n", "0"),
        "patched isinstance and abs": (
            "import builtins\nbuiltins.isinstance = lambda *args: True\nbuiltins.abs = lambda x: 0\n",
            "0",
        ),
        "int that equals everything": (f"class AnyInt(int):\n{equal_methods()}", "AnyInt(0)"),
        "a local of the caller": ("import sys\n", "next(v for f in [sys._getframe(1)] for v in f.f_locals.values())"),
        "raising AssertionError": ("class Never(Exception): pass\n", "(_ for _ in ()).throw(AssertionError)"),
    },
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
