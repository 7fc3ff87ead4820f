"""CRUXEval: outputs and inputs of a given function."""

import json
import threading
import time

import pytest

from rewards import BadGroundTruth, check_gold
from tests.rewards.labelled import is_right

_CODE = "def f(text, n):\n    # repeats\n    return [text * n, len(text)]"
_GOLD = json.dumps({"functional": _CODE})
_O = {
    "reference": "['abab', 2]",
    "original_prompt": f"Complete it.\n\n```python\n{_CODE}\nassert f('ab', 2) == ??\n```\n",
    "dataset": "cruxeval-o",
}
_I = {
    "reference": "['abab', 2]",
    "original_prompt": f"Find any input.\n\n```python\n{_CODE}\nassert f(??) == ['abab', 2]\n```\n",
}


def _python(text: str) -> str:
    return f"Step by step.\n```python\n{text}\n```"


_RIGHT_OUTPUTS = [
    _python("assert f('ab', 2) == ['abab', 2]"),
    _python('assert f("ab", 2) == ["abab", 2]'),
    _python("assert f('ab', 2)==['abab',2]"),
    _python("assert f('ab', 2) == [\n    'abab',\n    2,\n]"),
    _python("assert ['abab', 2] == f('ab', 2)"),
    _python("assert (f('ab', 2) == ['abab', 2])"),
    _python("assert f('ab', 2) == (['abab', 2])"),
    _python("assert f('ab', 2) == ['abab', 2]  # done"),
    _python("assert f('ab', 2) == ['abab', 2], 'message'"),
    _python("assert f('ab', 2) == ['abab', 2];"),
    _python("# the answer\nassert f('ab', 2) == ['abab', 2]"),
    _python("f('ab', 2) == ['abab', 2]"),
    _python("['abab', 2]"),
    _python(f"{_CODE}\nassert f('ab', 2) == ['abab', 2]"),
    _python(f"{_CODE}\n\n\nassert f('ab', 2) == ['abab', 2]"),
    "```\nassert f('ab', 2) == ['abab', 2]\n```",
    "```py\nassert f('ab', 2) == ['abab', 2]\n```",
    "assert f('ab', 2) == ['abab', 2]",
    "So:\nassert f('ab', 2) == ['abab', 2]",
    "[ANSWER]assert f('ab', 2) == ['abab', 2][/ANSWER]",
    _python("assert f('x', 1) == ['x', 1]") + _python("assert f('ab', 2) == ['abab', 2]"),
    "<think>" + _python("pass") + "</think>" + _python("assert f('ab', 2) == ['abab', 2]"),
    "['abab', 2]",
    r"\boxed{['abab', 2]}",
]
_WRONG_OUTPUTS = [
    "",
    "I do not know",
    _python(""),
    _python("pass"),
    _python("..."),
    _python("assert True"),
    _python("assert 1"),
    _python("assert 1 == 1"),
    _python("assert f('ab', 2)"),
    _python("assert f('ab', 2) == f('ab', 2)"),
    _python("assert f('ab', 2) != ['x']"),
    _python("assert f('ab', 2) is not None"),
    _python("assert f('ab', 2) == ['abab', 3]"),
    _python("assert f('ab', 2) == ('abab', 2)"),
    _python("assert f('ab', 2) == ['ab' * 2, 2]"),
    _python("assert f('ab', 2) == ['abab', 1 + 1]"),
    _python("assert f('ab', 2) == ['abab', len('ab')]"),
    _python("assert f('x', 1) == ['x', 1]"),
    _python("assert f('ab', 3) == ['ababab', 2]"),
    _python("assert f('abab', 1) == ['abab', 2]"),
    _python("assert f('ab', 2) == ['abab', 2] or True"),
    _python("assert f('ab', 2) == ['abab', 3] or True"),
    _python("assert f('ab', 2) == ['x'] if False else True"),
    _python("assert not f('ab', 2) == ['x']"),
    _python("def f(*a):\n    return 1\nassert f('ab', 2) == 1"),
    _python("f = lambda *a: 1\nassert f('ab', 2) == 1"),
    _python("def f(*a):\n    return ['abab', 2]\nassert f('ab', 2) == ['abab', 2]"),
    _python("assert f('ab', 2) == ['x']\nassert f('ab', 2) == ['abab', 2]"),
    _python("assert f('ab', 2) == ['abab', 2]\nassert f('ab', 2) == ['x']"),
    _python("import os; os.system('true')"),
    _python("__import__('os').system('true')"),
    _python("exit(0)"),
    _python("raise SystemExit"),
    _python("try:\n    assert f('ab', 2) == 1\nexcept AssertionError:\n    pass"),
    _python("assert f('ab', 2) == ??"),
    _python("9**9**9**9"),
    _python("assert f('ab', 2) == " + "[" * 50_000),
    _python("assert f('ab', 2) == " + "-" * 50_000 + "1"),
    _python("x" * 1_000_000),
    "```python\nassert f('ab', 2) == ['abab', 2]",
    "<think>" + _python("assert f('ab', 2) == ['abab', 2]") + "</think>",
]


