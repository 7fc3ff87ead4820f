"""What an environment is to the loop that acts in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from sweeper.spec.agent import ToolLimits


@dataclass(frozen=True, slots=True)
class Step:
    """What an action did.

    Attributes:
        observation: What the model is shown next, as a user's message; of no use once it is done.
        done: Whether the episode is over. What comes after is no step.
        correct: Whether the goal was reached; only a step that is done can say so. It is the episode's verdict.
        ok: Whether the action was one that the environment knows; false counts as an error.
        cpu_s: CPU seconds that the step took, in whatever process.
    """

    observation: str
    done: bool
    correct: bool = False
    ok: bool = True
    cpu_s: float = 0.0


class Environment(Protocol):
    """One episode: made, reset once, stepped until it is done or the turns are used up, closed."""

    def reset(self, row: Mapping[str, Any], seed: int) -> str | None:
        """Begins the episode of a row.

        Args:
            row: The problem's, with its ground truth: the environment knows what is asked for, the model does not.
            seed: Of everything that is drawn; the same row and seed give the same episode.

        Returns:
            What the model is shown as the user's message, in place of the row's prompt; None: the row's prompt.

        Raises:
            ConfigError: The row has no episode: a ground truth that the environment cannot read.
        """
        ...

    def step(self, text: str) -> Step:
        """Does what the model wrote in one turn; never raises for what it wrote."""
        ...

    def close(self) -> None:
        """Ends what the episode holds; safe to call twice."""
        ...


class EnvironmentClass(Protocol):
    """Makes episodes.

    Attributes:
        version: Of the environment's behaviour; another version is another run.
    """

    version: str

    def __call__(self, limits: ToolLimits) -> Environment:
        """An episode, not begun; each of its steps keeps the limits."""
        ...
