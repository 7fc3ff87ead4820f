"""One trajectory on verl's rollout: the model's turns, and what it observes between them.

verl makes one loop per trajectory (`AgentLoopWorker._run_agent_loop`, v0.9.1), so a loop's attributes are the
trajectory's. Tokens that the model drew are never encoded anew; what comes between them is appended by verl's
continuous-token builder of the model's family.
"""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from verl.experimental.agent_loop.agent_loop import AgentLoopBase, AgentLoopOutput
from verl.utils.profiler import simple_timer

from sweeper.agent.builders import builder_for
from sweeper.agent.plain_agent import agent_of
from sweeper.agent.prompt import ending_of
from sweeper.agent.record import FIELD, Record
from sweeper.rows.trajectories import Ended

Message = dict[str, Any]


@dataclass(slots=True)
class Trajectory:
    """What has happened so far: messages, tokens, counts.

    Of `ids` the prompt's come first; `mask` (1: the model drew it) and `log_probs` are of those after them.
    """

    messages: list[Message]
    row: Mapping[str, Any]
    ids: list[int] = field(default_factory=list)
    mask: list[int] = field(default_factory=list)
    log_probs: list[float] = field(default_factory=list)
    last: list[int] = field(default_factory=list)  # tokens of the last turn
    turns: int = 0
    rounds: int = 0  # observations
    calls: int = 0
    errors: int = 0
    refused: int = 0
    prefilled_again: int = 0
    tool_cpu_s: float = 0.0
    correct: bool | None = None  # an environment's verdict
    extra: dict[str, Any] = field(default_factory=dict)  # of the engine
    metrics: dict[str, Any] = field(default_factory=lambda: {"num_preempted": -1})  # as verl says "unknown"
    routed_experts: Any = None


