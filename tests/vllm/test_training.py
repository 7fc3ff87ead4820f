"""Real verl with vLLM as its rollout engine, on CPU: the nearest thing to the GPU path without a GPU."""

import json
from pathlib import Path
from typing import Any

import pytest

from data_prep.files.prepared_folder import PreparedData
from data_prep.materialise import materialise
from sweeper.inputs.data import data_spec
from sweeper.inputs.fine_tuning import fine_tuned
from sweeper.inputs.models import PreparedModel
from sweeper.job.run import begin
from sweeper.runs.folder import RunDir
from sweeper.spec.run import RunSpec
from sweeper.spec.run_id import RunId
from sweeper.training.context import JobContext
from sweeper.training.train import train
from tests.sweeper.points import over, spec
from tests.vllm.families import build

pytestmark = pytest.mark.vllm

VLLM = (
    "+verl.actor_rollout_ref.rollout.name=vllm",
    "+verl.actor_rollout_ref.rollout.enforce_eager=true",
    "+verl.actor_rollout_ref.rollout.enable_sleep_mode=false",  # vLLM has none on CPU
    "+verl.actor_rollout_ref.rollout.calculate_log_probs=true",
    "+verl.actor_rollout_ref.rollout.dtype=float32",  # the actor's: weights of the step before would stand out
)
STEPS = range(1, 3)  # the second draws with what the first has made of the weights
SMALL = (
    "model=tiny-40k",  # its settings: the model itself is one of `families`
    "cluster.device=cpu",
    f"training.total_steps={STEPS[-1]}",
    "training.train_batch_size=8",
    "training.ppo_mini_batch_size=8",
    "training.max_prompt_length=192",
    "training.lr_warmup_steps=0",  # verl's warm-up begins at 0: the first step would move nothing
    "algorithm.rollout_n=4",
    "algorithm.entropy_coeff=0.1",  # moves the policy, though an untrained model earns no reward
    "eval.val_problems_per_domain=2",
    "eval.problems_per_domain=2",
    "data_scale=n64",
    *VLLM,
)
Metrics = dict[int, dict[str, Any]]  # by step


class Job:
    """Training attempts in one run folder, from a model of a family."""

    def __init__(self, folder: Path, family: str) -> None:
        self.run_dir = RunDir(results_dir=folder, run_id=RunId("run"))
        # No rows beyond the tokenizer's: verl's vLLM draws none of them, which the actor, that has them, cannot know.
        self.model = build(folder / "model", family, padded=False)

    def begin(self, *overrides: str) -> tuple[RunSpec, PreparedData, JobContext]:
        """An attempt that has its data."""
        one = spec(*over(SMALL, overrides))
        data = materialise(data_spec(one), self.run_dir.results_dir / "data")
        return one, data, begin(self.run_dir, one, self.run_dir.new_attempt())

    def fine_tune(self, *overrides: str) -> None:
        """Start from the model after supervised fine-tuning."""
        one, data, job = self.begin(*overrides)
        assert data.sft is not None
        base = PreparedModel(path=self.model, digest="base")
        self.model = fine_tuned(one, base, data.sft, self.run_dir.results_dir, job.children).model.path

    def train(self, *overrides: str) -> Metrics:
        """Train once."""
        _, data, job = self.begin(*overrides)
        train(job, model=self.model, train_file=data.train, val_file=data.val)
        lines = [json.loads(line) for line in job.attempt.metrics.read_text().splitlines()]
        return {line["step"]: line["data"] for line in lines}


def assert_trained(metrics: Metrics, steps: range = STEPS, *, apart: float = 1e-5) -> None:
    """Every step updated the policy, on tokens that vLLM drew with the weights which the step began with.

    `apart`: how far the probabilities of a step's tokens may be from the actor's, in the mean.
    """
    assert set(metrics) == {steps.start - 1, *steps}  # verl validates before it trains
    for step in steps:
        assert metrics[step]["actor/grad_norm"] > 0
        assert metrics[step]["training/rollout_probs_diff_valid"] == 1
        assert metrics[step]["training/rollout_probs_diff_mean"] < apart


@pytest.fixture(scope="module")
def grpo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Job, Metrics]:
    job = Job(tmp_path_factory.mktemp("grpo"), "qwen2")
    return job, job.train("algorithm=grpo", f"training.save_freq={STEPS[-1]}")


def test_grpo_trains_on_what_vllm_drew_with_the_trained_weights(grpo: tuple[Job, Metrics]) -> None:
    _, metrics = grpo
    assert_trained(metrics)
    assert all(metrics[step]["training/rollout_probs_diff_max"] < 1e-3 for step in STEPS)


def test_a_resumed_run_draws_with_the_weights_of_its_checkpoint(grpo: tuple[Job, Metrics]) -> None:
    job, _ = grpo
    assert_trained(job.train("algorithm=grpo", "training.total_steps=4"), range(3, 5))


def test_ppo_trains_its_critic_on_what_vllm_drew(tmp_path: Path) -> None:
    metrics = Job(tmp_path, "llama").train("algorithm=ppo")
    assert_trained(metrics)
    assert all(metrics[step]["critic/grad_norm"] > 0 for step in STEPS)


def test_reinforce_plus_plus_trains_on_what_vllm_drew_in_bfloat16(tmp_path: Path) -> None:
    as_on_gpus = "+verl.actor_rollout_ref.rollout.dtype=bfloat16"
    assert_trained(Job(tmp_path, "qwen3").train("algorithm=reinforce_plus_plus", as_on_gpus), apart=1e-3)


def test_vllm_draws_with_adapters_merged(tmp_path: Path) -> None:
    adapters = ("algorithm=grpo", "algorithm.lora.rank=4", "algorithm.kl.in_loss=true")
    metrics = Job(tmp_path, "olmo2").train(*adapters)
    assert_trained(metrics, apart=1e-3)  # verl rounds what it merged to bfloat16
    assert metrics[1]["actor/kl_loss"] == pytest.approx(0, abs=1e-6)
    assert metrics[2]["actor/kl_loss"] > 0


def test_rl_goes_on_from_a_fine_tuned_model(tmp_path: Path) -> None:
    job = Job(tmp_path, "smollm")
    base = job.model
    share = ("algorithm=grpo", "data.sft_share=0.25", "training.sft.lr=1e-3")
    job.fine_tune(*share)
    assert job.model != base
    assert_trained(job.train(*share))
