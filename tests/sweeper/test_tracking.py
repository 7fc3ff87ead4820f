"""What trackers are told of a run, and read back: real wandb offline, real TensorBoard."""

import ast
import importlib.util
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from omegaconf import OmegaConf

from analysis.cli import main
from sweeper.host.errors import ConfigError
from sweeper.job.run import begin
from sweeper.plan.refusals import check
from sweeper.rows.grid_file import Member, Membership
from sweeper.rows.row import ResultRow, read_rows, write_row
from sweeper.runs.attempt import Attempt
from sweeper.runs.folder import RunDir
from sweeper.spec.run import RunSpec
from sweeper.training import tracking
from tests.sweeper.points import spec
from tests.sweeper.rows import row

# As verl does it: its configuration, which holds our settings, and a step at a time.
VERLS = """
import sys, wandb, yaml
config = {"sweeper": yaml.safe_load(open(sys.argv[1])), "trainer": {"nnodes": 1, "n_gpus_per_node": 1, "device": "cpu"},
          "data": {"train_batch_size": 16, "seed": 0}, "actor_rollout_ref": {"model": {"path": "/models/x"}}}
run = wandb.init(project="rl-scaling", name=config["sweeper"]["run_id"], config=config)
for step in range(int(sys.argv[2]), int(sys.argv[3])):
    run.log({"critic/score/mean": 0.1 * step, "perf/total_num_tokens": 1000, "perf/time_per_step": 2.0}, step=step)
run.finish(exit_code=0)
"""


def logging(*backends: str, **more: object) -> RunSpec:
    one = spec("model=tiny-40k", "data_scale=n64")
    return replace(one, logging=replace(one.logging, backends=backends), **more)  # type: ignore[arg-type]


def attempt_of(results: Path, run: RunSpec) -> tuple[RunDir, Attempt]:
    run_dir = RunDir(results_dir=results, run_id=run.run_id)
    return run_dir, run_dir.new_attempt()


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in {"WANDB_MODE": "offline", "WANDB_SILENT": "true", "WANDB_CONSOLE": "off"}.items():
        monkeypatch.setenv(name, value)
    return tmp_path / "results"


def trained(results: Path, run: RunSpec, *, first: int, last: int) -> Attempt:
    """An attempt that trained these steps and logged them to wandb."""
    run_dir, attempt = attempt_of(results, run)
    if not run_dir.spec_path.exists():
        run_dir.freeze(run)
    folder = tracking.write_settings(run, results, attempt)
    assert folder is not None
    command = [sys.executable, "-c", VERLS, str(folder / "sweeper" / "run.yaml"), str(first), str(last + 1)]
    env = os.environ | tracking.variables(run_dir, attempt, os.environ)
    subprocess.run(command, check=True, env=env, timeout=120)
    return attempt


def told(results: Path, run: RunSpec, attempt: Attempt, found: ResultRow) -> str:
    """What the job's log says after its row was given to the trackers."""
    job = begin(RunDir(results_dir=results, run_id=run.run_id), run, attempt)
    tracking.tell(job, found)
    return attempt.log.read_text() if attempt.log.exists() else ""


def imported(source: Path, results: Path, *labels: object) -> ResultRow:
    assert main(["import", str(source), "--results", str(results), *map(str, labels)]) == 0
    (found,) = read_rows(results)
    return found


