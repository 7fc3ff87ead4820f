"""Three steps of an agent with a calculator in real verl: masks, metrics, rewards."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sweeper.rows.row import read_rows
from sweeper.rows.trajectories import Trajectories
from sweeper.rows.trajectory_metrics import LOST, from_metrics

pytestmark = pytest.mark.verl

SETTINGS = (
    *("model_family=tiny-agent", "model=tiny-agent-40k", "agent=calculator"),
    *("model.warm_start.steps=60", "model.warm_start.n_examples=1920"),
    *("data_scale.n_unique=64", "training.total_steps=3", "training.save_freq=3"),
    *("eval.n_samples=2", "eval.ks=[1,2]", "eval.problems_per_domain=8", "eval.val_problems_per_domain=8"),
    *("eval.domains=[math]", "eval.val_freq=1", "training.lr_warmup_steps=0"),
)


def test_an_agent_is_trained_on_its_own_tokens_alone_and_every_step_says_what_it_did(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sweeper", *SETTINGS]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    results = tmp_path / "results"
    (row,) = read_rows(results)
    assert row.lost_samples == 0
    run = results / "runs" / row.run_id
    (file,) = run.glob("attempts/*/metrics.jsonl")
    steps = [json.loads(line)["data"] for line in file.read_text().splitlines()]
    trained = [data for data in steps if "critic/score/mean" in data]
    assert len(trained) == 3
    for data in trained:
        # The engine drew these tokens with the probabilities that the actor gives them: ids and mask are the same.
        assert data["training/rollout_probs_diff_max"] < 1e-4
        found = from_metrics(data)
        assert isinstance(found, Trajectories)
        assert data[LOST] == 0.0
        assert found.n == sum(found.ended.values()) > 0
        assert found.turns >= found.n
        assert found.calls > 0
        assert data["critic/score/mean"] * found.n <= found.ended.get("answered", 0) + 1e-6  # none of the unfinished
        lengths = data["response_length/mean"] * found.n
        assert found.generated_tokens + found.observed_tokens == pytest.approx(lengths, rel=1e-5)
    answers = [json.loads(line) for line in (run / "val" / "3.jsonl").read_text().splitlines()]
    assert {answer["outcome"] for answer in answers} <= {"correct", "wrong", "no_answer"}
