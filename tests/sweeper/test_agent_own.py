"""Tools and environments of the user's own: what is taken, how they fail, and how runs know them."""

import json
import logging
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from sweeper.agent.environments.environment import Environment
from sweeper.agent.environments.registry import environment
from sweeper.agent.tools.registry import tool
from sweeper.agent.tools.tool import Observation, Tool
from sweeper.host.errors import ConfigError
from sweeper.inputs.agent import frozen, with_versions
from sweeper.spec.agent import FOLDER, Agent, ToolLimits
from sweeper.spec.bounds import adapter

LIMITS = ToolLimits(wall_s=1.0, output_bytes=100)
TOOLS = '''
"""Tools for tests."""
import os, time, subprocess
from typing import Literal
from helper import double

def add(a: int, b: int = 1, how: Literal["plain", "loud"] = "plain", names: list[str] | None = None) -> str:
    """Adds two numbers.

    And more that no model is shown.

    Args:
        a: The first.
        b (int): The second,
            which may be left out.
    """
    return f"{a + b}{'!' if how == 'loud' else ''}{','.join(names or [])}"

def count(state: dict, row: dict) -> dict:
    """Counts its calls."""
    state["n"] = state.get("n", 0) + 1
    return {"n": state["n"], "row": row}

def fail(how: str) -> str:
    """Fails."""
    if how == "raise":
        raise ValueError("no such\\ncity")
    if how == "hang":
        time.sleep(60)
    if how == "spin":
        while True: pass
    if how == "exit":
        os._exit(3)
    if how == "child":
        subprocess.Popen(["sleep", "61"])
        time.sleep(60)
    if how == "long":
        return "z" * 1000
    if how == "odd":
        return object
    return str(double(21))
'''
GAME = """
import os, random, time

class Dice:
    def reset(self, row, seed):
        self.rng = random.Random(seed if row["extra_info"].get("steady", True) else os.urandom(8))
        self.goal = int(row["reward_model"]["ground_truth"])
        return f"reach {self.goal}"

    def step(self, text):
        if text == "hang":
            time.sleep(60)
        if text == "raise":
            raise KeyError("k")
        if text == "die":
            os._exit(1)
        if text == "odd":
            return "odd"
        thrown = self.rng.randint(1, 10**6)
        return f"{text}:{thrown}", text == "end", text == "end" and self.goal == 7
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "my_tools.py").write_text(TOOLS)
    (tmp_path / "helper.py").write_text("def double(x): return 2 * x\n")
    (tmp_path / "my_game.py").write_text(GAME)
    return tmp_path


def planned(**values: Any) -> Agent:
    plain = asdict(Agent(name="mine", max_turns=4, limits=LIMITS)) | values
    made: Agent = adapter(Agent).validate_python(with_versions(plain))
    return made


def tools(folder: Path, *functions: str) -> tuple[Agent, dict[str, Tool]]:
    agent = planned(tools=tuple(f"{folder}/my_tools.py:{function}" for function in functions))
    files = frozen(agent, folder / "results")
    return agent, {function: tool(f"my_tools.py:{function}", agent, files) for function in functions}


def called(made: Tool, state: dict[str, Any] | None = None, **arguments: Any) -> Observation:
    row = {"data_source": "x", "reward_model": {"ground_truth": "GOLD"}, "extra_info": {"tool_data": {"city": "Bo"}}}
    return made.run(arguments, {} if state is None else state, row, LIMITS)


def test_a_schema_is_that_of_signature_and_docstring(folder: Path) -> None:
    _, made = tools(folder, "add")
    assert made["add"].schema["function"] == {
        "name": "add",
        "description": "Adds two numbers.",
        "parameters": {
            "type": "object",
            "properties": {
                "a": {"type": "integer", "description": "The first."},
                "b": {"type": "integer", "description": "The second, which may be left out."},
                "how": {"type": "string", "enum": ["plain", "loud"]},
                "names": {"type": "array", "items": {"type": "string"}, "nullable": True},
            },
            "required": ["a"],
        },
    }


def test_a_tool_returns_text_and_what_is_wrong_with_arguments_is_said(folder: Path) -> None:
    _, made = tools(folder, "add")
    add = made["add"]
    assert called(add, a=1).text == "2"
    assert called(add, a=1, b=2, how="loud", names=["x", "y"]).text == "3!x,y"
    assert called(add, a=1, names=None).ok
    for arguments, why in (
        ({}, "argument a is missing"),
        ({"a": "1"}, "argument a must be of type integer"),
        ({"a": True}, "argument a must be of type integer"),
        ({"a": 1, "b": None}, "argument b must be of type integer"),
        ({"a": 1, "how": "mute"}, "argument how must be one of plain, loud"),
        ({"a": 1, "names": [1]}, "argument names must be of type string"),
        ({"a": 1, "c": 2}, "there is no argument 'c'; there is a, b, how, names"),
    ):
        seen = called(add, **arguments)
        assert (seen.text, seen.ok) == (f"error: {why}", False)


def test_state_lasts_as_long_as_the_trajectory_and_the_row_has_no_gold(folder: Path) -> None:
    _, made = tools(folder, "count")
    first, second = {}, {}
    texts = [called(made["count"], state).text for state in (first, first, second)]
    assert [json.loads(text)["n"] for text in texts] == [1, 2, 1]
    assert json.loads(texts[0])["row"] == {"data_source": "x", "tool_data": {"city": "Bo"}}
    made["count"].close(first)
    assert first == {}


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("raise", "error: ValueError: no such city (line 27)"),
        ("hang", "error: TimeoutError: stopped after 1 s"),
        ("spin", "error: TimeoutError: stopped after 1 s"),
        ("exit", "error: its process died: end of file"),
        ("child", "error: TimeoutError: stopped after 1 s"),
    ],
)
def test_a_tool_that_fails_ends_its_call_and_is_told_in_the_log(
    folder: Path, how: str, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    _, made = tools(folder, "fail")
    begun = time.monotonic()
    with caplog.at_level(logging.WARNING):
        seen = called(made["fail"], how=how)
    assert time.monotonic() - begun < 8
    assert (seen.text, seen.ok) == (said, False)
    assert "my_tools.py:fail failed for 1 of 1 calls" in caplog.text
    assert called(made["fail"], how="").text == "42"
    if how == "spin":
        assert 0.3 < seen.cpu_s < 1.5
    assert not [one for one in psutil.process_iter(["cmdline"]) if one.info["cmdline"] == ["sleep", "61"]]


def test_what_a_tool_returns_is_cut_and_told(folder: Path) -> None:
    _, made = tools(folder, "fail")
    assert called(made["fail"], how="long").text == "z" * 100 + "\n[900 more bytes]"


def test_without_feedback_a_failure_says_only_that_it_is_one(folder: Path) -> None:
    agent = planned(tools=(f"{folder}/my_tools.py:fail",), feedback=False)
    quiet = tool("my_tools.py:fail", agent, frozen(agent, folder / "results"))
    assert [called(quiet, how="raise").text, called(quiet).text] == ["error", "error"]


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ('def f(a):\n    """Adds."""', "argument a has no type"),
        ("def f(a: int): pass", "f has no docstring"),
        ('def f(a: bytes):\n    """Adds."""', "argument a is of type bytes, which is none of"),
        ('def f(*a: int):\n    """Adds."""', "cannot be given by name"),
        ('def g(a: int):\n    """Adds."""', "there is no f in it; there are: g"),
        ("f = 1", "a tool is a function"),
        ("import nowhere", "ModuleNotFoundError: No module named 'nowhere'"),
        ("def f(:", "not Python"),
        ("import os; os._exit(1)", "its code ended the process that loads it"),
    ],
)
def test_a_file_that_is_no_tool_is_refused_when_a_run_is_planned(tmp_path: Path, code: str, why: str) -> None:
    (tmp_path / "t.py").write_text(code)
    with pytest.raises(ConfigError, match=why):
        planned(tools=(f"{tmp_path}/t.py:f",))


def test_a_file_that_is_not_there_is_refused_with_the_nearest(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"my_tool\.py: No such file or directory; did you mean .*my_tools\.py"):
        planned(tools=(f"{folder}/my_tool.py:add",))


def test_a_run_knows_its_tool_by_content_and_not_by_where_it_lay(folder: Path, tmp_path_factory: Any) -> None:
    first = planned(tools=(f"{folder}/my_tools.py:add",))
    other = tmp_path_factory.mktemp("other")
    for name in ("my_tools.py", "helper.py"):
        (other / name).write_text((folder / name).read_text())
    second = planned(tools=(f"{other}/my_tools.py:add",))
    assert replace(second, files={}) == replace(first, files={})
    assert first.tools == ("my_tools.py:add",)
    (other / "helper.py").write_text("def double(x): return 3 * x\n")
    assert planned(tools=(f"{other}/my_tools.py:add",)).versions != first.versions


def test_what_runs_is_the_copy_that_was_planned(folder: Path) -> None:
    agent = planned(tools=(f"{folder}/my_tools.py:fail",))
    files = frozen(agent, folder / "results")
    assert files == folder / "results" / FOLDER
    (folder / "helper.py").write_text("def double(x): return 0\n")
    assert called(tool("my_tools.py:fail", agent, frozen(agent, folder / "results")), how="").text == "42"
    with pytest.raises(ConfigError, match="not the file that the run was planned with"):
        frozen(agent, folder / "elsewhere")
    with pytest.raises(ConfigError, match="its copy for this run is not at"):
        tool("my_tools.py:fail", agent, folder / "elsewhere")


ROW = {"reward_model": {"ground_truth": "7"}, "extra_info": {}, "index": object()}


def episode(folder: Path, row: dict[str, Any] = ROW, seed: int = 1) -> tuple[Environment, str | None]:
    agent = planned(environment=f"{folder}/my_game.py:Dice")
    made = environment("my_game.py:Dice", agent, frozen(agent, folder / "results"))(LIMITS)
    return made, made.reset(row, seed)


def test_an_episode_is_played_to_its_verdict(folder: Path) -> None:
    made, opening = episode(folder)
    assert opening == "reach 7"
    first, last = made.step("a"), made.step("end")
    assert (first.done, first.correct, first.ok) == (False, False, True)
    assert (last.done, last.correct) == (True, True)
    made.close()


def test_many_episodes_share_processes_and_each_is_its_own(folder: Path) -> None:
    alone = [one.observation for one in map(episode(folder, seed=3)[0].step, "abc")]
    together = [episode(folder, seed=seed)[0] for seed in range(6)]
    seen = [[made.step(text).observation for made in together] for text in "abc"]
    assert [row[3] for row in seen] == alone


def test_an_episode_goes_on_where_its_process_was_lost(folder: Path) -> None:
    made, _ = episode(folder)
    other, _ = episode(folder, seed=2)
    first = made.step("a").observation
    assert other.step("die").done
    steady, _ = episode(folder)
    assert steady.step("a").observation == first
    assert made.step("b").observation == steady.step("b").observation


def test_an_episode_that_does_not_draw_from_its_seed_ends_when_it_is_played_again(folder: Path) -> None:
    made, _ = episode(folder, ROW | {"extra_info": {"steady": False}})
    made.step("a")
    assert episode(folder)[0].step("die").done
    step = made.step("b")
    assert (step.done, step.correct, step.ok) == (True, False, False)
    assert "an episode must draw from its seed alone" in step.observation


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ("hang", "TimeoutError: stopped after 1 s"),
        ("raise", "KeyError: 'k'"),
        ("odd", "step returned 'odd'"),
        ("die", "its process died"),
    ],
)
def test_a_step_that_fails_ends_its_episode_without_success(folder: Path, action: str, said: str) -> None:
    step = episode(folder)[0].step(action)
    assert (step.done, step.correct, step.ok) == (True, False, False)
    assert said in step.observation


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("class E:\n    def reset(self, row, seed): pass", r"it needs a method step\(self, text\)"),
        ("class E:\n    def reset(self): pass\n    def step(self, text): pass", r"it needs a method reset\(self, row"),
        ("def E(): pass", "an environment is a class"),
    ],
)
def test_a_file_that_is_no_environment_is_refused_when_a_run_is_planned(tmp_path: Path, code: str, why: str) -> None:
    (tmp_path / "e.py").write_text(code)
    with pytest.raises(ConfigError, match=why):
        planned(environment=f"{tmp_path}/e.py:E")
