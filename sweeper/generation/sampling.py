"""What is asked of an engine and what it answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How to draw tokens; temperature 0 is greedy."""

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = -1  # -1: no limit
    max_tokens: int


class Sample(NamedTuple):
    """One completion.

    `log_probs` are of the tempered, unfiltered distribution, as verl's actor computes them; None from an engine that
    only evaluates.
    """

    token_ids: list[int]
    log_probs: list[float] | None
    finished: bool  # an end-of-sequence token was drawn (and is the last of token_ids)


class Engine(Protocol):
    """A loaded model that completes prompts.

    `samples_at_once` is how many completions keep it busy: long work is cut into calls of about that size.
    """

    samples_at_once: int

    def generate(
        self, prompts: Sequence[Sequence[int]], *, n: int, sampling: Sampling, seed: int
    ) -> list[list[Sample]]:
        """`n` completions of each prompt, in order; the same seed and prompts give the same completions."""
