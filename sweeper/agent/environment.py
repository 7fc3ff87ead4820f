"""Acting in an environment: every turn of the model is an action, every observation a user's message."""

import hashlib
from functools import partial
from pathlib import Path
from typing import Any

from sweeper.agent.blocking import in_thread
from sweeper.agent.environments.registry import environment
from sweeper.agent.loop import PATIENCE, shown
from sweeper.agent.turns import Message, Trajectory, TurnLoop
from sweeper.rows.trajectories import Ended


class EnvironmentLoop(TurnLoop):
    """Ends when the environment does, whose verdict it keeps; steps count as calls.

    An environment that raises or hangs is broken, and so is the trajectory: it is lost.
    """

    def __init__(self, *args: Any, own: str | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        assert self.agent.environment is not None
        made = environment(self.agent.environment, self.agent, None if own is None else Path(own))
        self._episode = made(self.agent.limits)
        self._begun = False

    async def begin(self, trajectory: Trajectory) -> None:
        """Reset: the same row begins the same episode, whoever plays it.

        Raises:
            RuntimeError: It hangs.
        """
        self._begun = True
        seed = seed_of(trajectory)
        opening = await self._within(partial(self._episode.reset, trajectory.row, seed), "begin")
        if opening is not None:
            kept = [message for message in trajectory.messages if message["role"] == "system"]
            trajectory.messages = [*kept, {"role": "user", "content": self._shown(opening)}]

    async def react(self, trajectory: Trajectory) -> list[Message] | Ended:
        """The turn with what the environment made of it.

        Raises:
            RuntimeError: It hangs.
        """
        most = self.agent.max_calls
        if most is not None and trajectory.calls >= most:
            trajectory.refused += 1
            return Ended.call_limit
        action = self.tokenizer.decode(trajectory.last, skip_special_tokens=True)
        step = await self._within(partial(self._episode.step, action), "step")
        trajectory.calls += 1
        trajectory.errors += not step.ok
        trajectory.tool_cpu_s += step.cpu_s
        if step.done:
            trajectory.correct = bool(step.correct)
            return Ended.answered
        if trajectory.turns >= self.max_turns:
            return Ended.turn_limit
        observed = {"role": "user", "content": self._shown(step.observation)}
        return [{"role": "assistant", "content": action}, observed]

    async def end(self) -> None:
        """Close the episode."""
        if self._begun:
            await self._within(self._episode.close, "close")

    def _shown(self, text: str) -> str:
        return shown(text, self.agent.observation_chars, self.tokenizer)

    async def _within(self, call: Any, what: str) -> Any:
        seconds = PATIENCE * self.agent.limits.wall_s
        try:
            return await in_thread(call, seconds)
        except TimeoutError:
            raise RuntimeError(f"{self.agent.environment} did not {what} within {seconds:g} s") from None


def seed_of(trajectory: Trajectory) -> int:
    """Of an episode, by its problem."""
    extra = trajectory.row.get("extra_info") or {}
    named = extra.get("problem_id") or trajectory.row["raw_prompt"]
    return int.from_bytes(hashlib.sha256(str(named).encode()).digest()[:4], "big")
