"""What a run's agent is known by, and which agents are refused before anything is queued."""

import json
from pathlib import Path

import pytest

from sweeper.grid.expand import expand
from sweeper.host.errors import ConfigError
from sweeper.inputs.data import prepared
from sweeper.plan.plan import spec_from
from sweeper.spec.agent import FOLDER
from sweeper.spec.run import RunSpec

TOOL = 'def roll(sides: int) -> str:\n    """Rolls a die."""\n    return "4"\n'


def spec(*overrides: str) -> RunSpec:
    """Not through a cache: files differ from call to call."""
    return spec_from(expand(overrides, multirun=False).points[0].config)


@pytest.mark.parametrize(
    ("name", "versions"),
    [
        ("none", {}),
        ("calculator", {"calculator": "1"}),
        ("python", {"python": "1"}),
        ("verifier", {"verifier": "2"}),
        ("higher_lower", {"higher_lower": "1"}),
    ],
)
def test_a_run_knows_the_versions_of_what_it_acts_with(name: str, versions: dict[str, str]) -> None:
    assert spec(f"agent={name}").agent.versions == versions


def test_the_facts_that_search_finds_are_part_of_a_run(tmp_path: Path) -> None:
    assert set(spec("agent=search").agent.versions) == {"search", "corpus"}
    path = tmp_path / "corpus.jsonl"
    ids = []
    for text in ("one", "two", "one"):
        path.write_text(json.dumps({"title": "t", "text": text}) + "\n")
        ids.append(spec("agent=search", f"agent.corpus={path}").run_id)
    assert ids[0] == ids[2] != ids[1]
    moved = path.rename(tmp_path / "moved.jsonl")
    assert spec("agent=search", f"agent.corpus={moved}").run_id == ids[0]


@pytest.mark.parametrize(
    ("overrides", "why"),
    [
        (("agent.tools=[calculater]",), "no tool 'calculater'; did you mean calculator"),
        (("agent.environment=higher_lowr",), "no environment 'higher_lowr'; did you mean higher_lower"),
        (("agent=calculator", "agent.environment=higher_lower"), "with tools or in an environment; set one to null"),
        (("agent=calculator", "+agent.versions={calculator: '1'}"), "agent.versions is filled in"),
        (("agent=calculator", "+agent.files={a: b}"), "agent.files is filled in"),
        (
            ("agent.max_turns=3",),
            "agent.max_turns=3 changes nothing, because agent.tools=.. and agent.environment=null",
        ),
        (("agent.limits.cpu_s=3.0",), "agent.limits.cpu_s=3.0 changes nothing"),
        (("agent=calculator", "agent.corpus=x.jsonl"), "x.jsonl changes nothing, because agent.tools=.calculator."),
        (("agent=search", "agent.corpus=nowhere.jsonl"), "nowhere.jsonl cannot be read: No such file"),
        (("agent=python", "agent.limits.cpu_s=1.5"), "the sandbox counts whole seconds"),
        (("agent.tools=[calculator,calculator]",), "two tools are called calculator"),
        (("agent.tools=['nowhere.py:roll']",), "nowhere.py: No such file"),
        (("agent.tools=['nowhere.py:']",), "is no FILE.py:NAME"),
    ],
)
def test_an_agent_that_cannot_be_is_refused(overrides: tuple[str, ...], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        spec(*overrides)


def test_two_tools_that_a_model_cannot_tell_apart_are_refused(tmp_path: Path) -> None:
    for name in ("a.py", "b/a.py", "b/c.py", "d.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(TOOL if name != "d.py" else TOOL.replace("roll", "python"))
    (tmp_path / "b/a.py").write_text(f"# another one\n{TOOL}")
    with pytest.raises(ConfigError, match=r"two files are called a\.py"):
        spec(f"agent.tools=['{tmp_path}/a.py:roll','{tmp_path}/b/a.py:roll']")
    with pytest.raises(ConfigError, match="two tools are called roll"):
        spec(f"agent.tools=['{tmp_path}/a.py:roll','{tmp_path}/b/c.py:roll']")
    with pytest.raises(ConfigError, match="two tools are called python"):
        spec(f"agent.tools=['{tmp_path}/d.py:python']")


def test_the_data_of_a_run_bring_the_copies_of_its_tools(tmp_path: Path) -> None:
    (tmp_path / "dice.py").write_text(TOOL)
    one = spec(f"agent.tools=['{tmp_path}/dice.py:roll']", "agent.max_turns=2", "data_scale.n_unique=16")
    prepared(one, tmp_path / "results", tokenizer=None)
    (digest,) = one.agent.files
    assert one.agent.versions == {"dice.py:roll": digest}
    assert (tmp_path / "results" / FOLDER / digest / "dice.py").read_text() == TOOL
