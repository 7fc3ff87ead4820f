"""Pass rates measured by `python -m data_prep annotate`, with a model nobody trained."""

import json
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from pyarrow import parquet

from data_prep.choosing.annotations import read_pass_rates, read_solutions
from data_prep.materialise import materialise
from data_prep.spec import DataError, Order, file_digest
from sweeper.evaluation.annotation import Annotation, write_solutions
from sweeper.evaluation.kept_blocks import Kept
from sweeper.inputs.data import data_spec
from sweeper.inputs.models import prepare
from sweeper.rows.base_counts import base_counts_path
from sweeper.rows.counts import read_counts, samples_path
from sweeper.spec.run import RunSpec
from tests.sweeper.called import called
from tests.sweeper.conftest import SHAPE_OVERRIDES
from tests.sweeper.points import spec


def settings(model: Path) -> tuple[str, ...]:
    return ("model.source=hub", f"model.path={model}", "model.warm_start.steps=0", "data_scale=n64", *SHAPE_OVERRIDES)


def annotate(results: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "data_prep", "annotate", *arguments, f"results_dir={results}"]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("results")


@pytest.fixture(scope="module")
def run(tiny_model: Path) -> RunSpec:
    return spec(*settings(tiny_model))


@pytest.fixture(scope="module")
def file(results: Path, tiny_model: Path) -> Path:
    out = results / "rates.parquet"
    done = annotate(results, *settings(tiny_model), "--n", "4", f"--out={out}")
    assert done.returncode == 0, done.stderr
    assert "64 problems x 4 samples" in done.stdout
    return out


def test_every_training_problem_gets_the_rate_of_its_counts(
    file: Path, results: Path, run: RunSpec, tmp_path: Path
) -> None:
    data = materialise(data_spec(run), results / "data")
    model = prepare(run, results, log=tmp_path / "log")
    counts = read_counts(
        base_counts_path(
            results, run, model_digest=model.digest, data_digest=file_digest(data.train), n=4, screening=True
        )
    )
    rates = read_pass_rates((str(file),))["tiny-130k_pass_rate"]
    assert rates == {item.problem_id: item.c / 4 for item in counts}
    assert len(rates) == 64


def test_a_curriculum_can_go_by_the_measured_rates(file: Path, results: Path, run: RunSpec) -> None:
    planned = replace(
        data_spec(run), annotations=(str(file),), order=Order.easy_to_hard, order_by="tiny-130k_pass_rate"
    )
    data = materialise(planned, results / "data")
    rates = read_pass_rates((str(file),))["tiny-130k_pass_rate"]
    ordered = [rates[extra["problem_id"]] for extra in parquet.read_table(data.train)["extra_info"].to_pylist()]
    assert ordered == sorted(ordered, reverse=True)


def test_annotated_evaluation_problems_are_the_base_measurement_of_runs(results: Path, run: RunSpec) -> None:
    done = annotate(results, *settings(Path(run.model.path or "")), "--n", "8", "--split", "evaluation")
    assert done.returncode == 0, done.stderr
    data = materialise(data_spec(run), results / "data")
    model = prepare(run, results, log=results / "log")
    path = base_counts_path(results, run, model_digest=model.digest, data_digest=file_digest(data.evaluation), n=8)
    assert {item.n for item in read_counts(path)} == {8}
    assert "pass@8" in done.stdout


def test_only_correct_answers_become_solutions(tmp_path: Path) -> None:
    solved = Kept(problem_id="a", completions=["wrong", "right"], correct="right")
    unsolved = Kept(problem_id="b", completions=["wrong", "wrong"], correct=None)
    counts, out = tmp_path / "counts.jsonl", tmp_path / "solutions.jsonl"
    samples_path(counts).write_text("".join(json.dumps(asdict(kept)) + "\n" for kept in (solved, unsolved)))
    assert write_solutions(counts, out) == 1
    assert read_solutions(str(out)) == {"a": "right"}


def test_annotating_for_a_cluster_needs_its_commands(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(results))
    asked = ("cluster=slurm", "model_family=qwen2.5", "model=qwen2.5-0.5b", f"results_dir={results}")
    done = called(*asked, program="data_prep annotate")
    assert done.returncode == 2
    assert "submit from a login node" in done.stderr


def test_an_annotation_reads_back_as_it_was(run: RunSpec, tmp_path: Path) -> None:
    annotation = Annotation(spec=run, n=4, split="train", out=tmp_path / "rates.parquet")
    assert Annotation.from_json(annotation.to_json()) == annotation
    # Resources do not name a job: it is found again when they are changed.
    longer = replace(run, model=replace(run.model, resources=replace(run.model.resources, hours=99.0)))
    assert replace(annotation, spec=longer).name == annotation.name
    assert replace(annotation, n=8).name != annotation.name


def test_files_changed_after_planning_are_refused(file: Path, results: Path, run: RunSpec) -> None:
    from sweeper.inputs.data import prepared

    changed = replace(run, data=replace(run.data, annotations=(str(file),), annotation_digests=("0" * 64,)))
    with pytest.raises(DataError, match="not the file that the run was planned with"):
        prepared(changed, results, tokenizer=None)


def test_answers_of_an_agent_are_refused_as_solutions_to_learn_from(results: Path, tiny_model: Path) -> None:
    asked = (*settings(tiny_model), "agent=calculator", "agent.format=hermes", "data.tasks=agent")
    asked = (*asked, "domain_mix=math", "eval.domains=[math]")
    asked = (*asked, f"--solutions={results / 'solutions.jsonl'}", f"results_dir={results}")
    done = called(*asked, program="data_prep annotate")
    assert done.returncode == 2
    assert "teaches none of its calls" in done.stderr
    assert "leave --solutions out, or set agent=none" in done.stderr
