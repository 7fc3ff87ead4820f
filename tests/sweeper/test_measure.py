import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from data_prep.materialise import materialise
from rewards import Outcome
from rewards.sandbox import cores
from sweeper.evaluation import evaluate as evaluation
from sweeper.evaluation.measure import measure
from sweeper.host.errors import RunFailedError
from sweeper.host.machine import Device
from sweeper.host.process import Children
from sweeper.inputs.data import data_spec
from sweeper.rows.base_counts import suite_digest
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


def evaluate(model: Path, data: Path, out: Path, *others: str) -> list[str]:
    said = {"model": model, "data": data, "out": out}
    return [sys.executable, "-m", "sweeper.evaluation.evaluate", *(f"--{k}={v}" for k, v in said.items()), *others]


ENV = {**os.environ, "OMP_NUM_THREADS": "1"}  # as `measure` sets it for tiny models


@pytest.fixture(scope="module")
def shared(tiny_model: Path, small: RunSpec, problems: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same problems, measured by two processes."""
    out = tmp_path_factory.mktemp("shared") / "counts.jsonl"
    asked = ("--n=4", f"--max-tokens={small.training.max_response_length}", "--shards=2")
    subprocess.run(evaluate(tiny_model, problems, out, *asked), check=True, capture_output=True, env=ENV)
    return out


def test_several_processes_count_what_one_counts(measured: Path, shared: Path) -> None:
    assert shared.read_text() == measured.read_text()


def test_several_processes_leave_the_same_files_as_one(measured: Path, shared: Path) -> None:
    assert {path.name for path in shared.parent.iterdir()} == {path.name for path in measured.parent.iterdir()} - {
        "log"
    }


def test_samples_of_every_problem_are_kept_in_the_order_of_problems(measured: Path, shared: Path) -> None:
    kept = shared.with_suffix(".samples.jsonl").read_text()
    assert [json.loads(line)["problem_id"] for line in kept.splitlines()] == [
        item.problem_id for item in read_counts(measured)
    ]
    assert kept == measured.with_suffix(".samples.jsonl").read_text()


def test_a_base_models_measurement_is_shared_by_runs_that_differ_only_in_training() -> None:
    def name(*overrides: str) -> str:
        return suite_digest(spec(*overrides), model_digest="m", data_digest="d")

    assert name() == name("seed=1", "algorithm=ppo", "training.actor_lr=1e-4")
    assert (
        len({name(), name("eval.n_samples=256"), name("eval.temperature=0.5"), name("training.max_response_length=16")})
        == 4
    )


LONG = ("--n=512", "--max-tokens=8", "--seed=3")


@pytest.fixture(scope="module")
def whole(tiny_model: Path, problems: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An evaluation that takes long enough to be killed, in one go."""
    out = tmp_path_factory.mktemp("whole") / "whole.jsonl"
    subprocess.run(evaluate(tiny_model, problems, out, *LONG), check=True, capture_output=True, env=ENV)
    return out


@pytest.mark.parametrize(("shards", "kills"), [pytest.param(1, 1, marks=pytest.mark.nightly), (2, 2)])
def test_an_evaluation_that_is_killed_again_and_again_counts_as_one_in_one_go(
    whole: Path, problems: Path, tiny_model: Path, tmp_path: Path, shards: int, kills: int
) -> None:
    broken = tmp_path / "broken.jsonl"
    command = evaluate(tiny_model, problems, broken, *LONG, f"--shards={shards}")
    for _ in range(kills):
        killed = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=ENV)
        assert killed.stderr is not None
        told = next(line for line in killed.stderr if line.startswith("evaluated "))
        killed.kill()
        killed.wait()
        assert not broken.exists()
        assert not told.startswith("evaluated 12/12")
    again = subprocess.run(command, check=True, capture_output=True, text=True, env=ENV)
    assert "goes on after" in again.stderr
    assert broken.read_text() == whole.read_text()
    samples = [path.with_suffix(".samples.jsonl").read_text() for path in (broken, whole)]
    assert samples[0] == samples[1]
    assert sorted(path.name for path in tmp_path.glob("broken*")) == ["broken.jsonl", "broken.samples.jsonl"]


@pytest.mark.parametrize(
    ("cores_here", "engine", "shards", "at_once"), [(64, "vllm", 8, 48), (8, "vllm", 8, 1), (4, "hf_cpu", 1, 3)]
)
def test_all_processes_of_an_evaluation_share_the_cores_that_generation_leaves(
    problems: Path,
    tiny_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    cores_here: int,
    engine: str,
    shards: int,
    at_once: int,
) -> None:
    found = []

    def look(*_: object) -> None:
        folder = Path(os.environ[cores.FOLDER_VARIABLE])
        found.append((folder, len(list(folder.iterdir()))))
        raise RunFailedError("seen")

    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores_here)))
    monkeypatch.setattr(evaluation, "work", look)
    monkeypatch.setattr(evaluation, "_in_processes", look)
    monkeypatch.setenv(cores.FOLDER_VARIABLE, "")
    said = [f"--model={tiny_model}", f"--data={problems}", f"--out={tmp_path / 'counts.jsonl'}", "--max-tokens=8"]
    with pytest.raises(RunFailedError, match="seen"):
        evaluation.main(evaluation.parse([*said, f"--engine={engine}", f"--shards={shards}"]))
    [(folder, n)] = found
    assert n == at_once
    assert not folder.exists()
    assert not list(tmp_path.glob("*.deal"))


def test_every_process_with_vllm_has_gpus_and_caches_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2,3,GPU-a,GPU-b,6,7")
    said = ["--model=m", "--data=d", "--out=o", "--max-tokens=8", "--engine=vllm", "--tensor-parallel=2"]
    options = evaluation.parse(said)
    found = [evaluation.variables_of(options, worker, tmp_path) for worker in range(4)]
    assert [one["CUDA_VISIBLE_DEVICES"] for one in found] == ["0,1", "2,3", "GPU-a,GPU-b", "6,7"]
    for name in ("VLLM_CACHE_ROOT", "TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR", "FLASHINFER_WORKSPACE_BASE"):
        folders = {Path(one[name]) for one in found}
        assert len(folders) == 4
        assert all(tmp_path in folder.parents for folder in folders)


def test_an_evaluation_that_is_killed_leaves_no_temporary_file(
    small: RunSpec, problems: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    seen: list[int] = []

    def kill() -> None:
        seen.extend(path.name == "cores" for path in (tmp_path / "tmp").rglob("*"))
        for child in psutil.Process().children() if any(seen) else ():
            child.kill()

    watched = replace(children(tmp_path / "log"), on_tick=kill)
    with pytest.raises(RunFailedError):
        measure(small, watched, tmp_path, model=tiny_model, data=problems, out=tmp_path / "counts.jsonl", seed=0)
    assert any(seen)
    assert not list((tmp_path / "tmp").iterdir())
