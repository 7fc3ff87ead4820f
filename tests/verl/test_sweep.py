"""Whole runs of `python -m sweeper`: real verl on tiny models, from the command to the row."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from pyarrow import parquet
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from analysis.cli import main
from data_prep.materialise import materialise
from sweeper.inputs.data import data_spec
from sweeper.oversight.model_folder import export
from sweeper.rows.counts import read_counts
from sweeper.rows.row import ResultRow, Status, base_problems_path, problems_path, read_row, read_rows, row_path
from sweeper.runs.folder import RunDir
from sweeper.runs.state import State, state_of
from sweeper.training import checkpoint
from sweeper.training.checkpoint import trained_steps
from tests.canaries import CANARIES, holding
from tests.other_modules import write_other_modules
from tests.sweeper.points import over, spec
from tests.verl.listening import watched
from tests.waiting import wait_until

pytestmark = pytest.mark.verl

SMALL = (
    "model=tiny-40k",
    "model.warm_start.steps=60",
    "model.warm_start.n_examples=3840",
    "training.total_steps=4",
    "training.save_freq=2",
    "algorithm.entropy_coeff=0.1",  # moves the policy in a step that earns no reward
    "training.lr_warmup_steps=0",  # verl's warm-up begins at 0: the first step would move nothing
    "eval.n_samples=8",
    "eval.ks=[1,8]",
    "eval.problems_per_domain=4",
    "eval.val_problems_per_domain=4",
    "eval.val_freq=2",
    "data_scale=n64",
)
ALGORITHMS = ("ppo", "grpo", "reinforce_plus_plus")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One results folder for the file, so that the base model is made and measured once."""
    return tmp_path_factory.mktemp("results")


def sweeper(results: Path, *overrides: str, cwd: Path | None = None) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "sweeper", *over(SMALL, overrides), f"results_dir={results}"]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=os.environ | CANARIES)


def run_of(results: Path, *overrides: str) -> RunDir:
    return RunDir(results_dir=results, run_id=spec(*over(SMALL, overrides)).run_id)


def row_of(results: Path, *overrides: str) -> ResultRow:
    return read_row(row_path(results, run_of(results, *overrides).run_id))


def records(metrics: Path) -> dict[int, dict[str, Any]]:
    """What verl logged, by step; a torn last line is nothing."""
    found = {}
    for line in metrics.read_text().splitlines() if metrics.exists() else ():
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            continue
        found[record["step"]] = record["data"]
    return found


def steps(metrics: Path) -> list[int]:
    """The training steps in a metrics file; a validation alone is none."""
    return [step for step, data in records(metrics).items() if "critic/score/mean" in data]


def processes_of(results: Path) -> list[psutil.Process]:
    """Every live process that has the results folder in its command line, environment or working folder's files."""
    mark, found = str(results), []
    for process in psutil.process_iter():
        try:
            texts = [*process.cmdline(), *process.environ().values()]
            if process.status() != psutil.STATUS_ZOMBIE and any(mark in text for text in texts):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return [process for process in found if process.pid != os.getpid()]


@pytest.fixture(scope="module")
def sockets() -> dict[str, int]:
    """What `watched` found while `swept` ran."""
    return {}


@pytest.fixture(scope="module")
def swept(
    results: Path, tmp_path_factory: pytest.TempPathFactory, sockets: dict[str, int]
) -> Iterator["subprocess.CompletedProcess[str]"]:
    """Started where torch, ray, rewards and others are modules of the user's."""
    folder = tmp_path_factory.mktemp("folder")
    write_other_modules(folder)
    (folder / "sweeper.py").unlink()  # Python itself starts that one, before a line of ours is read
    with watched() as found:
        done = sweeper(results, f"algorithm={','.join(ALGORITHMS)}", "-m", cwd=folder)
    sockets |= found
    yield done
    assert processes_of(results) == []


