"""What is asked of an engine and what it answers."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How to draw tokens; temperature 0 is greedy."""

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = -1  # -1: no limit
    max_tokens: int
    stops: tuple[int, ...] = ()  # tokens that end a completion beside the model's own


class Sample(NamedTuple):
    """One completion.

    `log_probs` are of the tempered, unfiltered distribution, as verl's actor computes them; None from an engine that
    only evaluates.
    """

    token_ids: Sequence[int]
    log_probs: list[float] | None
    finished: bool  # a token that ends it was drawn (and is the last of token_ids)


class Prompt(NamedTuple):
    """What is to be completed."""

    token_ids: Sequence[int]
    earlier: int = 0  # samples that others draw of equal token ids: these are other ones


class Request(NamedTuple):
    """One completion that is asked for: a turn of one of an agent's trajectories."""

    token_ids: Sequence[int]  # of all that came before it
    limit: int  # most tokens, at least 1
    draw: int  # whose turn it is: of two requests of equal token ids and draw one is as good as the other


Take = Callable[[int], Sequence[tuple[int, Prompt]]]
"""Asked with how many prompts there is room for, at least one; gives at most as many, each with a number of the asker's
own. None: there are no more."""


class Engine(Protocol):
    """A loaded model that completes prompts, with a seed of its own."""

    def answers(self, take: Take, *, n: int, sampling: Sampling) -> Iterator[list[tuple[int, list[Sample]]]]:
        """`n` completions of every prompt that `take` gives, by its number, as they are done.

        It takes more whenever it would idle otherwise. Samples hang on no other prompt than their own.
        """

    def round(self, requests: Sequence[Request], *, sampling: Sampling) -> list[Sample]:
        """One completion for each request, in their order; `sampling.max_tokens` is not looked at."""
