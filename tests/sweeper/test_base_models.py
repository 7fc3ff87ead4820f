"""Runs that start from one base model: none holds GPUs while another measures it."""

import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import pytest

from data_prep.files.lock import HeldError, locked
from data_prep.materialise import materialise
from data_prep.spec import file_digest
from sweeper.evaluation.measure import measure_base
from sweeper.host.machine import Device
from sweeper.host.process import Children
from sweeper.inputs.data import data_spec
from sweeper.inputs.models import PreparedModel
from sweeper.job import phases as job_phases
from sweeper.job.phases import Measured, phases
from sweeper.job.run import begin
from sweeper.rows.base_counts import base_counts_path
from sweeper.rows.row import base_problems_path
from sweeper.runs.folder import RunDir
from sweeper.training.train import Trained
from tests.sweeper.points import spec
from tests.sweeper.test_measure import count

RUN = spec("cluster.device=cpu", "data_scale=n64", "eval.problems_per_domain=1", "eval.val_problems_per_domain=1")
BASE, TRAINED = PreparedModel(path=Path("base"), digest="base"), Path("trained")
COUNTS = json.dumps(asdict(count("math", 4, 1))) + "\n"


class OneOfTwo:
    """A run beside another of its base model, with everything real but the models, which are only names."""

    def __init__(self, results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.did: list[str] = []
        self.results, self.other = results, ExitStack()
        data = materialise(data_spec(RUN), results / "data")
        problems = file_digest(data.evaluation)
        self.base_counts = base_counts_path(results, RUN, model_digest=BASE.digest, data_digest=problems)
        monkeypatch.setattr(job_phases, "prepared", lambda *_, **__: data)
        monkeypatch.setattr(job_phases, "prepare", lambda *_, **__: BASE)
        monkeypatch.setattr(job_phases, "train", self._train)
        monkeypatch.setattr(job_phases, "final_weights", lambda _: TRAINED)
        monkeypatch.setattr(Children, "run", self._measure)

    def other_measures(self) -> None:
        """The other run has begun to measure the base model; it ends while this one trains."""
        self.other.enter_context(locked(self.base_counts.with_suffix(".lock"), wait=False))

    def phases(self) -> list[Measured]:
        run_dir = RunDir(results_dir=self.results, run_id=RUN.run_id)
        run_dir.freeze(RUN)
        return list(phases(begin(run_dir, RUN, run_dir.new_attempt())))

    def _train(self, *_: object, **__: object) -> Trained:
        self.did.append("train")
        self.other.close()
        return Trained()

    def _measure(self, command: Sequence[str], *_: object) -> float:
        said = dict(part.removeprefix("--").split("=", 1) for part in command if part.startswith("--"))
        self.did.append(f"measure {said['model']}")
        Path(said["out"]).write_text(COUNTS)
        return 1.0


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OneOfTwo:
    return OneOfTwo(tmp_path, monkeypatch)


def test_a_run_alone_measures_its_base_model_before_it_trains(run: OneOfTwo) -> None:
    assert run.phases()[-1].base is not None
    assert run.did == ["measure base", "train", "measure trained"]


def test_a_run_trains_while_another_measures_their_base_model_and_takes_its_counts(run: OneOfTwo) -> None:
    run.other_measures()
    run.other.callback(run.base_counts.write_text, COUNTS)
    found = run.phases()
    assert run.did == ["train", "measure trained"]
    assert [one.base is not None for one in found][-2:] == [False, True]
    assert base_problems_path(run.results, RUN.run_id).read_text() == COUNTS


def test_a_run_whose_other_failed_to_measure_their_base_model_measures_it_at_its_end(run: OneOfTwo) -> None:
    run.other_measures()
    assert run.phases()[-1].base is not None
    assert run.did == ["train", "measure trained", "measure base"]
    assert base_problems_path(run.results, RUN.run_id).read_text() == COUNTS


def test_who_must_not_wait_for_a_measurement_is_told_that_it_is_held(run: OneOfTwo, tmp_path: Path) -> None:
    run.other_measures()
    children = Children(device=Device.cpu, threads=1, log=tmp_path / "log")
    problems = materialise(data_spec(RUN), run.results / "data").evaluation
    with pytest.raises(HeldError, match="is held by process"):
        measure_base(RUN, children, run.results, model=BASE, problems=problems, wait=False)
    assert run.did == []