@pytest.mark.parametrize("response", _RIGHT_OUTPUTS)
def test_the_output_is_right_in_any_usual_form(response: str) -> None:
    assert is_right("simulation__cruxeval-o", response, _GOLD, _O)


@pytest.mark.parametrize("response", _WRONG_OUTPUTS)
def test_whatever_does_not_claim_the_output_is_wrong(response: str) -> None:
    assert not is_right("simulation__cruxeval-o", response, _GOLD, _O)


@pytest.mark.parametrize(
    "extra", [{"reference": "['abab', 2]"}, {"input": "'ab', 2"}, {"original_prompt": _O["original_prompt"]}]
)
def test_one_side_of_the_assertion_in_the_row_is_enough(extra: dict[str, object]) -> None:
    assert is_right("simulation__cruxeval-o", _python("assert f('ab', 2) == ['abab', 2]"), _GOLD, extra)
    assert not is_right("simulation__cruxeval-o", _python("assert f('ab', 2) == ['abab', 1]"), _GOLD, extra)
    assert not is_right("simulation__cruxeval-o", _python("assert f('x', 1) == ['x', 1]"), _GOLD, extra)


def test_the_row_survives_data_preparation_which_keeps_other_fields_as_json() -> None:
    extra = {"rest": json.dumps(_O)}
    assert is_right("simulation__cruxeval-o", _python("assert f('ab', 2) == ['abab', 2]"), _GOLD, extra)
    assert not is_right("simulation__cruxeval-o", _python("assert f('x', 1) == ['x', 1]"), _GOLD, extra)


@pytest.mark.parametrize(
    "response",
    [
        _python("assert f('ab', 2) == ['abab', 2]"),
        _python("assert f(text='ab', n=2) == ['abab', 2]"),
        _python("assert f('ab', n=2) == ['abab', 2]"),
        _python("assert ['abab', 2] == f('ab', 2)"),
        _python("f('ab', 2)"),
        _python("'ab', 2"),
        _python(f"{_CODE}\nassert f('ab', 2) == ['abab', 2]"),
        "```\nassert f('ab', 2) == ['abab', 2]\n```",
        "assert f('ab', 2) == ['abab', 2]",
    ],
)
def test_any_input_that_gives_the_output_is_right(response: str) -> None:
    assert is_right("simulation__cruxeval-i", response, _GOLD, _I)


def test_an_input_other_than_the_data_sets_own_is_right_if_the_function_agrees() -> None:
    gold = json.dumps({"functional": "def f(n):\n    return n % 5"})
    for n in (3, 8, -2, 1003):
        assert is_right("simulation__cruxeval-i", _python(f"assert f({n}) == 3"), gold, {"reference": "3"})
    for n in (4, 0, "'3'", 3.5):
        assert not is_right("simulation__cruxeval-i", _python(f"assert f({n}) == 3"), gold, {"reference": "3"})


