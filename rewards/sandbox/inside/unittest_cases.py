"""Runs the test cases of a script that uses unittest, with the comparisons of `agreement`.

`unittest.main` does nothing here: every case of the script is run at its end, whatever the script itself ran.
"""

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from rewards.sandbox.inside.agreement import COMPARISONS

_BY_METHOD = {
    "assertEqual": "Eq",
    "assertNotEqual": "NotEq",
    "assertIs": "Is",
    "assertIsNot": "IsNot",
    "assertIn": "In",
    "assertNotIn": "NotIn",
    "assertLess": "Lt",
    "assertLessEqual": "LtE",
    "assertGreater": "Gt",
    "assertGreaterEqual": "GtE",
}
_BY_TYPE: dict[str, tuple[type, ...]] = {
    "assertListEqual": (list,),
    "assertTupleEqual": (tuple,),
    "assertDictEqual": (dict,),
    "assertSetEqual": (set, frozenset),
    "assertSequenceEqual": (list, tuple, str, bytes),
    "assertMultiLineEqual": (str,),
}


def install() -> None:
    """Has `import unittest` find test cases whose assertions compare as those of any other test script."""
    unittest = importlib.import_module("unittest")
    methods = {name: _comparing(operation) for name, operation in _BY_METHOD.items()}
    methods |= {name: _comparing("Eq", kinds) for name, kinds in _BY_TYPE.items()}
    checked = type("TestCase", (unittest.TestCase,), methods)
    vars(unittest).update(TestCase=checked, main=_nothing, TestProgram=_nothing)
    vars(unittest.case).update(TestCase=checked)


def _comparing(operation: str, kinds: tuple[type, ...] = (object,)) -> Callable[..., None]:
    compare = COMPARISONS[operation]

    def method(self: Any, first: Any, second: Any, msg: Any = None, seq_type: Any = None) -> None:
        wanted = kinds if seq_type is None else (seq_type,)
        if not isinstance(first, wanted) or not isinstance(second, wanted) or not compare(first, second):
            self.fail(msg or operation)

    return method


def _nothing(*_: object, **__: object) -> None:
    return None


def run(names: Mapping[str, Any]) -> None:
    """Runs all cases among the globals of a script.

    Raises:
        AssertionError: One of them failed.
    """
    unittest = importlib.import_module("unittest")
    own = dict.fromkeys(value for value in names.values() if isinstance(value, type))
    classes = [one for one in own if issubclass(one, unittest.TestCase) and one.__module__ == names["__name__"]]
    if not classes:
        return
    names.get("setUpModule", _nothing)()
    loader, result = unittest.TestLoader(), unittest.TestResult()
    result.failfast = True
    unittest.TestSuite(map(loader.loadTestsFromTestCase, classes)).run(result)
    names.get("tearDownModule", _nothing)()
    if not result.wasSuccessful():
        raise AssertionError("a test case failed")
