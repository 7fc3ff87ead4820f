"""Rows that an environment cannot begin are told, with how many, when the data of a run are made."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from data_prep.files.prepared_folder import PreparedData
from data_prep.files.row import Message, Row, write_rows
from rewards import Domain
from sweeper.host.errors import ConfigError
from sweeper.inputs.agent import frozen
from sweeper.inputs.agent_rows import refuse_no_games, without_tests
from sweeper.spec.agent import Agent
from tests.sweeper.test_agent_own import planned

GAME = Agent(name="higher_lower", environment="higher_lower", max_turns=4)
OWN = """
class Doors:
    def reset(self, row, seed):
        self.goal = int(row["reward_model"]["ground_truth"])
    def step(self, text):
        return "", True, True
"""


def made(folder: Path, **golds: list[str]) -> PreparedData:
    paths: dict[str, Any] = {}
    for split in ("train", "val", "evaluation"):
        rows = [
            Row(
                data_source="math__x",
                prompt=(Message("user", f"{split} {number}"),),
                ability="math",
                style="rule",
                ground_truth=gold,
                problem_id=f"{split}-{number}",
                domain=Domain.MATH,
                difficulty=None,
                solution=None,
            )
            for number, gold in enumerate(golds.get(split, ["7"]))
        ]
        paths[split] = folder / f"{split}.parquet"
        write_rows(rows, paths[split], split)
    return PreparedData(manifest=folder / "manifest.json", digest="", **paths)


def test_every_row_of_a_game_of_numbers_is_looked_at(tmp_path: Path) -> None:
    refuse_no_games(GAME, made(tmp_path), None)
    data = made(tmp_path, val=["7", "blue", "8", "1/2"])
    with pytest.raises(ConfigError, match=r"cannot begin 2 of 4 rows of val\.parquet that were tried: .*'blue'"):
        refuse_no_games(GAME, data, None)
    refuse_no_games(Agent(name="calculator", tools=("calculator",), max_turns=2), data, None)


def test_an_environment_of_ones_own_that_cannot_begin_is_told_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "doors.py").write_text(OWN)
    agent = planned(environment=f"{tmp_path}/doors.py:Doors")
    files = frozen(agent, tmp_path / "results")
    refuse_no_games(agent, made(tmp_path), files)
    data = made(tmp_path, train=["blue"])
    with pytest.raises(
        ConfigError, match=r"doors\.py:Doors cannot begin 1 of 1 rows of train.* reset failed: ValueError"
    ):
        refuse_no_games(agent, data, files)


def test_programs_without_public_tests_are_counted_for_the_verifier(tmp_path: Path) -> None:
    data = made(tmp_path)
    code = Row(
        data_source="code__x",
        prompt=(Message("user", "Add."),),
        ability="code",
        style="rule",
        ground_truth="{}",
        problem_id="code-1",
        domain=Domain.CODE,
        difficulty=None,
        solution=None,
    )
    tested = replace(code, problem_id="code-2", rest=json.dumps({"public_tests": [{"input": "1", "output": "1"}]}))
    write_rows([code, tested, replace(code, problem_id="code-3")], data.train, "train")
    agent = Agent(name="verifier", tools=("verifier",), max_turns=2)
    assert without_tests(agent, data) == [
        "2 of 3 code rows of train.parquet have no public_tests: the tool verifier looks at the form of their answers "
        "alone"
    ]
    assert without_tests(replace(agent, tools=("python",)), data) == []
