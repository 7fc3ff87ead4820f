"""Programs that read standard input: how their output is compared, and every usual way of reading it."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from rewards import Outcome, compute_score
from rewards.code.code_ground_truth import parse_ground_truth
from rewards.code.program import score_program
from rewards.code.source_rules import SourceRules
from rewards.code.stdin_tests import StdinTests, same_output
from rewards.sandbox.execution import cpu_spent
from rewards.sandbox.runs import Limits, run_program
from tests.rewards.code_cases import CASES, Case, Family

QUICK = SourceRules(limits=Limits(wall_s=1.0))


@pytest.mark.parametrize("case", [c for c in CASES if c.family is Family.STDIN], ids=lambda case: str(case.name))
def test_a_program_on_standard_input_is_judged_as_labelled(case: Case) -> None:
    assert (compute_score(case.source, case.response, case.gold)["acc"] == 1.0) is case.right


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("1\n", "1"),
        ("1 \n\n\n", "1\n"),
        ("\n1", "1"),
        ("a  b", "a b"),
        ("1\r\n2\r\n", "1\n2"),
        ("yes", "YES"),
        ("0.50000001", "0.5"),
        (".5", "0.5"),
        ("5e-1", "0.5"),
        ("123456789.123", "123456789.124"),
        ("1e3", "1000.0"),
        ("NaN", "nan"),
        ("-0.0", "0.0"),
        ("1.0", "1"),
        ("3.0 4.00", "3 4"),
        ("-0.0", "0"),
        ("2e0", "2"),
        ("2.0000001", "2"),
        ("1e18", "1000000000000000000"),
    ],
)
def test_outputs_that_mean_the_same_agree(printed: str, expected: str) -> None:
    assert same_output(printed, expected)


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("", "1"),
        ("1", ""),
        ("1\n1", "1"),
        ("1 1", "11"),
        ("2.1", "2"),
        ("2.00001", "2"),
        ("1000000000000000000", "1000000000000000001"),
        ("1000000000000000000.0", "1000000000000000001"),
        ("1e18", "1000000000000000001"),
        ("1e999999999", "1"),
        ("1", "01"),
        ("0.51", "0.5"),
        ("nan", "0.5"),
        ("inf", "1.5"),
        ("0.5x", "0.5"),
        ("0_5.0", "5.0"),
        ("\uff15.0", "5.0"),  # a full-width digit
        ("9" * 500, "1.5"),
        ("1e99999", "1e999999"),
        ("yes", "no"),
        ("true", "True"),
    ],
)
def test_outputs_that_differ_do_not_agree(printed: str, expected: str) -> None:
    assert not same_output(printed, expected)


def test_a_program_that_sleeps_is_ended_at_the_wall_limit() -> None:
    gold = json.dumps({"inputs": ["1"], "outputs": ["1"]})
    start = time.monotonic()
    verdict = score_program("```python\nimport time\ntime.sleep(99)\n```", gold, "", QUICK)
    assert verdict.outcome is Outcome.TIMEOUT
    assert time.monotonic() - start < 3


@pytest.mark.parametrize("work", ["time.sleep(1.2)", "while time.process_time() < 0.4: pass"])
def test_the_tests_of_a_row_together_have_a_limit_too(work: str) -> None:
    gold = json.dumps({"inputs": ["1"] * 60, "outputs": ["1"] * 60})
    response = f"```python\nimport time\n{work}\nprint(1)\n```"
    rules = SourceRules(limits=Limits(cpu_s=1, wall_s=2.0, series=1))
    assert score_program(response, gold, "", rules).outcome is Outcome.TIMEOUT


def test_each_test_has_the_whole_limit_and_all_run_side_by_side() -> None:
    numbers = [f"{number}\n" for number in range(9)]
    gold = json.dumps({"inputs": numbers, "outputs": numbers})
    response = "```python\nimport time\nn = input()\ntime.sleep(0.4)\nprint(n)\n```"
    assert score_program(response, gold, "", QUICK).outcome is Outcome.CORRECT  # 3.6 s of sleep, 1 s for each
    wrong = response.replace("print(n)", "print(9 if n == '5' else n)")
    assert score_program(wrong, gold, "", QUICK).outcome is Outcome.WRONG


def test_of_several_failing_tests_the_first_says_how_a_program_failed() -> None:
    numbers = [f"{number}\n" for number in range(6)]
    gold = json.dumps({"inputs": numbers, "outputs": numbers})
    late_then_wrong = "import time\nn = input()\nif n == '2': time.sleep(9)\nprint(0 if n == '3' else n)"
    assert score_program(f"```python\n{late_then_wrong}\n```", gold, "", QUICK).outcome is Outcome.TIMEOUT


def test_what_a_program_waits_for_a_free_sandbox_is_not_counted() -> None:
    gold = json.dumps({"inputs": ["1"] * 4, "outputs": ["1"] * 4})
    response = "```python\nimport time\ntime.sleep(0.2)\nprint(1)\n```"
    rules = SourceRules(limits=Limits(wall_s=0.5))
    with ThreadPoolExecutor(32) as executor:  # each waits for the others, longer than its limit
        verdicts = list(executor.map(lambda _: score_program(response, gold, "", rules), range(32)))
    assert {verdict.outcome for verdict in verdicts} == {Outcome.CORRECT}


def test_the_cpu_time_of_all_tests_is_the_askers_whichever_thread_ran_them() -> None:
    program = "import time\nwhile time.process_time() < 0.2: pass"
    begun = cpu_spent()
    runs = run_program(program, ["", "", "", ""], limits=Limits())
    # More where a sandbox process was started, which tries its walls first.
    assert cpu_spent() - begun >= 0.99 * sum(run.cpu_s for run in runs) > 0.7


def test_output_is_read_up_to_twice_the_expected_length_and_some() -> None:
    tests = parse_ground_truth(json.dumps({"inputs": ["", ""], "outputs": ["x" * 1_000_000, "é" * (64 << 20)]}))
    assert isinstance(tests, StdinTests)
    assert tests.output_limits() == [2_000_000 + (64 << 10), 16 << 20]


def test_every_test_is_run_and_one_failure_is_enough() -> None:
    gold = json.dumps({"inputs": ["1\n", "2\n", "3\n"], "outputs": ["1\n", "2\n", "3\n"]})
    right = "```python\nprint(input())\n```"
    for broken in ("1", "2", "3"):
        wrong = f"```python\nn = input()\nprint(0 if n == '{broken}' else n)\n```"
        assert compute_score("codegen__mbpp", wrong, gold)["outcome"] == "wrong"
    assert compute_score("codegen__mbpp", right, gold)["outcome"] == "correct"
