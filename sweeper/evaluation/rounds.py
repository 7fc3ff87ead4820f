"""What answers the loops of an agent's trajectories: one batch per round, when all that still act wait for a turn.

So a round is the same whenever tools come back, and an engine that batches is as full as it can be. A loop meets it as
verl's client of inference servers (`verl.workers.rollout.llm_server.LLMServerClient.generate`).
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from sweeper.generation.sampling import Engine, Request, Sample, Sampling


class _Waiting(NamedTuple):
    request: Request
    stops: tuple[int, ...]
    answer: "asyncio.Future[Sample]"


class Rounds:
    """The rounds of some trajectories, each of which has a seat from before the first round until it has ended.

    Args:
        engine: Generates, in this process and its event loop: nothing else is to be done meanwhile.
        sampling: How to draw.
        seats: How many trajectories there are.
    """

    def __init__(self, engine: Engine, sampling: Sampling, *, seats: int) -> None:
        self._engine, self._sampling, self._live = engine, sampling, seats
        self._waiting: dict[int, _Waiting] = {}
        self._is_broken = False
        self.played = 0  # rounds so far

    async def ask(self, number: int, request: Request, stops: tuple[int, ...]) -> Sample:
        """The next turn of a trajectory.

        Args:
            number: Of the trajectory: its place in every round's batch.
            request: What it asks.
            stops: Tokens that end the turn beside the model's own; those of one agent are the same.
        """
        answer: asyncio.Future[Sample] = asyncio.get_running_loop().create_future()
        self._waiting[number] = _Waiting(request, stops, answer)
        self._play_if_all_wait()
        return await answer

    def leave(self) -> None:
        """A trajectory has ended, however: nobody waits for it any more."""
        self._live -= 1
        self._play_if_all_wait()

    def break_off(self) -> None:
        """A trajectory was lost, so no further round is played."""
        self._is_broken = True

    def _play_if_all_wait(self) -> None:
        if self._is_broken or not self._waiting or len(self._waiting) < self._live:
            return
        batch, self._waiting = [self._waiting[number] for number in sorted(self._waiting)], {}
        self.played += 1
        sampling = replace(self._sampling, stops=batch[0].stops)
        samples = self._engine.round([one.request for one in batch], sampling=sampling)
        for one, sample in zip(batch, samples, strict=True):
            one.answer.set_result(sample)


class Seat:
    """One trajectory's place in the rounds: what its loop takes for verl's client.

    Args:
        rounds: Of all trajectories of the block.
        number: Of the trajectory among them.
        draw: Of its requests.
    """

    def __init__(self, rounds: Rounds, *, number: int, draw: int) -> None:
        self._rounds, self._number, self._draw = rounds, number, draw

    async def generate(
        self, request_id: str, *, prompt_ids: list[int], sampling_params: Mapping[str, Any], **_: Any
    ) -> Any:
        """As verl's client does; `max_tokens` must be among the parameters."""
        from verl.workers.rollout.replica import TokenOutput

        del request_id
        request = Request(token_ids=tuple(prompt_ids), limit=int(sampling_params["max_tokens"]), draw=self._draw)
        stops = tuple(sampling_params.get("stop_token_ids") or ())
        sample = await self._rounds.ask(self._number, request, stops)
        return TokenOutput(
            token_ids=list(sample.token_ids),
            log_probs=None,
            stop_reason="completed" if sample.finished else "length",
            num_preempted=0,
            extra_fields={},
        )
