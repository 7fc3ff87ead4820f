"""Helper functions of known data sets' tests.

Three of HumanEval's tests take a helper from the prompt's code, which a response need not repeat. Given here, it is
also no longer the program's: a `poly` that always returns 0 would make every root right. And Guru's tests of
PrimeIntellect and TACO problems all compare with one function, which is recognised and done faster.
"""

import ast
import hashlib
import math
import sys
from collections.abc import Callable

from rewards.code.script.plain_values import TOLERANCE

_POLY = """
def poly(xs, x):
    return sum([coefficient * x ** power for power, coefficient in enumerate(xs)])
"""
_CYCLIC = """
def encode_cyclic(s):
    groups = [s[start:start + 3] for start in range(0, len(s), 3)]
    return "".join([group[1:] + group[0] if len(group) == 3 else group for group in groups])
"""
_SHIFT = """
def encode_shift(s):
    return "".join([chr((ord(letter) - 97 + 5) % 26 + 97) for letter in s])
"""
_BY_ENTRY = {
    "find_zero": ("poly", _POLY),
    "decode_cyclic": ("encode_cyclic", _CYCLIC),
    "decode_shift": ("encode_shift", _SHIFT),
}


def with_helpers(tree: ast.Module) -> ast.Module:
    """The script with the helper that its function under test is known to need, if it uses but lacks it."""
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    for entry, (helper, source) in _BY_ENTRY.items():
        if {entry, helper} <= names and not {entry, helper} & defined:
            tree.body[:0] = ast.parse(source).body
    return tree


def known_function(definition: ast.FunctionDef) -> Callable[..., bool] | None:
    """What does the same as a function of the tests, if it is a known one."""
    digest = hashlib.sha256(ast.unparse(definition).encode()).hexdigest()
    return nearly_equal if digest == _DEEP_EQ else None


_DEEP_EQ = "065620bcdab9de05298fac0330a0883e779ccf79b447983bf1b0c80208a16018"


# Below it, floats can tell any two integers apart.
_EXACT = 1 << 53


def nearly_equal(value: object, expected: object, tolerance: float = 1e-5) -> bool:
    """Guru's comparison of results: lists and tuples by element, floats within `tolerance`, all else by `==`.

    Stricter in that an expected integer is met by no other integer, however large both are, and by a float only
    within 1e-6.
    """
    if type(value) is float and type(expected) is int:
        return value == expected or (abs(expected) < _EXACT and abs(value - expected) <= TOLERANCE)
    if type(expected) is float or type(value) is float:
        if not isinstance(value, int | float) or not isinstance(expected, int | float):
            return False
        if math.isnan(expected):
            return math.isnan(value)
        if max(abs(value), abs(expected)) > sys.float_info.max:
            return value == expected
        return math.isclose(value, expected, rel_tol=tolerance, abs_tol=tolerance)
    if isinstance(value, list | tuple):
        return (
            isinstance(expected, list | tuple)
            and len(value) == len(expected)
            and all(nearly_equal(one, other, tolerance) for one, other in zip(value, expected, strict=True))
        )
    return bool(value == expected)
