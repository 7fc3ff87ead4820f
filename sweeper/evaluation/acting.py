"""How an evaluation acts: what a process that generates is told in a file."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from rewards.bounded_file import parsed, read_text
from sweeper.agent.plain_agent import agent_of, plain
from sweeper.agent.tools.registry import tool
from sweeper.spec.agent import FOLDER, Agent
from sweeper.spec.run import RunSpec

_TOLD = 32  # tokens that tell a budget, at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Acting:
    """An agent, and what of its run it needs.

    Attributes:
        agent: Of the run.
        format: verl's parser of tool calls: the agent's, or its model's.
        own: Folder with the files of the user's own tools and environments; None: there are none.
    """

    agent: Agent
    format: str | None
    own: Path | None = None

    @classmethod
    def of(cls, spec: RunSpec, results_dir: Path) -> Self | None:
        """A run's; None: it has no agent."""
        if not spec.agent.acts:
            return None
        own = results_dir / FOLDER if spec.agent.files else None
        return cls(agent=spec.agent, format=spec.call_format, own=own)

    def to_json(self) -> str:
        """One line; `read` reads it back."""
        own = None if self.own is None else str(self.own)
        told = {"agent": parsed(plain(self.agent)), "format": self.format, "own": own}
        return json.dumps(told, sort_keys=True) + "\n"

    @classmethod
    def read(cls, path: Path) -> Self:
        """What `to_json` wrote."""
        told = parsed(read_text(path))
        own = None if told["own"] is None else Path(told["own"])
        return cls(agent=agent_of(json.dumps(told["agent"])), format=told["format"], own=own)

    @property
    def schemas(self) -> list[dict[str, Any]]:
        """Of its tools, for the chat template."""
        return [tool(name, self.agent, self.own).schema for name in self.agent.tools]

    def longest(self, prompt: int, response: int) -> int:
        """Most tokens of a trajectory.

        Args:
            prompt: Tokens of the longest prompt, with the schemas.
            response: Most tokens behind it.
        """
        # What is told of a budget, or what an environment opens with.
        opening = self.agent.observation_chars if self.agent.environment is not None else 0
        return self.agent.context or prompt + _TOLD + opening + response

    @property
    def told_turns(self) -> int:
        """By how many turns right answers are counted: the prompt that tells a budget is another one for each."""
        return 0 if self.agent.tell_budget else self.agent.max_turns
