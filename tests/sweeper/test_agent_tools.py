"""Tools: what they answer, what they may see, and how unknown ones are refused."""

import pytest

from sweeper.agent.tools.calculator import Calculator
from sweeper.agent.tools.registry import names, tool
from sweeper.agent.tools.tool import failed, public
from sweeper.host.errors import ConfigError
from sweeper.spec.agent import Agent, ToolLimits

AGENT = Agent(name="test", tools=("calculator",), max_turns=4)
LIMITS = ToolLimits()


def calculated(expression: object, agent: Agent = AGENT) -> tuple[str, bool]:
    seen = Calculator(agent).run({"expression": expression}, {}, {}, LIMITS)
    assert seen.cpu_s >= 0
    return seen.text, seen.ok


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("47*83", "3901"),
        ("3 - 10", "-7"),
        (" 5+-9 ", "-4"),
        ("999999999999*999999999999", str(999999999999**2)),
        ("007+1", "8"),
    ],
)
def test_the_calculator_does_one_operation_exactly(expression: str, result: str) -> None:
    assert calculated(expression) == (result, True)


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "1+2+3",
        "2**9",
        "1/2",
        "1000000000000+1",
        "a+b",
        "(1+2)",
        "1+2\n3",
        None,
        7,
        ["1+2"],
        {"a": 1},
        "\u0663+\u0664",
        "1+" * 10**6,
    ],
)
def test_what_is_no_single_operation_is_an_error_and_never_computed(expression: object) -> None:
    text, ok = calculated(expression)
    assert not ok
    assert text.startswith("error: expression must be a+b")


def test_without_feedback_an_error_says_only_that_it_is_one() -> None:
    quiet = Agent(name="test", tools=("calculator",), feedback=False)
    assert calculated("1+2+3", quiet) == ("error", False)
    assert failed("why", feedback=True).text == "error: why"


def test_arguments_that_are_missing_are_an_error() -> None:
    assert not Calculator(AGENT).run({}, {}, {}, LIMITS).ok


def test_a_tool_that_is_not_there_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ConfigError, match="no tool 'calculater'; did you mean calculator"):
        tool("calculater", AGENT)


@pytest.mark.parametrize("name", names())
def test_every_tool_describes_itself_as_a_function_with_typed_arguments(name: str) -> None:
    made = tool(name, AGENT)
    function = made.schema["function"]
    assert made.schema["type"] == "function"
    assert function["name"] == made.name == name
    assert function["description"].endswith(".")
    assert made.version
    for argument in function["parameters"]["properties"].values():
        assert argument["type"]
    assert set(function["parameters"]["required"]) <= set(function["parameters"]["properties"])


def test_a_tool_sees_neither_gold_nor_hidden_tests_nor_solution() -> None:
    row = {
        "data_source": "codegen__x",
        "raw_prompt": [{"role": "user", "content": "Write f."}],
        "reward_model": {"style": "rule", "ground_truth": "GOLD"},
        "solution": "GOLD",
        "extra_info": {
            "problem_id": "p1",
            "solution": "GOLD",
            "answer": "GOLD",
            "unheard_of": "GOLD",
            "rest": '{"public_tests": ["assert f(1) == 1"], "gold": "GOLD", "tests": "GOLD"}',
        },
    }
    seen = public(row)
    assert "GOLD" not in repr(seen)
    assert seen == {
        "data_source": "codegen__x",
        "prompt": [{"role": "user", "content": "Write f."}],
        "problem_id": "p1",
        "public_tests": ["assert f(1) == 1"],
    }


@pytest.mark.parametrize("rest", [None, "", "no JSON", "[1]", "[" * 10**5, 3])
def test_a_row_whose_rest_cannot_be_read_has_no_more_than_its_own_fields(rest: object) -> None:
    assert public({"data_source": "x", "extra_info": {"rest": rest}}) == {"data_source": "x"}
