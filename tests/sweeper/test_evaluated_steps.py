"""pass@k along training: which steps are evaluated, what of their checkpoints is kept, and what the row says."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from data_prep.materialise import materialise
from sweeper.evaluation.kept_blocks import partial_files, shard_path
from sweeper.host.errors import ConfigError
from sweeper.host.machine import Device
from sweeper.host.process import Children
from sweeper.inputs.data import data_spec
from sweeper.inputs.models import PreparedModel
from sweeper.job import phases as job_phases
from sweeper.job.phases import Measured, phases
from sweeper.job.row import row_of
from sweeper.job.run import begin
from sweeper.plan.base_models import BaseModels
from sweeper.plan.cost import Pricer
from sweeper.plan.notes import notes_on
from sweeper.plan.refusals import check
from sweeper.rows.row import Failure, problems_after_path, read_row, write_row
from sweeper.runs.folder import RunDir
from sweeper.training import checkpoint
from sweeper.training.overrides import Files, verl_overrides
from sweeper.training.step_time import Measured as Times
from sweeper.training.step_time import pace
from sweeper.training.train import Trained
from tests.sweeper.points import spec
from tests.sweeper.rows import row
from tests.sweeper.test_measure import count

SMALL = ("cluster.device=cpu", "data_scale=n64", "eval.problems_per_domain=1", "eval.val_problems_per_domain=1")
STEPS = ("data_scale.epochs=null", "training.total_steps=20", "training.save_freq=5")
RUN = spec(*SMALL, *STEPS, "eval.checkpoints=every:5")
FILES = Files(**dict.fromkeys(("model", "train", "val", "checkpoints", "validations", "rewards", "hydra"), Path("at")))


def test_the_last_checkpoint_alone_is_evaluated_unless_more_are_asked_for_and_the_id_says_so() -> None:
    plain, asked = spec(*STEPS), spec(*STEPS, "eval.checkpoints=last")
    assert plain.evaluated_steps == ()
    assert plain.run_id == asked.run_id
    assert "checkpoints" not in plain.science()["eval"]
    assert RUN.evaluated_steps == (5, 10, 15)
    assert spec(*STEPS, "eval.checkpoints=every:10").evaluated_steps == (10,)
    assert len({spec(*STEPS, f"eval.checkpoints={said}").run_id for said in ("last", "every:5", "every:10")}) == 3


def test_all_means_every_checkpoint_that_was_to_be_written_when_the_spec_was_made() -> None:
    found = spec(*STEPS, "eval.checkpoints=all")
    assert found.eval.checkpoints == "every:5"
    assert found.run_id == spec(*STEPS, "eval.checkpoints=every:5").run_id
    often = replace(found, training=replace(found.training, save_freq=1))  # as an adjustment may have it
    assert often.evaluated_steps == found.evaluated_steps == (5, 10, 15)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("every:7", "eval.checkpoints=every:7 needs checkpoints that training.save_freq=5 does not write; set a mult"),
        ("every:20", "trains for 20 steps, and none before the last is a multiple of 20; set a smaller one"),
        ("every:0", "eval.checkpoints='every:0': must be last, all or every:STEPS"),
        ("some", "eval.checkpoints='some': must be last, all or every:STEPS"),
    ],
)
def test_steps_without_a_checkpoint_are_refused(said: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check(spec(*STEPS, f"eval.checkpoints={said}"), family="tiny")
    assert told in str(caught.value)


def test_every_checkpoint_that_is_to_be_evaluated_is_saved_however_often_others_are() -> None:
    asked = (*STEPS[:2], "training.save_freq=10", "cluster.max_loss_minutes=30")
    slow = Times(steps=(240.0,))  # half an hour is seven steps
    assert pace(spec(*asked), slow).every == 7
    found = pace(spec(*asked, "eval.checkpoints=every:10"), slow)
    assert found.every == 5
    assert "eval.checkpoints=every:10 is a multiple of it" in str(found.why)


def test_verl_is_left_to_delete_checkpoints_only_where_none_of_them_is_evaluated() -> None:
    kept = "trainer.max_actor_ckpt_to_keep="
    assert f"{kept}null" in verl_overrides(RUN, FILES, Device.cpu)
    assert f"{kept}{checkpoint.KEPT}" in verl_overrides(spec(*SMALL, *STEPS), FILES, Device.cpu)


def saved(folder: Path, *steps: int) -> None:
    """As verl leaves them: shards, plain weights, a critic, the data loader."""
    for step in steps:
        for name in ("data.pt", "critic/optim.pt", "actor/optim.pt", "actor/huggingface/model.safetensors"):
            path = checkpoint.at(folder, step) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
        checkpoint.mark(folder, step)


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_plain_weights_of_evaluated_steps_stay_and_the_newest_checkpoint_stays_whole(tmp_path: Path) -> None:
    saved(tmp_path, 5, 10, 15)
    checkpoint.thin(tmp_path, logged=15, keep=(5, 15))
    assert files(checkpoint.thinned(tmp_path, 5)) == ["actor/huggingface/model.safetensors"]
    assert [path.name for path in checkpoint.saved(tmp_path)] == ["global_step_15"]
    assert len(files(checkpoint.at(tmp_path, 15))) == 4
    assert checkpoint.weights(checkpoint.policy(tmp_path, 5)).is_dir()
    checkpoint.rewind(tmp_path, 15)
    assert checkpoint.trained_steps(tmp_path) == 15


def test_a_checkpoint_that_a_run_may_resume_from_is_not_thinned(tmp_path: Path) -> None:
    saved(tmp_path, 5, 10)
    checkpoint.thin(tmp_path, logged=9, keep=(5,))  # verl saves a step before it logs it
    assert len(checkpoint.saved(tmp_path)) == 2
    checkpoint.rewind(tmp_path, 9)
    assert checkpoint.trained_steps(tmp_path) == 5
    assert len(files(checkpoint.at(tmp_path, 5))) == 4


def test_thinning_that_was_killed_is_finished_and_weights_of_what_is_trained_anew_go(tmp_path: Path) -> None:
    saved(tmp_path, 5, 10, 15)
    checkpoint.at(tmp_path, 5).rename(checkpoint.thinned(tmp_path, 5))  # and killed
    checkpoint.thin(tmp_path, logged=15, keep=(5, 10))
    assert files(checkpoint.thinned(tmp_path, 5)) == ["actor/huggingface/model.safetensors"]
    checkpoint.mark(tmp_path, 5)  # the newer one was lost
    checkpoint.rewind(tmp_path, 5)
    assert [path.name for path in checkpoint.all_thinned(tmp_path)] == ["weights_of_step_5"]


class Job:
    """A run whose training and models are stand-ins; the data, the phases and the files are real."""

    def __init__(self, results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.did: list[str] = []
        self.dies_at = ""
        self.run_dir = RunDir(results_dir=results, run_id=RUN.run_id)
        self.run_dir.freeze(RUN)
        data = materialise(data_spec(RUN), results / "data")
        monkeypatch.setattr(job_phases, "prepared", lambda *_, **__: data)
        monkeypatch.setattr(job_phases, "prepare", lambda *_, **__: PreparedModel(path=Path("base"), digest="base"))
        monkeypatch.setattr(job_phases, "train", lambda *_, **__: Trained())
        monkeypatch.setattr(Children, "run", self._measure)

    def attempt(self) -> tuple[Measured, list[str]]:
        """What the phases return, and whose evaluations began."""
        self.did, job = [], begin(self.run_dir, RUN, self.run_dir.new_attempt())
        last = list(phases(job))[-1]
        write_row(self.run_dir.results_dir, row_of(job, last, None))
        return last, self.did

    def _measure(self, command: Sequence[str], *_: object) -> float:
        said = dict(part.removeprefix("--").split("=", 1) for part in command if part.startswith("--"))
        self.did.append(f"{Path(said['out']).stem} seed {said['seed']}")
        if Path(said["out"]).stem == self.dies_at:
            raise KeyboardInterrupt
        Path(said["out"]).write_text(json.dumps(asdict(count("math", 128, 2 * len(self.did)))) + "\n")
        return 2.0


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    return Job(tmp_path, monkeypatch)


def test_checkpoints_are_evaluated_after_the_last_one_with_its_seed_and_none_twice(job: Job, tmp_path: Path) -> None:
    saved(job.run_dir.checkpoints, 5, 10, 15, 20)
    checkpoint.thin(job.run_dir.checkpoints, logged=20, keep=RUN.evaluated_steps)
    job.dies_at = "step_10"
    with pytest.raises(KeyboardInterrupt):
        job.attempt()
    assert job.did[1:] == [f"{name} seed {RUN.seed}" for name in ("counts", "step_5", "step_10")]
    job.dies_at = ""
    measured, did = job.attempt()
    assert did == [f"step_10 seed {RUN.seed}", f"step_15 seed {RUN.seed}"]
    assert list(measured.along) == [5, 10, 15]
    made = read_row(tmp_path / "rows" / f"{RUN.run_id}.json")
    assert [(one.step, one.missing) for one in made.along] == [(5, None), (10, None), (15, None)]
    assert made.along[2].scores[0].n_samples == 128
    assert [one.k for one in made.along[0].scores[0].pass_at_k] == list(RUN.eval.ks)
    assert made.timing is not None
    assert made.timing.evaluate_s == 4.0  # of two evaluations; what an earlier attempt measured took no time now
    assert problems_after_path(tmp_path, RUN.run_id, 15).is_file()


def test_a_step_that_was_not_measured_is_in_the_row_with_its_reason(job: Job, tmp_path: Path) -> None:
    saved(job.run_dir.checkpoints, 20)
    job.attempt()
    made = read_row(tmp_path / "rows" / f"{RUN.run_id}.json")
    assert {(one.step, one.scores, one.missing) for one in made.along} == {
        (step, (), "its weights were not there when the run had trained") for step in (5, 10, 15)
    }
    failure = Failure(phase="train", reason="verl ended", log="log")
    failed = row_of(begin(job.run_dir, RUN, job.run_dir.new_attempt()), Measured(), failure)
    assert {one.missing for one in failed.along} == {"the run failed in the phase train"}


def test_the_blocks_of_one_step_are_not_those_of_another(tmp_path: Path) -> None:
    for step in (1, 10):
        shard_path(tmp_path / f"step_{step}.jsonl", "start", "0.0").touch()
    assert [path.name for path in partial_files(tmp_path / "step_1.jsonl")] == ["step_1.start-0.0.partial"]


def test_a_row_without_evaluated_steps_is_written_as_before() -> None:
    assert "along" not in json.loads(row(spec(*STEPS)).to_json())


def test_a_plan_counts_the_evaluations_and_the_disk_of_checkpoints(tmp_path: Path) -> None:
    plain, pricer = spec(*SMALL, *STEPS), Pricer([], tmp_path)
    due = [(run, pricer.cost(run)) for run in (plain, RUN)]
    (_, one), (_, four) = due
    weights = 3 * 4 * RUN.model.architecture.n_params
    assert four.checkpoint_bytes - one.checkpoint_bytes == weights
    assert (four.evaluations, one.evaluations) == (4, 1)
    assert four.flops.evaluation == pytest.approx(4 * (one.flops.evaluation or 0))
    assert len(BaseModels().to_measure(due)) == 1
    assert any("1 of 2 runs measure pass@k along training" in line for line in notes_on(due, tmp_path))
