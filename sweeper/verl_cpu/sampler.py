"""Replay buffers that look more often, through verl's `trainer.v1.sampler.custom_sampler`."""

from typing import Any

from sweeper.training.agent_sampler import AgentReplayBuffer
from sweeper.training.sampler import CountingReplayBuffer


class _Fast:
    """A buffer polled every 20 ms instead of every 2 s: a tiny model's step is shorter than verl's wait."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("poll_interval", 0.02)
        super().__init__(*args, **kwargs)


class FastReplayBuffer(_Fast, CountingReplayBuffer):
    """That of a run without an agent."""


class FastAgentReplayBuffer(_Fast, AgentReplayBuffer):
    """That of an agent."""
