"""A game of textarena for one player; runs in a process of its own, as environments of users do.

An action is the model's whole turn; games look in it for what they know, most of them `[...]`.
"""

import random
from collections.abc import Mapping
from typing import Any

PLAYER = 0


class Game:
    """One episode. It is won if the game's own reward is 1; whatever it draws follows from the seed."""

    def __init__(self, name: str) -> None:
        """Args: name: As textarena registers it, such as `Sokoban-v0`."""
        import textarena

        self._env: Any = textarena.make(f"{name}-raw")

    def reset(self, row: Mapping[str, Any], seed: int) -> str:
        """The rules and the first position; the row says nothing."""
        del row
        random.seed(seed)  # some games draw from the module's own generator
        self._env.reset(num_players=1, seed=seed)
        return self._seen()

    def step(self, text: str) -> dict[str, Any]:
        """An action; one that the game does not know costs a turn, the second in a row the game."""
        done, _ = self._env.step(text)
        if not done:
            return {"observation": self._seen(), "done": False, "correct": False}
        rewards, _ = self._env.close()
        return {"observation": "", "done": True, "correct": (rewards or {}).get(PLAYER, 0) >= 1}

    def _seen(self) -> str:
        _, messages = self._env.get_observation()
        return "\n".join(str(text) for sender, text, *_ in messages if sender != PLAYER)
