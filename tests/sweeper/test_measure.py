import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from data_prep.materialise import materialise
from rewards import Outcome
from sweeper.evaluation.kept_blocks import Kept, Partial
from sweeper.evaluation.measure import measure, suite_digest
from sweeper.host.errors import RunFailedError
from sweeper.host.machine import Device
from sweeper.host.process import Children
from sweeper.inputs.data import data_spec
from sweeper.rows.counts import ProblemCount, read_counts, scores
from sweeper.spec.run import RunSpec
from tests.sweeper.points import spec


def count(domain: str, n: int, c: int) -> ProblemCount:
    return ProblemCount(
        problem_id=f"{domain}-{n}-{c}",
        data_source=f"synthetic_{domain}",
        domain=domain,
        n=n,
        c=c,
        outcomes={"correct": c, "wrong": n - c},
        prompt_tokens=10,
        response_tokens=5 * n,
    )


def children(log: Path) -> Children:
    return Children(device=Device.cpu, threads=1, log=log)


@pytest.fixture(scope="module")
def small() -> RunSpec:
    return spec(
        "eval.n_samples=4",
        "eval.ks=[1,4]",
        "eval.problems_per_domain=3",
        "eval.val_problems_per_domain=2",
        "data_scale=n64",
    )


@pytest.fixture(scope="module")
def problems(small: RunSpec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return materialise(data_spec(small), tmp_path_factory.mktemp("data")).evaluation


@pytest.fixture(scope="module")
def measured(small: RunSpec, problems: Path, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("counts") / "counts.jsonl"
    measure(small, children(out.with_name("log")), out.parent, model=tiny_model, data=problems, out=out, seed=0)
    return out


def test_scores_are_over_all_problems_and_for_each_domain() -> None:
    found = {
        score.domain: score for score in scores([count("math", 4, 2), count("math", 4, 0), count("code", 4, 4)], [1])
    }
    assert {domain: score.n_problems for domain, score in found.items()} == {"all": 3, "math": 2, "code": 1}
    assert found["math"].at(1) == 0.25
    assert found["code"].at(1) == 1.0
    assert found["all"].at(1) == pytest.approx(0.5)
    assert found["all"].outcomes == {"correct": 6, "wrong": 6}


def test_a_k_above_the_samples_of_any_problem_is_undefined() -> None:
    overall = scores([count("math", 8, 1), count("math", 4, 1)], [4, 8])[0]
    assert overall.at(4) is not None
    assert overall.at(8) is None
    assert overall.n_samples == 4


def test_every_problem_of_the_suite_is_measured_once(measured: Path, small: RunSpec) -> None:
    counts = read_counts(measured)
    assert len({item.problem_id for item in counts}) == len(counts)
    assert Counter(item.domain for item in counts) == dict.fromkeys(small.eval.domains, 3)


def test_the_outcomes_of_a_problem_are_a_partition_of_its_samples(measured: Path) -> None:
    known = {*map(str, Outcome), "truncated"}
    for item in read_counts(measured):
        assert item.n == 4
        assert sum(item.outcomes.values()) == item.n
        assert item.c == item.outcomes.get("correct", 0)
        assert set(item.outcomes) <= known


def test_no_response_is_longer_than_the_limit(measured: Path, small: RunSpec) -> None:
    for item in read_counts(measured):
        assert item.n <= item.response_tokens <= item.n * small.training.max_response_length


def test_a_finished_measurement_is_not_repeated(measured: Path, small: RunSpec, problems: Path, tmp_path: Path) -> None:
    before = measured.stat().st_mtime_ns
    nowhere = tmp_path / "no-model"
    again = measure(small, children(tmp_path / "log"), tmp_path, model=nowhere, data=problems, out=measured, seed=9)
    assert again.seconds == 0.0
    assert measured.stat().st_mtime_ns == before


def test_a_failed_measurement_raises_its_reason_and_leaves_no_counts(
    small: RunSpec, problems: Path, tmp_path: Path
) -> None:
    out = tmp_path / "counts.jsonl"
    with pytest.raises(RunFailedError, match="no-model"):
        measure(
            small, children(tmp_path / "log"), tmp_path, model=tmp_path / "no-model", data=problems, out=out, seed=0
        )
    assert not out.exists()


@pytest.fixture(scope="module")
def halves(tiny_model: Path, problems: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same problems, measured by two processes."""
    out = tmp_path_factory.mktemp("halves") / "counts.jsonl"
    command = [
        sys.executable,
        "-m",
        "sweeper.evaluation.evaluate",
        f"--model={tiny_model}",
        f"--data={problems}",
        f"--out={out}",
    ]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}  # as `measure` sets it for tiny models
    subprocess.run([*command, "--n=4", "--max-tokens=20", "--shards=2"], check=True, capture_output=True, env=env)
    return out


def test_two_processes_measure_the_same_problems_as_one(measured: Path, halves: Path) -> None:
    def problem(item: ProblemCount) -> tuple[str, int, int]:
        return item.problem_id, item.n, item.prompt_tokens

    assert sorted(map(problem, read_counts(halves))) == sorted(map(problem, read_counts(measured)))


def test_two_processes_leave_the_same_files_as_one(measured: Path, halves: Path) -> None:
    assert {path.name for path in halves.parent.iterdir()} == {path.name for path in measured.parent.iterdir()} - {
        "log"
    }


def test_two_processes_keep_samples_of_every_problem(measured: Path, halves: Path) -> None:
    kept = halves.with_suffix(".samples.jsonl").read_text().splitlines()
    assert {json.loads(line)["problem_id"] for line in kept} == {item.problem_id for item in read_counts(measured)}


def test_a_base_models_measurement_is_shared_by_runs_that_differ_only_in_training() -> None:
    def name(*overrides: str) -> str:
        return suite_digest(spec(*overrides), model_digest="m", data_digest="d")

    assert name() == name("seed=1", "algorithm=ppo", "training.actor_lr=1e-4")
    assert (
        len({name(), name("eval.n_samples=256"), name("eval.temperature=0.5"), name("training.max_response_length=16")})
        == 4
    )


def kept(text: str) -> Kept:
    return Kept(problem_id=text, completions=[text], correct=None)


def test_a_killed_evaluation_goes_on_after_its_last_whole_block(tmp_path: Path) -> None:
    path = tmp_path / "counts.partial"
    begun = Partial(path, {"n": 4})
    begun.add([count("math", 4, 1)], [kept("a")])
    begun.add([count("code", 4, 2)], [kept("b")])
    with path.open("a") as file:
        file.write('{"counts": [')  # killed while writing
    again = Partial(path, {"n": 4})
    assert [item.domain for item in again.counts] == ["math", "code"]
    again.add([count("stem", 4, 0)], [kept("c")])
    assert [item.completions for item in Partial(path, {"n": 4}).kept] == [["a"], ["b"], ["c"]]


def test_a_partial_evaluation_of_other_settings_is_not_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "counts.partial"
    Partial(path, {"n": 4}).add([count("math", 4, 1)], [kept("a")])
    assert Partial(path, {"n": 8}).counts == []


def test_an_evaluation_that_was_killed_and_repeated_counts_as_one_in_one_go(
    problems: Path, tiny_model: Path, tmp_path: Path
) -> None:
    def arguments(out: Path) -> list[str]:
        said = {"model": tiny_model, "data": problems, "out": out, "n": 512, "max-tokens": 8, "seed": 3}
        return [
            sys.executable,
            "-m",
            "sweeper.evaluation.evaluate",
            *(f"--{key}={value}" for key, value in said.items()),
        ]

    whole, broken = tmp_path / "whole.jsonl", tmp_path / "broken.jsonl"
    subprocess.run(arguments(whole), check=True, capture_output=True)
    killed = subprocess.Popen(arguments(broken), stderr=subprocess.PIPE, text=True)
    assert killed.stderr is not None
    next(line for line in killed.stderr if line.startswith("evaluated 8/12"))
    killed.kill()
    killed.wait()
    assert not broken.exists()
    assert len(broken.with_suffix(".partial").read_text().splitlines()) >= 2
    again = subprocess.run(arguments(broken), check=True, capture_output=True, text=True)
    assert "goes on after" in again.stderr
    assert broken.read_text() == whole.read_text()
    assert not broken.with_suffix(".partial").exists()
