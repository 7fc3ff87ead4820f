"""Real verl with vLLM as its rollout engine, on CPU: the nearest thing to the GPU path without a GPU."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from data_prep.materialise import materialise
from data_prep.synthetic.tasks import SPECIAL_STRINGS
from sweeper.inputs import tiny
from sweeper.inputs.data import data_spec
from sweeper.job.run import begin
from sweeper.runs.folder import RunDir
from sweeper.spec.run_id import RunId
from sweeper.training.train import train
from tests.sweeper.conftest import SHAPE
from tests.sweeper.points import spec

pytestmark = pytest.mark.vllm

VLLM = (
    "+verl.actor_rollout_ref.rollout.name=vllm",
    "+verl.actor_rollout_ref.rollout.enforce_eager=true",
    "+verl.actor_rollout_ref.rollout.enable_sleep_mode=false",  # vLLM has none on CPU
    "+verl.actor_rollout_ref.rollout.calculate_log_probs=true",
)

SMALL = (
    "cluster.device=cpu",
    "training.train_batch_size=8",
    "training.ppo_mini_batch_size=8",
    "algorithm.rollout_n=4",
    "algorithm.entropy_coeff=0.1",  # moves the policy, though an untrained model earns no reward
    "eval.val_problems_per_domain=2",
    "eval.problems_per_domain=2",
    "data_scale=n64",
    "training.lr_warmup_steps=0",  # verl's warm-up begins at 0: the first step would move nothing
)


class Job:
    """Training attempts in one run folder."""

    def __init__(self, folder: Path, model: Path) -> None:
        self.run_dir = RunDir(results_dir=folder, run_id=RunId("run"))
        self._model = model

    def train(self, *overrides: str) -> dict[int, dict[str, Any]]:
        """Train once; returns the attempt's metrics by step."""
        one = spec("model=tiny-40k", *SMALL, *overrides)
        data = materialise(data_spec(one), self.run_dir.results_dir / "data")
        attempt = self.run_dir.new_attempt()
        train(begin(self.run_dir, one, attempt), model=self._model, train_file=data.train, val_file=data.val)
        lines = [json.loads(line) for line in attempt.metrics.read_text().splitlines()]
        return {line["step"]: line["data"] for line in lines}


def test_grpo_trains_on_what_vllm_drew_with_the_trained_weights(tmp_path: Path) -> None:
    model = tmp_path / "model"
    # vLLM's CPU attention needs 32 dimensions a head.
    tiny.build(model, replace(SHAPE, hidden_size=64, num_heads=2), special_strings=SPECIAL_STRINGS, seed=0)
    metrics = Job(tmp_path, model).train("algorithm=grpo", "training.total_steps=3", *VLLM)
    assert set(metrics) == {0, 1, 2, 3}
    for step in (1, 2, 3):
        assert metrics[step]["actor/grad_norm"] > 0
        assert metrics[step]["training/rollout_probs_diff_max"] < 1e-3
