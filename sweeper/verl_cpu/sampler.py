"""Replay buffers that look more often, through verl's `trainer.v1.sampler.custom_sampler`."""

from typing import Any

from verl.trainer.ppo.v1.replay_buffer import ReplayBuffer

from sweeper.agent.sampler import AgentReplayBuffer


class FastReplayBuffer(ReplayBuffer):  # type: ignore[misc]  # verl has no types
    """verl's own buffer, polled every 20 ms instead of every 2 s: a tiny model's step is shorter than verl's wait."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("poll_interval", 0.02)
        super().__init__(*args, **kwargs)


class FastAgentReplayBuffer(FastReplayBuffer, AgentReplayBuffer):
    """That of an agent, polled as often."""
