"""Real verl with vLLM as its rollout engine, on CPU: the nearest thing to the GPU path without a GPU."""

from dataclasses import replace
from pathlib import Path

import pytest

from data_prep.synthetic.tasks import SPECIAL_STRINGS
from sweeper.inputs import tiny
from tests.sweeper.conftest import SHAPE
from tests.verl.test_training import Job

pytestmark = pytest.mark.vllm

VLLM = (
    "+verl.actor_rollout_ref.rollout.name=vllm",
    "+verl.actor_rollout_ref.rollout.enforce_eager=true",
    "+verl.actor_rollout_ref.rollout.enable_sleep_mode=false",  # vLLM has none on CPU
    "+verl.actor_rollout_ref.rollout.calculate_log_probs=true",
)


def test_grpo_trains_on_what_vllm_drew_with_the_trained_weights(tmp_path: Path) -> None:
    model = tmp_path / "model"
    # vLLM's CPU attention needs 32 dimensions a head.
    tiny.build(model, replace(SHAPE, hidden_size=64, num_heads=2), special_strings=SPECIAL_STRINGS, seed=0)
    metrics = Job(tmp_path, model).train("algorithm=grpo", "training.total_steps=3", *VLLM)
    assert set(metrics) == {0, 1, 2, 3}
    for step in (1, 2, 3):
        assert metrics[step]["actor/grad_norm"] > 0
        assert metrics[step]["training/rollout_probs_diff_max"] < 1e-3
