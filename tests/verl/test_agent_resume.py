"""An agent's training that is killed in the middle goes on from its checkpoint."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sweeper.rows.row import ResultRow, Status, read_rows
from sweeper.rows.trajectory_metrics import from_metrics
from sweeper.runs.folder import RunDir
from sweeper.spec.run_id import RunId
from sweeper.training.checkpoint import trained_steps
from tests.waiting import wait_until

pytestmark = [pytest.mark.verl, pytest.mark.nightly, pytest.mark.timeout(2700)]  # four starts of verl

COMMAND = (
    *(sys.executable, "-m", "sweeper", "model_family=tiny-agent", "model=tiny-agent-40k", "agent=calculator"),
    *("model.warm_start.steps=200", "model.warm_start.n_examples=6400", "domain_mix=math"),
    *("data_scale.n_unique=64", "training.total_steps=6", "training.save_freq=2", "training.lr_warmup_steps=0"),
    *("algorithm.entropy_coeff=0.1",),  # moves the policy in a step that earns no reward
    *("eval.n_samples=8", "eval.ks=[1,8]", "eval.problems_per_domain=16", "eval.val_problems_per_domain=8"),
    *("eval.domains=[math]", "eval.val_freq=2"),
)


def only_run(results: Path) -> RunDir:
    (folder,) = (results / "runs").iterdir()
    return RunDir(results_dir=results, run_id=RunId(folder.name))


def steps(run: RunDir) -> dict[int, dict[str, Any]]:
    """What each step logged; of a step that ran twice, the last."""
    lines = [line for attempt in run.attempts() for line in attempt.metrics.read_text().splitlines()]
    records = [json.loads(line) for line in lines]
    return {record["step"]: record["data"] for record in records if "critic/score/mean" in record["data"]}


def row_of(results: Path) -> ResultRow:
    (row,) = read_rows(results)
    assert row.status is Status.completed
    return row


def is_past_a_checkpoint(results: Path) -> bool:
    if not list(results.glob("runs/*/attempts/*/metrics.jsonl")):
        return False
    run = only_run(results)
    return 2 <= trained_steps(run.checkpoints) < max(steps(run), default=0)


def test_a_killed_training_of_an_agent_goes_on_with_as_many_trajectories_a_step_as_one_left_alone(
    tmp_path: Path,
) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    subprocess.run([*COMMAND, f"results_dir={whole}"], check=True, cwd=tmp_path, capture_output=True)
    process = subprocess.Popen(
        [*COMMAND, f"results_dir={broken}"], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    assert wait_until(lambda: is_past_a_checkpoint(broken) or process.poll() is not None, 900)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    kept = trained_steps(only_run(broken).checkpoints)
    assert 2 <= kept < 6

    subprocess.run([*COMMAND, f"results_dir={broken}"], check=True, cwd=tmp_path, capture_output=True)
    alone, resumed = row_of(whole), row_of(broken)
    assert resumed.timing is not None
    assert resumed.timing.attempts == 2
    assert resumed.run_id == alone.run_id
    one, other = steps(only_run(whole)), steps(only_run(broken))
    assert set(one) == set(other) == set(range(1, 7))
    for step in range(1, 7):
        assert other[step]["training/rollout_probs_diff_max"] < 1e-4
        first, second = from_metrics(one[step]), from_metrics(other[step])
        assert first is not None
        assert second is not None
        assert first.n == second.n == sum(second.ended.values())
