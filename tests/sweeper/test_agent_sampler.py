"""A step's trajectories as metrics, and an end to a run that loses them."""

from types import SimpleNamespace
from typing import Any

import pytest
from verl.trainer.ppo.v1 import replay_buffer

from sweeper.agent.record import Record
from sweeper.rows.trajectories import Ended
from sweeper.rows.trajectory_metrics import from_metrics
from sweeper.training import sampler
from sweeper.training.agent_sampler import AgentReplayBuffer, TrajectoriesLostError, refuse_lost
from sweeper.verl_cpu.sampler import FastAgentReplayBuffer

RECORD = Record(
    answer="7", ended=Ended.answered, turns=2, calls=1, errors=0, refused=0, generated=20, observed=7,
    prefilled_again=30, tool_cpu_s=0.5,
)  # fmt: skip


def buffer(kind: type[AgentReplayBuffer] = AgentReplayBuffer) -> AgentReplayBuffer:
    return kind(
        trainer_mode="sync", trainer_config={}, max_off_policy_threshold=None, max_off_policy_strategy="drop",
        sampler_kwargs={"n": 4, "val_n": 1},
    )  # fmt: skip


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What verl's queue holds of a batch, one entry per trajectory."""
    held: list[dict[str, Any]] = []

    def sample(self: Any, global_steps: int, partition_id: str, batch_size: int) -> tuple[Any, dict[str, Any]]:
        return SimpleNamespace(keys=[f"u{i // 4}_{i % 4}_0" for i in range(len(held))]), {"verls": 1.0}

    monkeypatch.setattr(replay_buffer.ReplayBuffer, "sample", sample)
    monkeypatch.setattr(sampler.tq, "kv_batch_get", lambda **_: {"extra_fields": held})
    return held


def test_a_steps_trajectories_are_metrics_beside_verls(queue: list[dict[str, Any]]) -> None:
    queue += [{"agent": RECORD.plain()}] * 8
    _, told = buffer().sample(1, "train", 2)
    assert (told["verls"], told["agent/lost"], told["agent/sum/n"], told["agent/turns_mean"]) == (1.0, 0.0, 8.0, 2.0)
    found = from_metrics(told)
    assert found is not None
    assert (found.calls, found.ended, found.tool_cpu_s) == (8, {"answered": 8}, 4.0)


def test_lost_trajectories_are_counted_and_above_one_percent_they_end_the_run(queue: list[dict[str, Any]]) -> None:
    queue += [{"agent": RECORD.plain()}] * 127
    made = buffer()
    _, told = made.sample(1, "train", 32)
    assert told["agent/lost"] == 1.0  # of 128: below 1%
    assert told["agent/sum/n"] == 127.0
    del queue[126:]
    with pytest.raises(TrajectoriesLostError, match=r"3 of 256 trajectories \(1.2%\) ended with an error"):
        made.sample(2, "train", 32)


def test_validations_lose_on_an_account_of_their_own(queue: list[dict[str, Any]]) -> None:
    queue += [{"agent": RECORD.plain()}] * 98
    with pytest.raises(TrajectoriesLostError, match="2 of 100"):
        buffer().sample(1, "val", 100)


@pytest.mark.parametrize(("lost", "asked", "ends"), [(1, 4, False), (2, 100, True), (1, 100, False), (13, 128, True)])
def test_one_lost_trajectory_ends_no_run_and_more_than_one_percent_does(lost: int, asked: int, ends: bool) -> None:
    if not ends:
        return refuse_lost(lost, asked)
    with pytest.raises(TrajectoriesLostError):
        refuse_lost(lost, asked)
    return None


def test_a_trajectory_of_another_loop_is_an_error(queue: list[dict[str, Any]]) -> None:
    queue += [{"turn_scores": []}] * 4
    with pytest.raises(KeyError, match="agent"):
        buffer().sample(1, "train", 1)


def test_on_cpu_it_looks_more_often(queue: list[dict[str, Any]]) -> None:
    assert (buffer().poll_interval, buffer(FastAgentReplayBuffer).poll_interval) == (2.0, 0.02)
    queue += [{"agent": RECORD.plain()}] * 4
    assert buffer(FastAgentReplayBuffer).sample(1, "train", 1)[1]["agent/sum/n"] == 4.0
