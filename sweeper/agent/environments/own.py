"""Environments of the user's own: `FILE.py:CLASS`, a class with `reset(row, seed)` and `step(text)`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

from sweeper.agent.environments.environment import Step
from sweeper.agent.own.inside import ENVIRONMENT
from sweeper.agent.own.own_code import OwnCode, OwnCodeError, own_code
from sweeper.agent.tools.own import plain
from sweeper.spec.agent import Agent, ToolLimits


class OwnEnvironment:
    """Makes episodes of one class; they run in processes of their own, which they share."""

    def __init__(self, path: Path, name: str, agent: Agent, version: str, given: tuple[str, ...] = ()) -> None:
        """Nothing is started yet.

        Args:
            path: Of the file, or of its copy.
            name: Of the class.
            agent: Of the run.
            version: Digest of the file.
            given: Arguments of the class.
        """
        self.version = version
        self._code = own_code(ENVIRONMENT, path, name, agent.limits.memory_mb)
        self._feedback, self._given = agent.feedback, given

    def __call__(self, limits: ToolLimits) -> "OwnEpisode":
        """An episode, not begun."""
        return OwnEpisode(self._code, limits, feedback=self._feedback, given=self._given)


class OwnEpisode:
    """One episode. Its process may end and another one play on: each step tells all actions before it.

    So an episode must draw from its seed alone; one that does not is found out when it is played again, and ends.
    """

    def __init__(self, code: OwnCode, limits: ToolLimits, *, feedback: bool, given: tuple[str, ...]) -> None:
        self._code, self._limits, self._feedback = code, limits, feedback
        self._said: list[str] = []
        self._asked: dict[str, Any] = {"id": uuid4().hex, "given": given, "actions": [], "said": self._said}

    def reset(self, row: Mapping[str, Any], seed: int) -> str | None:
        """What the class's `reset` returns: the first message, or None for the row's prompt.

        Raises:
            OwnCodeError: It failed, or the file does not load.
        """
        known = ("data_source", "prompt", "raw_prompt", "reward_model", "extra_info")
        self._asked |= {"row": plain({name: row[name] for name in known if name in row}), "seed": seed}
        answer = self._code.ask(self._asked, self._limits)
        if "error" in answer:
            raise OwnCodeError(f"reset failed: {answer['error']}")
        opening: str | None = answer["opening"]
        return opening

    def step(self, text: str) -> Step:
        """What the class's `step` makes of it; one that fails or hangs ends the episode without success."""
        self._asked["actions"].append(text)
        answer = self._code.ask(self._asked, self._limits)
        if "error" in answer:
            seen = f"error: {answer['error']}" if self._feedback else "error"
            return Step(seen, done=True, ok=False, cpu_s=answer["cpu_s"])
        self._said.append(answer["observation"])
        return Step(**answer)

    def close(self) -> None:
        """Its process forgets it in time."""
