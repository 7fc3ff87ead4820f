"""An agent's evaluation as a run starts it: a model on CPU, its processes, and what they leave when they are killed."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sweeper.evaluation.acting import Acting
from sweeper.evaluation.measure import measure
from sweeper.host.machine import Device
from sweeper.host.process import Children
from sweeper.rows.counts import ProblemCount, read_counts, scores
from sweeper.rows.trajectories import LIMITS
from sweeper.spec.agent import Agent
from sweeper.spec.run import RunSpec
from tests.sweeper.agents import call, conversation, save_model
from tests.sweeper.points import spec

CALCULATOR = Agent(name="calculator", tools=("calculator",), max_turns=3)
ENV = {**os.environ, "OMP_NUM_THREADS": "1"}


def multiplies(text: str, rng: random.Random) -> str:
    asked = text.partition("<|user|>")[2].partition("=")[0]
    seen = text.partition("<|tool|>")[2].partition("<|assistant|>")[0]
    if seen:
        return rf"\boxed{{{seen}}}"
    return call(asked) if rng.random() < 0.8 else rf"\boxed{{{rng.randrange(4, 82)}}}"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = random.Random(0)
    asked = [f"{a}*{b}=?" for a in range(2, 10) for b in range(2, 10)]
    told = [conversation(one, multiplies, lambda text: str(eval(text)), rng) for one in asked * 8]
    return save_model(tmp_path_factory.mktemp("model"), told)


@pytest.fixture(scope="module")
def problems(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """16 products, in verl's columns."""
    import pyarrow
    from pyarrow import parquet

    rows = [
        {
            "data_source": "math__own",
            "prompt": [{"role": "user", "content": f"{a}*{b}=?"}],
            "ability": "math",
            "reward_model": {"style": "rule", "ground_truth": str(a * b)},
            "extra_info": {"problem_id": f"{a}-{b}", "domain": "math", "difficulty": 1.0, "index": 4 * a + b},
        }
        for a in range(2, 6)
        for b in range(5, 9)
    ]
    path = tmp_path_factory.mktemp("data") / "evaluation.parquet"
    parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    return path


def command(model: Path, data: Path, out: Path, *others: str, agent: Agent = CALCULATOR, n: int = 128) -> list[str]:
    file = out.with_suffix(".agent.json")
    file.write_text(Acting(agent=agent, format="hermes").to_json())
    said = {"model": model, "data": data, "out": out, "agent": file, "n": n, "max-tokens": 64, "seed": 3}
    return [sys.executable, "-m", "sweeper.evaluation.evaluate", *(f"--{k}={v}" for k, v in said.items()), *others]


def untimed(path: Path) -> list[dict[str, Any]]:
    """The counts without the seconds that tools took, which no two evaluations share."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        del line["trajectories"]["tool_cpu_s"]
    return lines


@pytest.fixture(scope="module")
def whole(model: Path, problems: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("whole") / "whole.jsonl"
    subprocess.run(command(model, problems, out), check=True, env=ENV)
    return out


def test_a_model_calls_its_tool_and_answers_from_what_it_says(whole: Path) -> None:
    counts = read_counts(whole)
    assert [one.n for one in counts] == [128] * 16
    [everything, _] = scores(counts, [1, 8, 128])
    assert everything.trajectories is not None
    assert everything.trajectories.used_a_tool > 128
    assert everything.trajectories.observed_tokens > 0
    assert 0 < sum(one.c for one in counts) < 128 * 16
    by_turns = [point.pass_at_k[0].value or 0.0 for point in everything.pass_at_turns]
    assert by_turns[0] < by_turns[-1] == everything.at(1)
    for one in counts:
        check(one)


def check(one: ProblemCount) -> None:
    """What holds of every problem's counts."""
    acted = one.trajectories
    assert acted is not None
    assert one.response_tokens == acted.generated_tokens + acted.observed_tokens <= 64 * one.n
    assert sum(one.outcomes.values()) == one.n == acted.n
    assert {str(end): one.outcomes.get(end, 0) for end in LIMITS} == {
        str(end): acted.ended.get(end, 0) for end in LIMITS
    }
    assert acted.correct_at_turns[-1] == one.c
    assert len(acted.correct_at_turns) == CALCULATOR.max_turns


@pytest.mark.nightly
def test_an_evaluation_by_several_processes_counts_what_one_counts_to_all_digits(
    whole: Path, model: Path, problems: Path, tmp_path: Path
) -> None:
    out = tmp_path / "shared.jsonl"
    subprocess.run(command(model, problems, out, "--shards=2"), check=True, env=ENV)
    assert untimed(out) == untimed(whole)
    samples = [path.with_suffix(".samples.jsonl").read_text() for path in (out, whole)]
    assert samples[0] == samples[1]


def test_an_evaluation_that_is_killed_and_goes_on_counts_as_one_in_one_go(
    whole: Path, model: Path, problems: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.jsonl"
    begun = command(model, problems, broken)
    kill_when_some_are_measured(begun)
    assert not broken.exists()
    again = subprocess.run(begun, check=True, capture_output=True, text=True, env=ENV)
    assert "goes on after 8 problems" in again.stderr
    assert untimed(broken) == untimed(whole)
    samples = [path.with_suffix(".samples.jsonl").read_text() for path in (broken, whole)]
    assert samples[0] == samples[1]


def kill_when_some_are_measured(begun: list[str]) -> None:
    """Half of the problems act at once, so a kill behind the first half is one in the middle."""
    killed = subprocess.Popen(begun, stderr=subprocess.PIPE, text=True, env=ENV)
    assert killed.stderr is not None
    told = next(line for line in killed.stderr if line.startswith("evaluated "))
    killed.kill()
    killed.wait()
    assert told.startswith("evaluated 8/16")


@pytest.mark.nightly
def test_what_was_measured_with_another_agent_is_begun_anew(model: Path, problems: Path, tmp_path: Path) -> None:
    out = tmp_path / "counts.jsonl"
    kill_when_some_are_measured(command(model, problems, out))
    other = Agent(name="calculator", tools=("calculator",), max_turns=2)
    begun = command(model, problems, out, agent=other, n=4)
    again = subprocess.run(begun, check=True, capture_output=True, text=True, env=ENV)
    assert "is of other settings" in again.stderr
    assert {len(one.trajectories.correct_at_turns) for one in read_counts(out) if one.trajectories} == {2}


def test_a_run_hands_its_agent_to_the_evaluation_and_keeps_its_transcripts(
    model: Path, problems: Path, tmp_path: Path
) -> None:
    run: RunSpec = spec(
        "agent=calculator",
        "agent.format=hermes",
        "agent.max_turns=2",
        "eval.n_samples=8",
        "eval.ks=[1,8]",
        "training.max_response_length=48",
    )
    out = tmp_path / "counts.jsonl"
    children = Children(device=Device.cpu, threads=1, log=tmp_path / "log")
    found = measure(run, children, tmp_path, model=model, data=problems, out=out, seed=0)
    assert {len(one.trajectories.correct_at_turns) for one in found.counts if one.trajectories} == {2}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["counts.jsonl", "counts.samples.jsonl", "log"]
    kept = [json.loads(line) for line in out.with_suffix(".samples.jsonl").read_text().splitlines()]
    turns = [said["turns"] for one in kept for said in one["verdicts"]]
    assert {turn["role"] for some in turns for turn in some} == {"assistant", "tool"}
    assert all(turn["trained"] == (turn["role"] == "assistant") for some in turns for turn in some)
    assert max(map(len, turns)) == 3
