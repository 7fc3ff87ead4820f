"""CodeIO: predicted outputs and inputs."""

import json
import time

import pytest

from rewards import BadGroundTruth, check_gold
from tests.rewards.labelled import is_right

_SOURCE = "simulation__codeio"


def _block(text: str) -> str:
    return f"Reasoning.\n```json\n{text}\n```\n"


@pytest.mark.parametrize(
    "response",
    [
        _block('{"output": {"a": [1, 2.5]}}'),
        _block('{\n  "output": {\n    "a": [\n      1,\n      2.5\n    ]\n  }\n}'),
        _block('"output": {"a": [1, 2.5]}'),
        _block("{'output': {'a': [1, 2.5]}}"),
        _block("{'output': {'a': (1, 2.5)}}"),
        _block('{"a": [1, 2.5]}'),
        _block('{"output": {"a": [1.0, 2.5]}}'),
        _block('{"output": {"a": [1, 2.5000000001]}}'),
        _block('{"output": {"a": [0]}}') + _block('{"output": {"a": [1, 2.5]}}'),
        '```\n{"output": {"a": [1, 2.5]}}\n```',
        '```JSON\n{"output": {"a": [1, 2.5]}}```',
        r'\boxed{"output": {"a": [1, 2.5]}}',
        r'\boxed{{"output": {"a": [1, 2.5]}}}',
        r'\boxed{\{"output": \{"a": [1, 2.5]\}\}}',
        r'\boxed{\text{"output": {"a": [1, 2.5]}}}',
        r'\boxed{{"a": [1, 2.5]}}',
        '```json\n\\boxed{"output": {"a": [1, 2.5]}}\n```',
        'So \\boxed{```json\n{"output": {"a": [1, 2.5]}}\n```}',
        'The final answer is {"output": {"a": [1, 2.5]}}',
        'The final answer is {"output": {"a": [1, 2.5]}}.',
        'The output is "output": {"a": [1, 2.5]}',
        _block('{"output": {"a": [0]}}') + 'No: {"output": {"a": [1, 2.5]}}',
        _block('{"output": {"a": [0]}}') + r'No: \boxed{"output": {"a": [1, 2.5]}}',
        r'\boxed{"output": 3}' + _block('{"output": {"a": [1, 2.5]}}'),
        '<think>```json\n{"output": 1}\n```</think>' + _block('{"output": {"a": [1, 2.5]}}'),
        '```python\ndef f():\n    return {}\n```' + _block('{"output": {"a": [1, 2.5]}}'),
        _block('{"output": {"a": [1, 2.5]}}') + "```python\nprint(1)\n```",
    ],
)  # fmt: skip
def test_the_gold_output_is_right_in_any_usual_form(response: str) -> None:
    assert is_right(_SOURCE, response, '"output": {"a": [1, 2.5]}')


@pytest.mark.parametrize(
    "response",
    [
        "",
        "I do not know",
        _block(""),
        _block("{}"),
        _block('{"output": {"a": [2.5, 1]}}'),
        _block('{"output": {"a": [1, 2.5, 3]}}'),
        _block('{"output": {"a": ["1", 2.5]}}'),
        _block('{"output": {"a": [true, 2.5]}}'),
        _block('{"output": {"a": [1, 2.5], "b": 1}}'),
        _block('{"output": {"a": [1, 2.51]}}'),
        _block('{"output": {"b": [1, 2.5]}}'),
        _block('{"output": [1, 2.5]}'),
        _block('{"output": {"a": [1, 2.5]'),
        _block('{"output": {"a": [1, 5/2]}}'),
        _block('{"output": {"a": [1, 2.5]}}') + _block('{"output": {"a": [9]}}'),
        '```json\n{"output": {"a": [1, 2.5]}}',
        '<think>```json\n{"output": {"a": [1, 2.5]}}\n```</think>',
        r'\boxed{"output": {"a": [1, 2.5]}',
        _block("__import__('os').system('true')"),
        _block('{"output": __import__("os").getcwd()}'),
        _block("[" * 100_000),
        _block('{"output": ' * 10_000),
        _block("9**9**9**9"),
    ],
)
def test_any_other_output_is_wrong(response: str) -> None:
    unclosed = response.endswith("[1, 2.5]}}") and response.count("```") == 1
    assert unclosed or not is_right(_SOURCE, response, '"output": {"a": [1, 2.5]}')