class TurnLoop(AgentLoopBase):  # type: ignore[misc]  # verl has no types
    """Turns and observations in alternation, until the model or the environment ends them, or a limit does."""

    schemas: list[dict[str, Any]] | None = None  # of tools, for the chat template
    stops: tuple[int, ...] = ()  # tokens that end a turn beside the model's own

    def __init__(self, *args: Any, agent: str, name: str = "", **kwargs: Any) -> None:
        del name  # of verl's registry
        super().__init__(*args, **kwargs)
        self.agent = agent_of(agent)
        self.continuous_token_builder: Any = builder_for(self.continuous_token_builder)
        rollout = self.rollout_config
        self._response_length = int(rollout.response_length)
        self._context = self.agent.context or int(rollout.prompt_length) + self._response_length
        self.max_turns = int(rollout.multi_turn.max_assistant_turns)

    @abstractmethod
    async def begin(self, trajectory: Trajectory) -> None:
        """Prepare; `trajectory.messages` are the row's prompt, and may be replaced."""

    @abstractmethod
    async def react(self, trajectory: Trajectory) -> list[Message] | Ended:
        """What follows the last turn: the turn as a message with the observations after it, or the end."""

    async def end(self) -> None:
        """Let go of what is held, however it ended."""

    async def run(
        self, sampling_params: dict[str, Any], priority: int = 0, request_id: str | None = None, **row: Any
    ) -> AgentLoopOutput:
        """One trajectory.

        Args:
            sampling_params: Of the engine; `max_tokens` is set for each turn.
            priority: Names the request in verl's deterministic mode.
            request_id: Names the trajectory's requests to the engine; None: verl's way.
            **row: Of the data, with `raw_prompt`.

        Returns:
            verl's output; the record is in `extra_fields["agent"]`.

        Raises:
            ValueError: The prompt is longer than `training.max_prompt_length`.
            RuntimeError: The engine gave up, or the environment did.
        """
        request = request_id or (f"det-{priority}" if self.rollout_config.full_determinism else uuid4().hex)
        trajectory = Trajectory(messages=[dict(message) for message in row["raw_prompt"]], row=row)
        try:
            await self.begin(trajectory)
            if ending := ending_of(self.agent):
                last = trajectory.messages[-1]
                trajectory.messages[-1] = {**last, "content": f"{last['content']}{ending}"}
            trajectory.ids = await self.ct_build_initial_tokens(trajectory.messages, tools=self.schemas)
            ended = await self._alternate(trajectory, sampling_params, request)
        finally:
            await self.end()
        return self._output(trajectory, ended)

    async def _alternate(self, trajectory: Trajectory, sampling_params: dict[str, Any], request: str) -> Ended:
        while True:
            limit = min(self._room(trajectory), self.agent.turn_tokens or self._context)
            if await self._turn(trajectory, sampling_params, request, limit):
                return Ended.turn_cut
            with simple_timer("tool_calls", trajectory.metrics):
                reaction = await self.react(trajectory)
            if isinstance(reaction, Ended):
                return reaction
            if not await self._observe(trajectory, reaction):
                return Ended.context_limit

    def _room(self, trajectory: Trajectory) -> int:
        """Tokens that still fit."""
        return min(self._response_length - len(trajectory.mask), self._context - len(trajectory.ids))

    async def _turn(self, made: Trajectory, sampling_params: dict[str, Any], request: str, limit: int) -> bool:
        """Generate one turn; whether it was cut off at `limit` tokens."""
        if limit < 1:
            raise ValueError(
                f"a prompt of {len(made.ids)} tokens leaves the model none of agent.context={self._context}"
            )
        params = {**sampling_params, "max_tokens": limit}
        if self.stops:
            params["stop_token_ids"] = sorted({*(params.get("stop_token_ids") or ()), *self.stops})
        with simple_timer("generate_sequences", made.metrics):
            output = await self.server_manager.generate(
                request_id=request, prompt_ids=list(made.ids), sampling_params=params
            )
        if output.stop_reason == "aborted":
            raise RuntimeError("the engine aborted a turn")
        made.prefilled_again += len(made.ids) if made.turns else 0
        made.turns += 1
        made.last = list(output.token_ids)
        if output.num_preempted is not None:
            made.metrics["num_preempted"] = max(0, made.metrics["num_preempted"]) + output.num_preempted
        made.extra = {**output.extra_fields, **made.extra} | _newest(output.extra_fields)
        made.routed_experts = output.routed_experts if output.routed_experts is not None else made.routed_experts
        log_probs = output.log_probs or None
        merged, made.mask, new = await self.ct_merge_assistant_token(
            made.ids, made.last, made.mask, made.log_probs if log_probs else None, assistant_logprobs=log_probs
        )
        made.ids, made.log_probs = merged.token_ids, new if new is not None else []
        ends = {self.tokenizer.eos_token_id, *self.stops}
        # vLLM's server calls both "completed".
        return output.stop_reason == "length" or (
            len(made.last) >= limit and (not made.last or made.last[-1] not in ends)
        )

    async def _observe(self, made: Trajectory, reaction: list[Message]) -> bool:
        """Append observations; false, and nothing appended, where no token of a turn would fit after them."""
        before = [*made.messages, reaction[0]]
        after = [*before, *reaction[1:]]
        merged, mask, log_probs = await self.ct_merge_context_msg(
            before, after, made.ids, made.mask, made.log_probs or None, tools=self.schemas
        )
        if len(mask) >= self._response_length or len(merged.token_ids) >= self._context:
            return False
        made.messages, made.ids, made.mask, made.log_probs = after, merged.token_ids, mask, log_probs or []
        made.rounds += 1
        return True

    def _output(self, made: Trajectory, ended: Ended) -> AgentLoopOutput:
        answered = ended is Ended.answered
        record = Record(
            answer=self.tokenizer.decode(made.last, skip_special_tokens=True) if answered else "",
            correct=made.correct,
            ended=ended,
            turns=made.turns,
            calls=made.calls,
            errors=made.errors,
            refused=made.refused,
            generated=sum(made.mask),
            observed=len(made.mask) - sum(made.mask),
            prefilled_again=made.prefilled_again,
            tool_cpu_s=made.tool_cpu_s,
        )
        prompt = len(made.ids) - len(made.mask)
        return AgentLoopOutput(
            prompt_ids=made.ids[:prompt],
            response_ids=made.ids[prompt:],
            response_mask=made.mask,
            response_logprobs=made.log_probs or None,
            routed_experts=made.routed_experts,
            multi_modal_data={},
            num_turns=made.turns + made.rounds + 1,  # as verl counts: with the prompt, and observations
            metrics=made.metrics,
            extra_fields={**made.extra, FIELD: record.plain(), "turn_scores": [], "tool_rewards": []},
        )

    def _cap_text_prompt_length(self, prompt_ids: list[int]) -> list[int]:
        """A long prompt is an error: verl would cut off its beginning, the system message and the tools."""
        most = int(self.rollout_config.prompt_length)
        if len(prompt_ids) > most:
            raise ValueError(f"a prompt has {len(prompt_ids)} tokens, more than training.max_prompt_length={most}")
        return prompt_ids


def _newest(extra: Mapping[str, Any]) -> dict[str, Any]:
    """What a later turn says anew: of which step the newest weights were."""
    newest = extra.get("max_global_steps")
    return {} if newest is None else {"max_global_steps": newest}
