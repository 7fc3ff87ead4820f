"""Right programs in forms that a strict scorer loses: fences, names without import, values beyond plain types."""

import json

import pytest

from rewards import compute_score

ADD = "a, b = map(int, input().split())\nprint(a + b)"
SUM = json.dumps({"inputs": ["1 2\n"], "outputs": ["3\n"]})
LIST = "def f(x: List[int]) -> Optional[int]: return x[0]"
FIRST = json.dumps({"fn_name": "f", "inputs": [[[1]]], "outputs": [1]})


def _outcome(response: str, gold: str, source: str = "codegen__livecodebench") -> object:
    return compute_score(source, response, gold)["outcome"]


@pytest.mark.parametrize("tag", ["python3.11", "Python", "pypy3", "text", "code", "plaintext", ""])
def test_a_program_may_stand_behind_any_fence(tag: str) -> None:
    assert _outcome(f"```{tag}\n{ADD}\n```", SUM) == "correct"
    assert _outcome(f"```python\n{ADD}\n```\n```{tag or 'text'}\nprint(4)\n```", SUM) == "correct"


def test_a_synthetic_task_wants_pythons_fence() -> None:
    gold = json.dumps({"functional": "assert f(1)==2"})
    answers = [f"```{tag}\ndef f(x):return x+1\n```" for tag in ("python", "text")]
    assert [_outcome(one, gold, "codegen__synthetic") for one in answers] == ["correct", "no_answer"]


def test_an_end_of_thinking_in_a_program_is_its_text_and_a_draft_in_the_thinking_is_none() -> None:
    program = f"```python\ns = '</think>'\n{ADD}\n```"
    assert _outcome(program, SUM) == "correct"
    assert _outcome(f"<think>{program}</think>\nThat is all.", SUM) == "no_answer"
    assert _outcome(f"<think>{program}</think>\n```python\nprint(4)\n```", SUM) == "wrong"


def test_an_example_of_use_that_reads_nothing_is_not_the_program() -> None:
    assert _outcome(f"```python\n{ADD}\n```\nUsage:\n```python\nprint('hello')\n```", SUM) == "correct"


def test_a_program_of_over_64_kb_is_too_long_and_not_wrong() -> None:
    assert _outcome(f"```python\n#{'x' * (1 << 16)}\n{ADD}\n```", SUM) == "too_long"


@pytest.mark.parametrize(
    ("source", "outcome"),
    [("codegen__taco", "correct"), ("codegen__livecodebench", "correct"), ("codegen__mbpp", "wrong")],
)
def test_names_of_typing_are_there_for_sources_that_presume_them(source: str, outcome: str) -> None:
    assert _outcome(f"```python\n{LIST}\n```", FIRST, source) == outcome


def test_a_presumed_name_is_no_answer_by_itself() -> None:
    gold = json.dumps({"fn_name": "gcd", "inputs": [[4, 6]], "outputs": [2]})
    assert _outcome("```python\nx = gcd(4, 6)\n```", gold) == "wrong"
    assert _outcome("```python\ndef f(a, b): return gcd(a, b)\n```", gold.replace('"gcd"', '"f"')) == "correct"


@pytest.mark.parametrize(
    ("code", "test"),
    [
        ("from fractions import Fraction\ndef f(x): return Fraction(x, 3)", "f(1) == Fraction(1, 3)"),
        ("from datetime import date\ndef f(x): return date(2024, 1, x)", "f(1) == date(2024, 1, 1)"),
        ("from datetime import *\ndef f(x): return timedelta(days=x)", "f(1) == timedelta(1)"),
        ("from collections import deque\ndef f(x): return deque([x])", "f(1) == deque([1])"),
        ("from collections import namedtuple\nP = namedtuple('P', 'x y')\ndef f(x): return P(x, 2)", "f(1) == (1, 2)"),
        (
            "from collections import namedtuple\nP = namedtuple('P', 'x y')\ndef f(x): return P(x, 2)",
            "f(1).x == 1 and f(1) == (1, 2)",
        ),
        ("from enum import IntEnum\nclass E(IntEnum):\n    A = 1\n    B = 2\ndef f(x): return E(x)", "f(1) == 1"),
        ("def f(x): return range(x)", "f(1) == range(1)"),
    ],
)
def test_a_value_equals_the_expected_one_as_in_python(code: str, test: str) -> None:
    gold = json.dumps([f"assert {test}"])
    assert _outcome(f"```python\n{code}\n```", gold, "codegen__mbpp") == "correct"
    assert _outcome(f"```python\n{code.replace('return', 'x += 1; return')}\n```", gold, "codegen__mbpp") == "wrong"


def test_what_a_class_of_the_programs_own_claims_of_its_equality_counts_for_nothing() -> None:
    code = (
        "class T(tuple):\n    def __eq__(self, other): return True\n    __hash__ = tuple.__hash__\ndef f(x): return T()"
    )
    assert _outcome(f"```python\n{code}\n```", json.dumps(["assert f(1) == (1, 2)"]), "codegen__mbpp") == "wrong"


@pytest.mark.parametrize("judge", ["startswith", "isdigit"])
def test_a_named_tuple_does_not_pose_as_a_text_that_judges_itself(judge: str) -> None:
    code = f"from collections import namedtuple\nP = namedtuple('P', '{judge}')\ndef f(x): return P(lambda *_: True)"
    tests = f"def test_f():\n    assert f(1).{judge}({'1' if judge == 'startswith' else ''})\n"
    assert _outcome(f"```python\n{code}\n```", json.dumps({"pytest": tests}), "codegen__mbpp") == "wrong"


@pytest.mark.parametrize(
    "code",
    [
        "import sys\nsys.stdin = open('/dev/stdin')\n" + ADD,
        "a, b = map(int, open('/dev/stdin').read().split())\nprint(a + b)",
        "import asyncio\nasync def main():\n    await asyncio.sleep(0.01)\n    a, b = map(int, input().split())\n"
        "    print(await asyncio.to_thread(lambda: a + b))\nasyncio.run(main())",
    ],
)
def test_usual_ways_to_read_and_to_wait_work(code: str) -> None:
    assert _outcome(f"```python\n{code}\n```", SUM) == "correct"


def test_blanks_at_the_beginning_of_a_line_do_not_count_as_for_the_references() -> None:
    gold = json.dumps({"inputs": ["2\n"], "outputs": [" *\n **\n"]})
    assert _outcome("```python\nprint('*')\nprint('**')\n```", gold) == "correct"
