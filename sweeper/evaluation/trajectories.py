"""Trajectories of an agent in this process: training's own loop, with rounds of an engine in place of verl's servers.

No Ray and no queue: verl's manager of agent loops spends more CPU on a trajectory than its tools and its model here.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from sweeper.agent.loops import Loops
from sweeper.agent.record import FIELD, Record
from sweeper.evaluation.acting import Acting
from sweeper.evaluation.problems import Problem
from sweeper.evaluation.rounds import Rounds, Seat
from sweeper.evaluation.scoring import Acted, Answered
from sweeper.evaluation.transcript import Transcript, segments
from sweeper.generation.sampling import Engine, Sampling, Take
from sweeper.host.errors import RunFailedError
from sweeper.rows.sample import Turn
from sweeper.rows.trajectories import Ended

AT_ONCE = 1024  # trajectories that act together: some 30 MB of Python's objects, and a full batch of vLLM's
_ANY = 1 << 30  # tokens: a held-out problem is measured however long its prompt is, as without an agent


class Player:
    """Plays the trajectories of problems, block by block.

    Args:
        acting: The agent.
        tokenizer: Of the model.
        model_type: Of the model's configuration, by which verl knows how its messages are joined.
        sampling: How to draw; `max_tokens` are of all turns and observations of a trajectory together.
    """

    def __init__(self, acting: Acting, tokenizer: Any, model_type: str, sampling: Sampling) -> None:
        self._acting, self._tokenizer, self._sampling = acting, tokenizer, sampling
        self._loops = Loops(
            acting.agent,
            tokenizer=tokenizer,
            model_type=model_type,
            style=acting.format,
            max_prompt_length=_ANY,
            max_response_length=sampling.max_tokens,
            own=acting.own,
        )

    def answers(self, engine: Engine, take: Take, problems: Sequence[Problem], n: int) -> Iterator[list[Answered]]:
        """`n` trajectories of every problem that `take` gives, as `Engine.answers` takes them.

        What a trajectory draws hangs on the engine's seed, what came before each turn, the problem's place and the
        sample's: not on the block, nor on who measures it.

        Raises:
            RunFailedError: a trajectory was lost; says of which problem, and why.
        """
        with asyncio.Runner() as runner:
            while given := take(max(1, AT_ONCE // n)):
                places = [place for place, _ in given]
                seats = [(place, sample) for place in places for sample in range(n)]
                outputs = [
                    output
                    for first in range(0, len(seats), AT_ONCE)
                    for output in runner.run(self._block(engine, problems, seats[first : first + AT_ONCE], n))
                ]
                transcripts = self._transcripts(outputs)
                yield [
                    self._answered(problems[place], outputs[i * n : (i + 1) * n], transcripts[i * n : (i + 1) * n])
                    for i, place in enumerate(places)
                ]

    async def _block(
        self, engine: Engine, problems: Sequence[Problem], seats: Sequence[tuple[int, int]], n: int
    ) -> list[Any]:
        """What verl's loops return of some trajectories, in their order."""
        rounds = Rounds(engine, self._sampling, seats=len(seats))
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(self._play(problems[place], rounds, number, n * place + sample))
                    for number, (place, sample) in enumerate(seats)
                ]
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        return [task.result() for task in tasks]

    async def _play(self, problem: Problem, rounds: Rounds, number: int, draw: int) -> Any:
        row = {name: value for name, value in problem.row.items() if name != "prompt"} | {
            "raw_prompt": problem.row["prompt"]
        }
        parameters = {"temperature": self._sampling.temperature, "top_p": self._sampling.top_p, "top_k": -1}
        try:
            loop = self._loops.loop(Seat(rounds, number=number, draw=draw))
            return await loop.run(parameters, request_id=str(number), **row)
        except Exception as error:  # the boundary to loops: without one trajectory a problem's counts are not its own
            rounds.break_off()
            raise RunFailedError(
                f"a trajectory of problem {problem.problem_id} was lost: {type(error).__name__}: {error}"
            ) from error
        finally:
            rounds.leave()

    def _answered(self, problem: Problem, outputs: Sequence[Any], transcripts: list[Transcript]) -> Answered:
        records = [Record.of(output.extra_fields[FIELD]) for output in outputs]
        return Answered(
            problem=replace(problem, prompt_ids=list(outputs[0].prompt_ids)),
            texts=[record.answer for record in records],
            finished=[record.ended is Ended.answered for record in records],
            tokens=[len(output.response_ids) for output in outputs],
            acted=Acted(records=records, transcripts=transcripts, max_turns=self._acting.told_turns),
        )

    def _transcripts(self, outputs: Sequence[Any]) -> list[Transcript]:
        observed = "user" if self._acting.agent.environment is not None else "tool"
        parts = [segments(output.response_mask) for output in outputs]
        ids = [
            output.response_ids[first:end]
            for output, part in zip(outputs, parts, strict=True)
            for first, end, _ in part
        ]
        texts = iter(self._tokenizer.batch_decode(ids, skip_special_tokens=True))
        return [
            Transcript(
                turns=tuple(
                    Turn(role="assistant" if drawn else observed, text=next(texts), tokens=end - first, trained=drawn)
                    for first, end, drawn in part
                )
            )
            for part in parts
        ]