def test_every_socket_of_a_run_is_private_or_in_the_table_of_docs_security(
    swept: "subprocess.CompletedProcess[str]", sockets: dict[str, int]
) -> None:
    assert sockets.pop("looks") > 10
    assert sockets == {}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_run_ends_in_a_complete_row(algorithm: str, results: Path, swept: "subprocess.CompletedProcess[str]") -> None:
    assert swept.returncode == 0, swept.stdout + swept.stderr
    row = row_of(results, f"algorithm={algorithm}")
    assert row.status is Status.completed
    assert trained_steps(run_of(results, f"algorithm={algorithm}").checkpoints) == row.steps == 4
    assert row.train_samples == 4 * 16 * 8
    assert [point.step for point in row.curve if point.reward is not None] == [1, 2, 3, 4]
    assert [point.step for point in row.curve if point.val_pass1 is not None] == [0, 2, 4]
    assert row.train_tokens is not None
    assert row.flops is not None
    for score in (row.score(), row.score(base=True)):
        assert score is not None
        assert (score.n_problems, score.n_samples) == (16, 8)
        assert sum(score.outcomes.values()) == 16 * 8
        assert score.at(1) is not None
        assert score.at(8) is not None
    assert row.provenance is not None
    assert row.provenance.device == "cpu"
    assert row.provenance.versions["verl"] == "0.9.1"
    assert row.provenance.model_digest
    assert row.provenance.data_digest
    assert row.timing is not None
    assert row.timing.attempts == 1


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_counts_beside_a_row_give_its_scores(
    algorithm: str, results: Path, swept: "subprocess.CompletedProcess[str]"
) -> None:
    row = row_of(results, f"algorithm={algorithm}")
    for path, score in (
        (problems_path(results, row.run_id), row.score()),
        (base_problems_path(results, row.run_id), row.score(base=True)),
    ):
        counts = read_counts(path)
        assert score is not None
        assert score.at(1) == pytest.approx(sum(item.c / item.n for item in counts) / len(counts))


def test_the_base_model_is_prepared_and_measured_once_for_all(
    results: Path, swept: "subprocess.CompletedProcess[str]"
) -> None:
    assert len(list((results / "base").glob("*[0-9a-f].jsonl"))) == 1
    assert len([path for path in (results / "models").iterdir() if path.is_dir()]) == 1
    assert len({repr(row.base) for row in read_rows(results)}) == 1


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_rollouts_probabilities_are_the_actors(
    algorithm: str, results: Path, swept: "subprocess.CompletedProcess[str]"
) -> None:
    [attempt] = run_of(results, f"algorithm={algorithm}").attempts()
    logged = records(attempt.metrics)
    assert set(logged) == {0, 1, 2, 3, 4}
    assert max(logged[step]["training/rollout_probs_diff_max"] for step in range(1, 5)) < 1e-4
    assert min(logged[step]["actor/grad_norm"] for step in range(1, 5)) > 0


def test_ppo_trains_its_critic(results: Path, swept: "subprocess.CompletedProcess[str]") -> None:
    [attempt] = run_of(results, "algorithm=ppo").attempts()
    logged = records(attempt.metrics)
    assert all(logged[step]["critic/grad_norm"] > 0 for step in range(1, 5))
    assert all(logged[step]["critic/vf_loss"] >= 0 for step in range(1, 5))


def test_reinforce_plus_plus_charges_the_divergence_to_the_reward(
    results: Path, swept: "subprocess.CompletedProcess[str]"
) -> None:
    [attempt] = run_of(results, "algorithm=reinforce_plus_plus").attempts()
    logged = records(attempt.metrics)
    assert logged[1]["actor/reward_kl_penalty"] == pytest.approx(0, abs=1e-6)  # the first policy is the reference
    assert abs(logged[2]["actor/reward_kl_penalty"]) > 1e-5


def test_training_changes_the_weights(results: Path, swept: "subprocess.CompletedProcess[str]") -> None:
    from safetensors.torch import load_file

    [base] = [path for path in (results / "models").iterdir() if path.is_dir()]
    final = run_of(results, "algorithm=grpo").checkpoints / "global_step_4" / "actor" / "huggingface"
    old, new = load_file(base / "model.safetensors"), load_file(final / "model.safetensors")
    moved = max(float((new[name].float() - old[name].float()).abs().max()) for name in old)
    assert set(old) == set(new)
    assert 1e-4 < moved < 1