@pytest.mark.parametrize(
    ("given", "gold", "right"),
    [
        ("1", "1", True), ("1", "true", False), ("true", "1", False), ("true", "true", True), ("True", "true", True),
        ("false", "0", False), ("0", "false", False), ('"1"', "1", False), ("1", '"1"', False), ("null", "null", True),
        ("None", "null", True), ("0", "null", False), ("", "null", False), ('""', "null", False), ("null", "0", False),
        ("1000000000000000001", "1000000000000000000", False), ("1e18", "1000000000000000000", True),
        ("0.1", "0.1", True), ("0.10000001", "0.1", True), ("0.1001", "0.1", False), ("3.0", "3", True),
        ("-0.5", "-0.5", True), ("0.5", "-0.5", False), ("NaN", "NaN", True), ("NaN", "1", False),
        ("Infinity", "Infinity", True), ("-Infinity", "Infinity", False), ('"a b"', '"a b"', True),
        ('"A b"', '"a b"', False), ('"a\\nb"', '"a\\nb"', True), ('"\\u00e9"', '"é"', True), ("'é'", '"\\u00e9"', True),
        ('"\\ud83d\\ude00"', '"😀"', True), ("[]", "[]", True), ("{}", "[]", False), ("[[]]", "[]", False),
        ("{1: 2}", '{"1": 2}', True), ('{"a": 1, "b": 2}', '{"b": 2, "a": 1}', True), ("[1, [2, [3]]]",
        "[1, [2, [3]]]", True),
        ("(1, 2)", "[1, 2]", True), ("{1, 2}", "[1, 2]", False), ('"}"', '"}"', True), ('"it\'s"', '"it\'s"', True),
        ("12345678901234567890123", "12345678901234567890123", True), ("1.5e3", "1500.0", True), ("01", "1", True),
    ],
)  # fmt: skip
def test_values_are_compared_by_type_and_value(given: str, gold: str, right: bool) -> None:
    assert is_right(_SOURCE, _block(f'{{"output": {given}}}'), f'"output": {gold}') is right


@pytest.mark.parametrize(
    "response", ["", "none", _block(""), _block("{}"), "null", r"\boxed{}", _block('{"result": null}')]
)
def test_no_answer_is_not_null(response: str) -> None:
    assert not is_right(_SOURCE, response, '"output": null')


@pytest.mark.parametrize(
    ("response", "right"),
    [
        (_block('{"input": {"n": 5, "name": "x"}}'), True),
        (_block('{"n": 5, "name": "x"}'), True),
        (_block('"input": {"name": "x", "n": 5}'), True),
        (_block("{'input': {'n': 5, 'name': 'x'}}"), True),
        (r'\boxed{"input": {"n": 5, "name": "x"}}', True),
        (_block('{"input": {"n": 6, "name": "x"}}'), False),
        (_block('{"input": {"n": 5}}'), False),
        (_block('{"output": {"n": 5, "name": "x"}}'), False),
        (_block("5"), False),
    ],
)
def test_a_predicted_input_must_be_the_gold_one(response: str, right: bool) -> None:
    assert is_right(_SOURCE, response, '"input": {"n": 5, "name": "x"}') is right
    assert is_right(_SOURCE, response, '{"input": {"n": 5, "name": "x"}}') is right


def test_a_large_gold_can_be_answered_and_a_larger_answer_is_refused_at_once() -> None:
    gold = '"output": ' + json.dumps(list(range(30_000)))
    assert is_right(_SOURCE, _block("{" + gold + "}"), gold)
    start = time.process_time()
    assert not is_right(_SOURCE, _block('{"output": ' + "[1," * 500_000 + "}"), '"output": 1')
    assert not is_right(_SOURCE, '{"output": ' * 200_000, '"output": 1')
    assert not is_right(_SOURCE, "```json\n" * 200_000, '"output": 1')
    assert time.process_time() - start < 3


@pytest.mark.parametrize("gold", ["", "5", '{"result": 1}', '"output": ', '"output": [1', '"output": 1, "input": 2'])
def test_a_gold_that_is_neither_output_nor_input_is_a_data_error(gold: str) -> None:
    with pytest.raises(BadGroundTruth):
        check_gold(_SOURCE, gold)