@pytest.mark.parametrize(
    "response",
    [
        "",
        _python(""),
        _python("pass"),
        _python("assert True"),
        _python("assert f('x', 1) == ['x', 1]"),
        _python("assert f('x', 1) == ['abab', 2]"),
        _python("assert f('ab', 1 + 1) == ['abab', 2]"),
        _python("assert f('a' + 'b', 2) == ['abab', 2]"),
        _python("assert f('ab', 2) != ['x']"),
        _python("assert f('ab', 2) == f('ab', 2)"),
        _python("assert f('ab', 2) == ['x', 2]"),
        _python("def f(*a):\n    return ['abab', 2]\nassert f(1) == ['abab', 2]"),
        _python("class X:\n    __eq__ = lambda s, o: True\nassert f(X(), 2) == ['abab', 2]"),
        _python("assert f(__import__('os').getcwd(), 2) == ['abab', 2]"),
        _python("assert f('ab', 2) == ['abab', 2] or True"),
        _python("assert f(*['ab', 2]) == ['abab', 2]"),
        _python("assert f(??) == ['abab', 2]"),
        _python("assert f() == ['abab', 2]"),
        _python("['abab', 2]"),
        _python("assert f('ab', 2, n=2) == ['abab', 2]"),
    ],
)
def test_whatever_is_no_literal_input_with_that_output_is_wrong(response: str) -> None:
    assert not is_right("simulation__cruxeval-i", response, _GOLD, _I)


@pytest.mark.parametrize(
    ("code", "call", "value", "right"),
    [
        ("def f(x):\n    return x is None", "None", "True", True),
        ("def f(x):\n    return 1", "0", "True", False),
        ("def f(x):\n    return True", "0", "True", True),
        ("def f(x):\n    return None", "0", "None", True),
        ("def f(x):\n    return {1: 'a'}", "0", "{1: 'a'}", True),
        ("def f(x):\n    return {1: 'a'}", "0", "{'1': 'a'}", False),
        ("def f(x):\n    return set(x)", "[1, 1]", "{1}", True),
        ("def f(x):\n    return set()", "0", "set()", True),
        ("def f(x):\n    return x[::-1]", "'a\\nb'", "'b\\na'", True),
        ("def f(x):\n    return x / 3", "1", "0.3333333333333333", True),
        ("def f(x):\n    return (x,)", "1", "(1,)", True),
        ("def f(x):\n    return (x,)", "1", "(1)", False),
        ("def f(x):\n    return b'x'", "0", "b'x'", True),
        ("import re\ndef f(x):\n    return re.sub('a', 'b', x)", "'aa'", "'bb'", True),
        ("def g(x):\n    return x\ndef f(x):\n    return g(x)", "1", "1", True),
        ("def f(x):\n    while True:\n        pass", "1", "1", False),
        ("def f(x):\n    raise ValueError", "1", "None", False),
    ],
)
def test_values_of_every_plain_type_are_compared_with_what_the_function_returns(
    code: str, call: str, value: str, right: bool
) -> None:
    gold = json.dumps({"functional": code})
    response = _python(f"assert f({call}) == {value}")
    assert is_right("simulation__cruxeval-o", response, gold, {"input": call}) is right
    assert is_right("simulation__cruxeval-i", response, gold, {"reference": value}) is right


def test_claims_are_scored_alike_from_threads() -> None:
    results: list[bool] = []

    def score(index: int) -> None:
        wanted = "['abab', 2]" if index % 2 else "['abab', 3]"
        response = _python(f"assert f('ab', 2) == {wanted}  # {index}")
        results.append(is_right("simulation__cruxeval-o", response, _GOLD, {"input": "'ab', 2"}) is (index % 2 == 1))

    threads = [threading.Thread(target=score, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 8


def test_a_megabyte_of_anything_takes_no_time() -> None:
    start = time.process_time()
    for text in ("(" * 1_000_000, "assert f(" * 100_000, "'" * 1_000_001, "```python\n" * 100_000):
        assert not is_right("simulation__cruxeval-o", text, _GOLD, _O)
        assert not is_right("simulation__cruxeval-o", _python(text), _GOLD, _O)
    assert time.process_time() - start < 3


@pytest.mark.parametrize("gold", ["", "[]", "{}", '{"functional": "x = 1"}', '{"functional": 5}'])
def test_a_gold_without_a_function_is_a_data_error(gold: str) -> None:
    with pytest.raises(BadGroundTruth):
        check_gold("simulation__cruxeval-o", gold)
