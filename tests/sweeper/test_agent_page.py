"""docs/agent-tools.md: its files and commands work as they stand, and its list of agents is whole."""

import json
import re
import shlex
from pathlib import Path

import pytest

from sweeper.agent.environments.registry import environment
from sweeper.agent.tools.registry import tool
from sweeper.grid.expand import expand
from sweeper.grid.project import MARKER
from sweeper.inputs.agent import frozen
from sweeper.plan.plan import spec_from
from sweeper.spec.agent import Agent
from tests.sweeper.called import called

REPOSITORY = Path(__file__).parents[2]
PAGE = (REPOSITORY / "docs/agent-tools.md").read_text()
FILES = dict(re.findall(r"```\w+\n# (\S+)\n(.*?)```", PAGE, re.DOTALL))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of the user's own with the files of the page."""
    (tmp_path / MARKER).touch()
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def agent(*overrides: str) -> Agent:
    return spec_from(expand(("+grid=smoke", *overrides), multirun=True).points[0].config).agent


def test_every_agent_of_conf_is_in_the_list_and_no_other() -> None:
    listed = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)
    assert sorted(listed) == sorted(path.stem for path in (REPOSITORY / "conf/agent").glob("*.yaml"))


def test_the_tools_of_the_page_do_what_it_says(project: Path) -> None:
    mine = agent("agent=my_tools")
    files = frozen(mine, project / "results")
    convert, note = (tool(name, mine, files) for name in mine.tools)
    assert convert.run({"amount": 2, "to": "yen"}, {}, {}, mine.limits).text == "324.00"
    assert convert.schema["function"]["parameters"]["properties"]["to"]["description"] == "The currency."
    state: dict[str, object] = {}
    assert [note.run({"text": text}, state, {}, mine.limits).text for text in "ab"] == ["a", "a; b"]


def test_the_environment_of_the_page_does_what_it_says(project: Path) -> None:
    mine = agent("agent.environment=my_maze.py:Maze", "agent.max_turns=3")
    assert mine.environment == "my_maze.py:Maze"
    made = environment(mine.environment, mine, frozen(mine, project / "results"))
    won = 0
    for seed in range(8):
        episode = made(mine.limits)
        opening = episode.reset({}, seed)
        assert opening is not None
        assert opening.startswith("Three doors")
        steps = [episode.step("left")]
        while not steps[-1].done:
            steps.append(episode.step("left"))
        won += steps[-1].correct
    assert 0 < won < 8


def test_the_commands_of_the_page_plan_and_so_does_the_name_with_its_ending(project: Path) -> None:
    commands = re.findall(r"^    (sweeper plan .*)$", PAGE, re.MULTILINE)
    assert len(commands) == 2
    ids = []
    for command in (*commands, f"{commands[0]}.yaml"):
        program, *words = shlex.split(command)
        done = called(*words, "--json", program=program, folder=project)
        assert done.returncode == 0, done.stderr
        ids.append([run["run_id"] for run in json.loads(done.stdout)["data"]["runs"]])
    assert ids[0] == ids[2] != ids[1]
