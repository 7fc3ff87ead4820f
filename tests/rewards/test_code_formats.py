"""Finding the program in a response, and reading the tests in every encoding."""

import json
import time

import pytest

from rewards import BadGroundTruth, compute_score
from rewards.code.assertions import AssertionTests
from rewards.code.code_ground_truth import parse_ground_truth
from rewards.code.functional_tests import CallTests, ScriptTests
from rewards.code.solution import solution_of
from rewards.code.stdin_tests import StdinTests
from rewards.problem.extraction import code_blocks
from tests.rewards.code_cases import CASES, Case, Family


@pytest.mark.parametrize("case", [c for c in CASES if c.family is Family.FORMAT], ids=lambda case: str(case.name))
def test_the_program_in_a_response_is_found_as_labelled(case: Case) -> None:
    assert (compute_score(case.source, case.response, case.gold)["acc"] == 1.0) is case.right


@pytest.mark.parametrize(
    "response",
    [
        "```python\n" * 100_000,
        "```python\n'''\n" + "```\n" * 100_000,
        "~~~\n" * 100_000,
        "`" * 1_000_000,
        "```python x " * 50_000,
        "```python\ndef g(): return f()\n```\n" * 10_000,
    ],
)
def test_extraction_is_linear_in_the_response(response: str) -> None:
    start = time.process_time()
    solution_of(code_blocks(response), frozenset({"f"}))
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    "source",
    ["x = " + "(" * 60_000, "x = " + "-" * 60_000 + "1", "x = a" + ".a" * 30_000, "x = " + "1 + " * 16_000 + "1"],
)
def test_code_that_is_nested_too_deeply_to_parse_is_wrong(source: str) -> None:
    gold = json.dumps({"functional": "assert f(1) == 2"})
    assert compute_score("codegen__mbpp", f"```python\n{source}\n```", gold)["outcome"] == "wrong"


@pytest.mark.parametrize(
    "gold",
    [
        "",
        " ",
        "null",
        "[]",
        "{}",
        "7",
        "hello",
        "[1]",
        "[{}]",
        '{"functional": ""}',
        '{"functional": 3}',
        '{"functional": []}',
        '{"functional": "x ="}',
        '{"functional": "x=1"}',
        '{"functional": "def check(c):\\n    assert c(1)"}',
        '{"functional": "assert True"}',
        '{"functional": "f(1)"}',
        '{"functional": "def f(x):\\n    return 2\\nassert f(1) == 2"}',
        '{"functional": "assert 1 == 1"}',
        '{"inputs": [], "outputs": []}',
        '{"inputs": ["1"], "outputs": []}',
        '{"inputs": ["1"]}',
        '{"inputs": [null], "outputs": [null]}',
        '{"inputs": ["1", "2"], "outputs": ["", " "]}',
        '{"inputs": [[1]], "outputs": [1], "fn_name": "a b"}',
        '[{"type": "function_call", "input": [1], "output": 2}]',
        '[{"type": "stdin_stdout", "input": "1"}]',
        '"{\\"inputs\\": "',
    ],
)
def test_tests_that_cannot_be_read_or_test_nothing_are_a_data_error(gold: str) -> None:
    with pytest.raises(BadGroundTruth):
        parse_ground_truth(gold)


@pytest.mark.parametrize(
    ("gold", "kind"),
    [
        ({"functional": "assert f(1) == 2"}, AssertionTests),
        ({"functional": "assert f(f(1)) == 2"}, ScriptTests),
        ({"inputs": ["1"], "outputs": ["2"]}, StdinTests),
        ({"inputs": [[1]], "outputs": [2], "fn_name": "f"}, CallTests),
        ({"inputs": ["1"], "outputs": ["2"], "fn_name": ""}, StdinTests),
    ],
)
def test_the_kind_of_tests_is_told_from_the_encoding(gold: object, kind: type) -> None:
    assert isinstance(parse_ground_truth(json.dumps(gold)), kind)
    assert isinstance(parse_ground_truth(json.dumps(json.dumps(gold))), kind)


def test_no_expected_value_is_sent_to_the_programs_process() -> None:
    for gold in (
        {"functional": "assert f(1) == 7919\nassert f(2) != 7919"},
        {"functional": "EXPECTED = 7919\nfor x, y in [(1, 7919)]:\n    assert f(x) == y and f(2) != EXPECTED"},
        {"inputs": [[1]], "outputs": [7919], "fn_name": "f"},
        {"functional": "def ref(x):\n    return 7918 + x\ndef check(c):\n    assert c(1) == ref(1)\ncheck(f)"},
    ):
        sent = ""
        match parse_ground_truth(json.dumps(gold)):
            case AssertionTests(calls=calls, setup=setup):
                assert calls
                sent = "".join((*calls, setup))
            case CallTests() as tests:
                sent = "".join(tests.calls(in_class=False))
                assert sent
            case ScriptTests(setup=setup, source=source):
                assert "791" in source
                sent = setup
            case _:
                raise AssertionError
        assert "791" not in sent
