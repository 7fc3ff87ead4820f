"""Find a secret number: after a wrong guess the answer is `<` (it is smaller) or `>`.

The ceiling is known: T guesses tell at most 2^T - 1 secrets apart, so no policy finds more than min(1, (2^T - 1) / N)
of N equally likely ones.
"""

import re
import time
from collections.abc import Mapping
from typing import Any

from sweeper.agent.environments.environment import Step
from sweeper.host.errors import ConfigError
from sweeper.spec.agent import ToolLimits

NAME = "higher_lower"
_NUMBER = re.compile(r"[0-9]{1,12}")
_BOXED = re.compile(r"\\boxed\{([0-9]{1,12})\}")


class HigherLower:
    """The secret is the row's ground truth. What is no number ends the episode."""

    version = "1"

    def __init__(self, limits: ToolLimits) -> None:
        del limits  # a comparison of two numbers

    def reset(self, row: Mapping[str, Any], seed: int) -> None:
        """The row's prompt names the range.

        Raises:
            ConfigError: The ground truth is no whole number.
        """
        del seed
        gold = str((row.get("reward_model") or {}).get("ground_truth"))
        if not _NUMBER.fullmatch(gold):
            raise ConfigError(
                f"agent.environment=higher_lower needs rows whose ground truth is a whole number, and one has "
                f"{gold[:40]!r}; set data.tasks=agent with the domain logic"
            )
        self._secret = int(gold)

    def step(self, text: str) -> Step:
        r"""A guess: a whole number, bare or as `\boxed{n}`."""
        begun = time.thread_time()
        said = text.strip()[:64]
        boxed = _BOXED.fullmatch(said)
        said = boxed[1] if boxed else said
        if not _NUMBER.fullmatch(said):
            return Step("error", done=True, ok=False, cpu_s=time.thread_time() - begun)
        guess = int(said)
        found = guess == self._secret
        seen = "=" if found else "<" if self._secret < guess else ">"
        return Step(seen, done=found, correct=found, cpu_s=time.thread_time() - begun)

    def close(self) -> None:
        """Nothing is held."""


def ceiling(numbers: int, turns: int) -> float:
    """The share of secrets, of `numbers` equally likely ones, that the best policy finds in `turns` guesses."""
    return float(min(1.0, (2**turns - 1) / numbers))
