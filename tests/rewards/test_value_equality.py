"""When two values agree: one owner, four sets of rules."""

import json

import pytest

from rewards import compute_score
from rewards.sandbox.inside.agreement import EXACT, JSON, PYTHON, WRITTEN, Incomparable, Rules, values_agree

_NAN = float("nan")


@pytest.mark.parametrize(
    ("value", "expected", "python", "of_json", "written", "exact"),
    [
        (True, 1, True, True, False, False),
        (1, True, True, True, False, False),
        (None, None, True, True, True, True),
        (None, 0, False, False, False, False),
        (1.0, 1, True, True, True, True),
        (2.9999999, 3, False, False, True, False),
        (0.1 + 0.2, 0.3, True, True, True, False),
        (1e-9, 0.0, True, True, False, False),
        (1e15 * (1 + 1e-9), 1e15, True, True, True, False),
        (1.001, 1.0, False, False, False, False),
        (10**18, 10**18 + 1, False, False, False, False),
        (1e18, 10**18 + 1, False, False, True, False),
        (10**400, 1.5, False, False, False, False),
        (_NAN, _NAN, True, True, True, False),
        (_NAN, 1.0, False, False, False, False),
        ("1", 1, False, False, False, False),
        ((1, 2), [1, 2], False, True, True, False),
        ([(1, 2.0000001)], [[1, 2.0]], False, True, True, False),
        ({1: "a"}, {"1": "a"}, False, True, True, False),
        ({True: 1}, {"true": 1}, False, True, True, False),
        ({None: 1}, {"null": 1}, False, True, True, False),
        ({1.5: 1}, {"1.5": 1}, False, True, True, False),
        ({"a": [1.0000001]}, {"a": [1.0]}, True, True, True, False),
        ({"a": 1}, {"a": 1, "b": 2}, False, False, False, False),
        ({1, 2}, {2, 1}, True, True, True, True),
        ([True], [1], True, True, False, False),
    ],
)
def test_values_agree_by_the_rules_of_their_origin(
    value: object, expected: object, python: bool, of_json: bool, written: bool, exact: bool
) -> None:
    found = tuple(values_agree(value, expected, rules) for rules in (PYTHON, JSON, WRITTEN, EXACT))
    assert found == (python, of_json, written, exact)


@pytest.mark.parametrize("rules", [PYTHON, JSON, WRITTEN, EXACT])
def test_a_value_that_is_nested_without_end_is_not_compared(rules: Rules) -> None:
    deep: list[object] = []
    deep.append(deep)
    other: list[object] = []
    other.append(other)
    with pytest.raises(Incomparable):
        values_agree(deep, other, rules)


@pytest.mark.parametrize(
    ("returned", "expected"), [("{True: 1}", {"true": 1}), ("{None: 1}", {"null": 1}), ("{1.5: 1}", {"1.5": 1})]
)
def test_a_program_may_return_keys_that_json_has_no_other_way_to_write(returned: str, expected: object) -> None:
    gold = json.dumps({"fn_name": "f", "inputs": [[1]], "outputs": [expected]})
    response = f"```python\ndef f(x): return {returned}\n```"
    assert compute_score("codegen__taco", response, gold)["outcome"] == "correct"