def test_the_sweep_prints_the_table_and_leaves_an_offline_report(
    results: Path, swept: "subprocess.CompletedProcess[str]"
) -> None:
    assert swept.stdout.count("completed") == 3
    (report,) = (results / "reports").glob("by_algorithm+*.html")
    assert str(report) in swept.stdout
    assert "<html" in report.read_text().lower()
    assert 'src="http' not in report.read_text()
    assert holding(results) == []  # of the secrets that verl had in its environment


def test_the_same_command_again_starts_nothing_and_prints_the_same_table(
    results: Path, swept: "subprocess.CompletedProcess[str]"
) -> None:
    again = sweeper(results, f"algorithm={','.join(ALGORITHMS)}", "-m")
    assert again.returncode == 0, again.stderr
    assert "3 done" in again.stdout
    assert _table(again.stdout) == _table(swept.stdout)
    assert [len(run_of(results, f"algorithm={name}").attempts()) for name in ALGORITHMS] == [1, 1, 1]


def _table(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.endswith("completed")]


def test_a_sweep_killed_with_9_leaves_no_process_and_is_resumed_by_the_same_command(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = ("training.total_steps=10", "seed=5", "logging.backends=[wandb,tensorboard]")
    run = run_of(results, *more)
    # Of an allocation's shell: a folder too long for Ray's sockets, another job's rank and Ray.
    scratch = tmp_path / ("x" * 100)
    scratch.mkdir(parents=True)
    shell = {"TMPDIR": str(scratch), "SLURM_PROCID": "1", "SLURM_STEP_NUM_NODES": "2", "RAY_ADDRESS": "10.0.0.1:6379"}
    for name, value in (shell | {"WANDB_MODE": "offline", "WANDB_RUN_ID": "another"}).items():
        monkeypatch.setenv(name, value)
    command = [sys.executable, "-m", "sweeper", *over(SMALL, more), f"results_dir={results}"]
    log = (results / "killed.log").open("w")
    process = subprocess.Popen(command, stdout=log, stderr=log)

    def is_past_a_checkpoint() -> bool:
        logged = [step for attempt in run.attempts() for step in steps(attempt.metrics)]
        saved = trained_steps(run.checkpoints)
        return saved >= 4 and max(logged, default=0) > saved

    assert wait_until(lambda: is_past_a_checkpoint() or process.poll() is not None, 300)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert wait_until(lambda: processes_of(results) == [], 30), processes_of(results)
    assert state_of(run) is State.interrupted
    assert not row_path(results, run.run_id).exists()
    kept = trained_steps(run.checkpoints)
    assert 4 <= kept < 10

    done = sweeper(results, *more)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 interrupted" in done.stdout
    first, second = run.attempts()
    assert steps(second.metrics) == list(range(kept + 1, 11))
    logged = records(second.metrics)
    assert set(logged) == set(range(kept, 11))  # verl validates once more before it goes on
    assert max(logged[step]["training/rollout_probs_diff_max"] for step in range(kept + 1, 11)) < 1e-4
    assert (run.checkpoints / "global_step_10" / "actor" / "huggingface" / "model.safetensors").is_file()
    assert steps(first.metrics)[0] == 1
    row = row_of(results, *more)
    assert row.status is Status.completed
    assert [point.step for point in row.curve if point.reward is not None] == list(range(1, 11))
    assert row.train_samples == 10 * 16 * 8
    assert row.timing is not None
    assert row.timing.attempts == 2
    # Both attempts and the row are one run of wandb, which says all of it elsewhere.
    assert {path.stem for path in run.path.rglob("*.wandb")} == {f"run-{run.run_id}"}
    assert main(["import", str(run.path), "--results", str(tmp_path / "elsewhere")]) == 0
    (back,) = read_rows(tmp_path / "elsewhere")
    assert replace(back, curve=row.curve, imported=None) == row
    assert back.curve[-1] == row.curve[-1]
    assert list((run.path / "tensorboard").iterdir())


@pytest.mark.nightly
def test_adapters_are_trained_beside_a_reference_measured_and_exported_merged(results: Path, tmp_path: Path) -> None:
    more = (
        "algorithm.lora.rank=4",
        "algorithm.kl.in_loss=true",
        "+verl.actor_rollout_ref.rollout.calculate_log_probs=true",
    )
    done = sweeper(results, *more)
    assert done.returncode == 0, done.stdout + done.stderr
    run, row = run_of(results, *more), row_of(results, *more)
    assert all(point.kl is not None for point in row.curve if point.reward is not None)
    logged = records(run.attempts()[0].metrics)
    assert logged[1]["actor/kl_loss"] == pytest.approx(0, abs=1e-6)
    assert all(logged[step]["actor/kl_loss"] > 0 for step in range(2, 5))
    # Not 1e-4 as without adapters: verl 0.9.1 rounds merged weights to bfloat16 on their way to the rollout.
    assert max(logged[step]["training/rollout_probs_diff_mean"] for step in range(1, 5)) < 1e-3
    assert max(logged[step]["training/rollout_probs_diff_max"] for step in range(1, 5)) < 0.03
    # Four steps with a small adapter leave the model near its base: random weights would solve nothing at all.
    base, trained = row.score(base=True), row.score()
    assert base is not None
    assert trained is not None
    assert trained.outcomes.get("no_answer", 0) < 1.5 * base.outcomes.get("no_answer", 0) + 16
    export(run, tmp_path / "model")
    evaluated = load_file(checkpoint.merged_weights(checkpoint.policy(run.checkpoints, 4)) / "model.safetensors")
    model, info = AutoModelForCausalLM.from_pretrained(tmp_path / "model", output_loading_info=True)
    assert not info["missing_keys"]
    own = model.state_dict()
    assert all(torch.equal(own[name], value.to(own[name].dtype)) for name, value in evaluated.items())


def test_two_processes_fine_tune_on_a_share_and_train_on_the_rest_in_its_order(results: Path, tmp_path: Path) -> None:
    more = ("curriculum=hard_to_easy", "data.sft_share=0.25", "training.sft.lr=1e-3", "training.total_steps=3")
    more = (*more, "model.resources.gpus_per_node=2")
    dump = f"+verl.trainer.rollout_data_dir={tmp_path}"
    done = sweeper(results, *more, dump)
    assert done.returncode == 0, done.stdout + done.stderr
    row = row_of(results, *more, dump)
    assert (row.n_unique, row.n_sft, row.reuse, row.curriculum) == (48, 16, 1.0, "hard_to_easy")
    actor = run_of(results, *more, dump).checkpoints / "global_step_3" / "actor"
    assert (actor / "model_world_size_2_rank_1.pt").is_file()
    (tuned,) = (results / "models").glob("tiny-40k-sft-*")
    assert (tuned / "model.safetensors").is_file()
    data = materialise(data_spec(spec(*over(SMALL, more))), results / "data")
    rows = parquet.read_table(data.train).to_pylist()
    levels = [item["extra_info"]["difficulty"] for item in rows]
    assert levels == sorted(levels, reverse=True)
    assert levels[0] > levels[-1]
    for step in range(1, 4):
        drawn = [json.loads(line)["input"] for line in (tmp_path / f"{step}.jsonl").read_text().splitlines()]
        expected = [item["prompt"][-1]["content"] for item in rows[16 * (step - 1) : 16 * step]]
        assert len(drawn) == 16 * 8
        assert all(sum(text in given for given in drawn) >= 8 for text in expected)


def test_a_run_that_verl_fails_has_a_row_with_phase_and_reason_and_the_others_go_on(results: Path) -> None:
    broken = "+verl.actor_rollout_ref.model.external_lib=no_such_library"
    done = sweeper(results, broken, "algorithm=grpo")
    assert done.returncode == 1
    row = row_of(results, broken, "algorithm=grpo")
    assert row.status is Status.failed
    assert row.failure is not None
    assert row.failure.phase == "train"
    assert "no_such_library" in row.failure.reason
    assert (results / row.failure.log).is_file()
    assert row.trained == ()
    assert "FAILED in train" in done.stderr
    assert "1 of 1 runs have no result" in done.stderr
