"""Helper functions that tests of known data sets lack.

Three of HumanEval's tests take a helper from the prompt's code, which a response need not repeat. Given here, it is
also no longer the program's: a `poly` that always returns 0 would make every root right.
"""

import ast

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


def missing_helper(tree: ast.Module) -> str:
    """The helper that the function under test is known to need, if the script uses but lacks it; else empty."""
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    for entry, (helper, source) in _BY_ENTRY.items():
        if {entry, helper} <= names and not {entry, helper} & defined:
            return source
    return ""