def test_a_run_resumed_once_and_its_row_are_one_run_of_wandb_that_reads_back_whole(
    offline: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run = logging("wandb", "tensorboard")
    trained(offline, run, first=1, last=2)
    attempt = trained(offline, run, first=3, last=4)
    made = row(run)
    write_row(offline, made)
    log = told(offline, run, attempt, made)
    assert "NOTE" not in capfd.readouterr().out, log
    back = imported(offline / "runs", tmp_path / "there")
    assert [point.step for point in back.curve] == [1, 2, 3, 4]
    assert back.imported is not None
    assert (back.imported.kind, back.imported.missing) == ("wandb", {})
    assert replace(back, curve=made.curve, imported=None) == made
    assert imported(offline / "runs", offline) == made  # where the row is, nothing changes
    logs = list(offline.rglob("*.wandb"))
    assert {path.stem for path in logs} == {f"run-{run.run_id}"}
    assert tensorboard(offline / "runs" / run.run_id / "tensorboard")["row/pass@1"] == (made.steps, 0.5)


def tensorboard(folder: Path) -> dict[str, tuple[int, float]]:
    """The last value of each curve, by name."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder))
    events.Reload()
    last = {name: events.Scalars(name)[-1] for name in events.Tags()["scalars"]}
    return {name: (event.step, event.value) for name, event in last.items()}


def test_a_run_without_a_row_yet_says_its_data_mix_and_seed_and_why_it_has_no_passk(
    offline: Path, tmp_path: Path
) -> None:
    run = logging("wandb", seed=3)
    trained(offline, run, first=1, last=2)
    back = imported(offline / "runs", tmp_path / "there")
    known = (run.model.name, run.algorithm.name, run.domain_mix.name, run.data_scale.name, run.n_unique, 3)
    assert (back.model, back.algorithm, back.domain_mix, back.data_scale, back.n_unique, back.seed) == known
    assert back.n_params == run.model.architecture.n_params
    assert back.imported is not None
    assert not {"domain_mix", "data_scale", "n_unique", "seed", "algorithm"} & set(back.imported.missing)
    assert "the run's row is in none of these logs" in back.imported.missing["trained"]
    assert imported(offline / "runs", tmp_path / "labelled", "--domain-mix", "mine").domain_mix == "mine"


def test_a_model_of_a_users_own_has_its_size_from_its_settings(offline: Path, tmp_path: Path) -> None:
    one = logging("wandb")
    run = replace(one, model=replace(one.model, name="mine"))
    trained(offline, run, first=1, last=1)
    back = imported(offline / "runs", tmp_path / "there")
    assert (back.model, back.n_params) == ("mine", one.model.architecture.n_params)


def test_a_tracker_that_cannot_be_reached_costs_a_line_in_the_log(
    offline: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    run = logging("wandb")
    run_dir, attempt = attempt_of(offline, run)
    run_dir.freeze(run)
    monkeypatch.setenv("WANDB_MODE", "no-such-mode")
    told(offline, run, attempt, row(run))
    assert "NOTE: the row is written, but not in wandb:" in capfd.readouterr().out


def test_the_settings_are_the_runs_identity_and_its_place_in_its_grids_and_nothing_of_where_it_runs(
    tmp_path: Path,
) -> None:
    run = logging("wandb", verl={"trainer.notes": "cost: ${100}", "trainer.list": ["${x}"]})
    member = Member(run_id=run.run_id, choice=("tiny-40k", "0"))
    other = Membership(name="other", grid="other", axes={}, members=())
    for grid in (
        Membership(name="g", grid="g", axes={"model": ("tiny-40k",), "seed": ("0",)}, members=(member,)),
        other,
    ):
        grid.write(tmp_path)
    (tmp_path / "grids" / "damaged.json").write_text("")
    found = tracking.settings(run, tmp_path)
    assert (found["run_id"], found["group_id"]) == (run.run_id, run.group_id)
    assert found["grids"] == {"g": {"model": "tiny-40k", "seed": "0"}}
    assert {"model", "data", "domain_mix", "algorithm", "training", "eval", "seed", "reward_suite"} <= set(found)
    assert not {"cluster", "logging"} & set(found)
    _, attempt = attempt_of(tmp_path, run)
    folder = tracking.write_settings(run, tmp_path, attempt)
    assert folder is not None
    read = OmegaConf.create((folder / "sweeper" / "run.yaml").read_text())
    assert OmegaConf.to_container(read, resolve=True) == yaml.safe_load(yaml.safe_dump(found))


def test_without_trackers_nothing_is_written_or_started(tmp_path: Path) -> None:
    run = logging("console", "file")
    assert run.logging.trackers == ()
    run_dir, attempt = attempt_of(tmp_path, run)
    run_dir.freeze(run)
    assert tracking.write_settings(run, tmp_path, attempt) is None
    told(tmp_path, run, attempt, row(run))
    assert not (attempt.path / "tracking").exists()


@pytest.mark.parametrize(
    ("backends", "said"),
    [
        (["wanbd"], r"no logger 'wanbd'; did you mean wandb\?"),
        (["neptune"], "no logger 'neptune'; Known: wandb, mlflow"),
        (["wandb", "clearml"], "logging.backends=clearml: its package is not installed; pip install clearml"),
    ],
)
def test_a_logger_that_verl_lacks_or_whose_package_is_missing_is_refused_before_anything_starts(
    backends: list[str], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        check(logging(*backends), family="tiny")


def test_a_package_is_looked_for_where_runs_execute_and_nowhere_else() -> None:
    there = spec("cluster=slurm", "cluster.python=/envs/bin/python", "logging.backends=[clearml]")
    check(there, family="tiny")
    with pytest.raises(ConfigError, match="pip install clearml"):
        check(spec("cluster=slurm", "logging.backends=[clearml]"), family="tiny")


def test_the_loggers_are_those_that_verl_has() -> None:
    found = importlib.util.find_spec("verl")
    assert found is not None
    assert found.origin is not None
    source = ast.parse(Path(found.origin).parent.joinpath("utils", "tracking.py").read_text())
    (names,) = [
        ast.literal_eval(node.value)
        for node in ast.walk(source)
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "supported_backend"
    ]
    assert sorted(names) == sorted([*tracking.PACKAGES, "console", "file"])


def test_loggers_are_never_identity_and_the_short_form_is_one_of_them() -> None:
    plain = spec()
    for way in (["logging.backends=[wandb,tensorboard]"], ["logging.wandb=true", "logging.backends=[tensorboard]"]):
        assert set(spec(*way).logging.trackers) == {"wandb", "tensorboard"}
        assert spec(*way).run_id == plain.run_id
