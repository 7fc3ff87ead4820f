"""Tools: what they answer, what they may see, and how unknown ones are refused."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from sweeper.agent.tools.calculator import Calculator
from sweeper.agent.tools.registry import names, tool
from sweeper.agent.tools.search import Index, Search, corpus_digest
from sweeper.agent.tools.tool import Observation, failed, public
from sweeper.agent.tools.verifier import Verifier
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


CORPUS = [
    {"title": "king of Zok", "text": "Val"},
    {"title": "king of Val", "text": "Zok"},
    {"title": "Rivers", "text": "The Zok flows into the sea. The Zok is long."},
    {"title": "Same", "text": "twin"},
    {"title": "Same again", "text": "twin"},
    {"title": "", "text": "a text without a title"},
]


def searched(tmp_path: Path, query: object, corpus: list[dict[str, str]] = CORPUS) -> Observation:
    path = tmp_path / "corpus.jsonl"
    path.write_text("".join(f"{json.dumps(one)}\n" for one in corpus))
    return Search(replace(AGENT, corpus=str(path))).run({"query": query}, {}, {}, LIMITS)


def test_a_query_that_is_a_title_gives_that_document_alone(tmp_path: Path) -> None:
    assert searched(tmp_path, "King of  zok?").text == "king of Zok: Val"


def test_other_queries_give_the_best_three_and_of_equal_ones_the_earlier(tmp_path: Path) -> None:
    assert searched(tmp_path, "the long zok").text.splitlines()[0].startswith("Rivers: The Zok")
    twins = [{"title": f"t{number}", "text": "word"} for number in range(9)]
    assert searched(tmp_path, "word", twins).text == "t0: word\nt1: word\nt2: word"
    assert searched(tmp_path, "without").text == "a text without a title"
    assert searched(tmp_path, "nowhere").text == "nothing found"


def test_scores_are_those_of_bm25() -> None:
    index = Index([("", "a b b"), ("", "a"), ("", "c c c c")])
    idf, mean = math.log(1 + (3 - 1 + 0.5) / 1.5), 8 / 3
    expected = 2 * 2.2 / (2 + 1.2 * (0.25 + 0.75 * 3 / mean))
    (number, weight), *others = index._weights["b"]
    assert (number, others) == (0, [])
    assert weight * idf == pytest.approx(expected * idf)


@pytest.mark.parametrize("query", [None, "", "  ", 7, ["king"]])
def test_a_query_without_text_is_an_error(tmp_path: Path, query: object) -> None:
    assert not searched(tmp_path, query).ok


def test_a_query_of_any_length_is_answered(tmp_path: Path) -> None:
    assert searched(tmp_path, "zok " * 10**5).cpu_s < 1


def test_a_corpus_that_has_changed_since_the_plan_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "corpus.jsonl"
    path.write_text('{"title": "a", "text": "b"}\n')
    planned = replace(AGENT, corpus=str(path), versions={"corpus": "0" * 16})
    with pytest.raises(ConfigError, match="not the file that the run was planned with"):
        Search(planned)
    Search(replace(planned, versions={"corpus": corpus_digest(str(path))}))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "is empty"),
        ('{"title": "a", "text": "b"}\n{"title": "a"}\n', "line 2: each must be"),
        ("no JSON\n", "line 1: each must be"),
        ('{"title": 1, "text": "b"}\n', "line 1: each must be"),
        ("[1]\n", "line 1: each must be"),
        (None, "cannot be read: No such file"),
    ],
)
def test_a_corpus_that_is_none_is_refused_with_its_line(tmp_path: Path, content: str | None, why: str) -> None:
    path = tmp_path / "corpus.jsonl"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigError, match=why):
        corpus_digest(str(path))


def verified(answer: object, *, agent: Agent = AGENT, **extra: object) -> Observation:
    row = {
        "data_source": "codegen__x",
        "reward_model": {"ground_truth": "assert f(5) == 99"},
        "extra_info": {"solution": "def f(x): return 99", **extra},
    }
    return Verifier(agent).run({"answer": answer}, {}, row, ToolLimits(cpu_s=1.0, wall_s=3.0))


PUBLIC = {"public_tests": ["assert f(1) == 2"]}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("def f(x):\n    return x + 1", "passes the public tests"),
        ("Here:\n```python\ndef f(x):\n    return x + 1\n```", "passes the public tests"),
        ("def f(x):\n    return 99", "fails the public tests"),
        ("def f(x):\n    while True: pass", "ran past a limit in the public tests"),
        ("no program", "fails the public tests"),
    ],
)
def test_the_verifier_says_whether_a_program_passes_the_public_tests(answer: str, said: str) -> None:
    seen = verified(answer, **PUBLIC)
    assert (seen.text, seen.ok) == (said, True)


def test_without_feedback_the_verifier_says_pass_or_fail_alone() -> None:
    quiet = replace(AGENT, feedback=False)
    assert verified("def f(x):\n    while True: pass", agent=quiet, **PUBLIC).text == "fails the public tests"


def test_the_verifier_counts_the_seconds_of_the_sandbox() -> None:
    spin = "import time\nt = time.process_time()\nwhile time.process_time() - t < 0.4: pass\ndef f(x): return x + 1"
    assert 0.4 <= verified(spin, **PUBLIC).cpu_s < 0.8


def test_without_public_tests_the_verifier_looks_at_the_form_and_knows_nothing_of_the_gold() -> None:
    for answer in ("\\boxed{99}", "\\boxed{7}"):
        assert verified(answer).text == f"an answer is there: {answer[7:-1]}"
    assert verified("99").text.startswith("no answer is there")
    assert verified("```python\nx = 1\n```").text == "a program is there"


def test_what_the_verifier_says_does_not_depend_on_the_gold() -> None:
    agent, limits = AGENT, ToolLimits(cpu_s=1.0)
    answers = ("def f(x):\n    return x + 1", "def f(x):\n    return 99", "\\boxed{99}", "99")
    for extra in ({}, PUBLIC):
        said = [
            [
                Verifier(agent).run(
                    {"answer": answer}, {}, {"reward_model": gold, "extra_info": extra | hidden}, limits
                )
                for answer in answers
            ]
            for gold, hidden in (
                ({"ground_truth": "99"}, {"answer": "99"}),
                ({"ground_truth": "assert f(5) == 99"}, {"tests": "assert f(5) == 99"}),
                ({}, {}),
            )
        ]
        texts = [[(one.text, one.ok) for one in seen] for seen in said]
        assert texts[0] == texts[1] == texts[2]


def test_public_tests_that_cannot_be_read_are_an_error_in_words() -> None:
    assert not verified("def f(x): return 1", public_tests="not a test").ok
