"""Real verl, started as a run starts it; each test takes some tens of seconds."""

import json
from pathlib import Path
from typing import Any

import pytest

import data_prep
from sweeper.host.machine import Device
from sweeper.inputs.data import data_spec
from sweeper.runs.folder import RunDir
from sweeper.spec.run_id import RunId
from sweeper.training.checkpoint import trained_steps
from sweeper.training.ray_nodes import Node
from sweeper.training.train import Watch, train
from tests.sweeper.points import spec

pytestmark = pytest.mark.verl

SMALL = (
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
        data = data_prep.materialise(data_spec(one), self.run_dir.results_dir / "data")
        attempt = self.run_dir.new_attempt()
        train(
            one,
            self.run_dir,
            attempt,
            model=self._model,
            train_file=data.train,
            val_file=data.val,
            device=Device.cpu,
            node=Node(rank=0, count=1, job="test"),
            watch=Watch(one, attempt, "here", 0),
        )
        lines = [json.loads(line) for line in attempt.metrics.read_text().splitlines()]
        return {line["step"]: line["data"] for line in lines}


@pytest.fixture
def job(tmp_path: Path, tiny_model: Path) -> Job:
    return Job(tmp_path, tiny_model)


def test_grpo_trains_on_what_the_rollout_drew_and_resumes_from_its_checkpoint(job: Job) -> None:
    common = ("algorithm=grpo", "training.save_freq=1", "+verl.actor_rollout_ref.rollout.calculate_log_probs=true")
    metrics = job.train(*common, "training.total_steps=2")
    assert set(metrics) == {0, 1, 2}
    for step in (1, 2):
        assert metrics[step]["training/rollout_probs_diff_max"] < 1e-4
        assert metrics[step]["actor/grad_norm"] > 0
    assert trained_steps(job.run_dir.checkpoints) == 2

    resumed = job.train(*common, "training.total_steps=3")
    assert set(resumed) == {2, 3}  # verl validates once more before it goes on
    assert resumed[3]["training/rollout_probs_diff_max"] < 1e-4
    assert (job.run_dir.checkpoints / "global_step_3" / "actor" / "huggingface" / "model.safetensors").is_file()


def test_ppo_trains_its_critic(job: Job) -> None:
    metrics = job.train("algorithm=ppo", "training.total_steps=1")
    assert metrics[1]["critic/grad_norm"] > 0
    assert metrics[1]["critic/vf_loss"] >= 0


def test_reinforce_plus_plus_charges_the_divergence_to_the_reward(job: Job) -> None:
    metrics = job.train("algorithm=reinforce_plus_plus", "training.total_steps=2")
    assert metrics[1]["actor/reward_kl_penalty"] == pytest.approx(0, abs=1e-6)  # the first policy is the reference
    assert abs(metrics[2]["actor/reward_kl_penalty"]) > 1e-5


def test_low_rank_adapters_train_with_a_divergence_loss(job: Job) -> None:
    metrics = job.train(
        "algorithm=grpo",
        "algorithm.lora.rank=4",
        "algorithm.kl.in_loss=true",
        "training.total_steps=2",
        "+verl.actor_rollout_ref.rollout.calculate_log_probs=true",
    )
    assert metrics[1]["actor/kl_loss"] == pytest.approx(0, abs=1e-6)
    assert metrics[2]["actor/kl_loss"] > 0
    assert metrics[2]["training/rollout_probs_diff_max"] < 1e-4  # the rollout got the merged weights
