"""What agents did, in the table of results."""

import re
from dataclasses import replace

from sweeper.rows.agent_columns import NAMES as AGENT_NAMES
from sweeper.rows.row import ResultRow
from sweeper.rows.score import PassAtK, PassAtTurns
from sweeper.rows.table import query, records, text
from sweeper.rows.trajectories import Trajectories
from tests.sweeper.points import spec
from tests.sweeper.rows import row


def of_agent(name: str = "calculator") -> ResultRow:
    acted = Trajectories(
        n=64,
        turns=160,
        calls=96,
        errors=8,
        refused=0,
        used_a_tool=48,
        generated_tokens=1280,
        observed_tokens=640,
        prefilled_again_tokens=2000,
        tool_cpu_s=0.64,
        ended={"answered": 56, "turn_limit": 8},
        correct_at_turns=(0, 32),
    )
    at_turns = tuple(
        PassAtTurns(turns=turns, pass_at_k=(PassAtK(k=1, value=value), PassAtK(k=8, value=None)))
        for turns, value in ((1, 0.0), (2, 0.5))
    )
    plain = row(spec("seed=1"))
    score = replace(plain.trained[0], trajectories=acted, pass_at_turns=at_turns)
    return replace(plain, agent=name, trained=(score,))


def test_what_an_agent_did_is_in_columns_per_trajectory_and_by_turns() -> None:
    one, other = records([of_agent(), row(spec())])
    told = {"agent": "calculator", "turns": 2.5, "calls": 1.5, "errors": 0.125, "used_a_tool": 0.75}
    told |= {"generated_tokens": 20, "observed_tokens": 10, "ended_answered": 0.875, "ended_turn_limit": 0.125}
    told |= {
        "ended_call_limit": 0,
        "pass@1_1turns": 0.0,
        "pass@1_2turns": 0.5,
        "pass@8_2turns": None,
        "base_turns": None,
    }
    assert {name: one[name] for name in told} == told
    assert {other[name] for name in told} == {None}
    assert list(one) == list(other)


def test_rows_without_an_agent_have_no_columns_of_one_but_sql_knows_them() -> None:
    [found] = records([row(spec())])
    assert not {*AGENT_NAMES} & found.keys()
    printed = text([row(spec())]).splitlines()[0]
    assert "turns" not in printed
    assert "agent" not in printed
    assert query([row(spec())], "select agent, used_a_tool, base_calls from results")[1] == [(None, None, None)]


def test_the_printed_table_tells_agents_apart_and_what_they_did() -> None:
    lines = text([of_agent(), row(spec())]).splitlines()
    assert re.search(r" agent .* turns +calls +errors +used a tool +generated +observed +answered ", lines[0])
    assert re.search(r" calculator .* 2\.50 +1\.50 +0\.12 +0\.75 +20\.00 +10\.00 +0\.88 ", "\n".join(lines))
    assert any(re.search(r" none ", line) for line in lines)
    alone = text([of_agent()]).splitlines()[0]  # the same agent everywhere tells nothing apart
    assert "agent" not in alone
    assert "used a tool" in alone
