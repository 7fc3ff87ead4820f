"""Tool calls over several turns: verl's tool agent, with limits, a budget, words for every fault, and a record."""

import logging
import re
from functools import lru_cache, partial
from typing import Any

from verl.experimental.agent_loop import tool_parser
from verl.experimental.agent_loop.agent_loop import ToolListWrap

from rewards.program import UserError
from sweeper.agent.blocking import in_thread
from sweeper.agent.calls import Call, read_calls
from sweeper.agent.tools.tool import Observation, failed
from sweeper.agent.turns import Message, Trajectory, TurnLoop
from sweeper.agent.verl_tool import dumped
from sweeper.rows.trajectories import Ended

MOST_PER_TURN = 8  # calls in one turn
CUT = "[...]"  # stands for what an observation lacks
PATIENCE = 4  # times `limits.wall_s`, which the tool itself keeps: what it waits for before it works does not count

# verl logs a call that it cannot read as an error; here the model is told, and it is counted.
tool_parser.logger.setLevel(logging.CRITICAL)


class ToolLoop(TurnLoop):
    """Ends with the first turn that calls no tool.

    A call that is malformed, names no tool, has wrong arguments, fails or takes too long is answered in words and
    counted; the trajectory goes on. Calls beyond `agent.max_calls` are refused in words; whoever calls again ends.
    """

    def __init__(self, *args: Any, tools: ToolListWrap, **kwargs: Any) -> None:
        super().__init__(*args, tools=tools, **kwargs)
        self._tools = {found.name: found.tool for found in tools.tools}
        self._own_schemas = {name: found.schema for name, found in self._tools.items()}
        self._verl_schemas = [found.tool_schema for found in tools.tools]
        self.schemas = [dumped(found) for found in tools.tools]
        self._style = str(self.rollout_config.multi_turn.format)
        self._parser = tool_parser.ToolParser.get_tool_parser(self._style, self.tokenizer)
        self.stops = tuple(self._parser.stop_token_ids)
        self._states: list[dict[str, Any]] = [{}]  # of the trajectory: the last is in use, each tool has its own part
        self._called: set[str] = set()

    async def begin(self, trajectory: Trajectory) -> None:
        """Nothing: the prompt is the row's."""

    async def react(self, trajectory: Trajectory) -> list[Message] | Ended:
        """The turn with an answer to each of its calls."""
        content, calls = await read_calls(
            self._parser, self._style, trajectory.last, self._verl_schemas, self._own_schemas
        )
        if not calls:
            return Ended.answered
        if trajectory.turns >= self.max_turns:
            return Ended.turn_limit
        if trajectory.refused:
            trajectory.refused += len(calls)
            return Ended.call_limit
        turn: Message = {"role": "assistant", "content": content, "tool_calls": [call.message() for call in calls]}
        answers = [await self._answer(trajectory, call, place) for place, call in enumerate(calls)]
        return [turn, *answers]

    async def end(self) -> None:
        """Let the tools that were called end what they hold."""
        held = [state for state in self._states if state]
        for name in sorted(self._called) if held else ():
            for state in held:
                await in_thread(partial(self._tools[name].close, state), PATIENCE * self.agent.limits.wall_s)

    async def _answer(self, made: Trajectory, call: Call, place: int) -> Message:
        """What the model sees of a call."""
        most = self.agent.max_calls
        if most is not None and made.calls >= most:
            made.refused += 1
            seen = Observation(text="no calls left", ok=True)
        else:
            made.calls += 1
            seen = await self._seen(made, call, place)
            made.errors += not seen.ok
            made.tool_cpu_s += seen.cpu_s
        message: Message = {"role": "tool", "content": shown(seen.text, self.agent.observation_chars, self.tokenizer)}
        message["name"] = call.name or "unknown"
        return message if call.id is None else {**message, "tool_call_id": call.id}

    async def _seen(self, made: Trajectory, call: Call, place: int) -> Observation:
        told = partial(failed, feedback=self.agent.feedback)
        if call.fault is not None:
            return told(call.fault)
        if place >= MOST_PER_TURN:
            return told(f"more than {MOST_PER_TURN} calls in one turn")
        limits, tool = self.agent.limits, self._tools[call.name]
        run = partial(tool.run, call.arguments, self._states[-1], made.row, limits)
        self._called.add(call.name)
        try:
            seen = await in_thread(run, PATIENCE * limits.wall_s)
        except TimeoutError:
            self._states.append({})  # the call that goes on keeps the old one
            return told(f"no answer within {limits.wall_s:g} s")
        except (UserError, MemoryError):  # the tool cannot work here: the run is to end
            raise
        except Exception as error:  # a fault of the tool's own: it costs one call
            return told(f"{type(error).__name__}: {error}")
        if not isinstance(seen, Observation):
            return told(f"{call.name} gave no observation but {type(seen).__name__}")
        return seen


def shown(text: str, most: int, tokenizer: Any) -> str:
    """An observation as the model may see it: at most `most` characters, and no token of control in it.

    A longer one lacks its middle. Special tokens are broken up: a tool's words cannot end its message, or begin one.
    """
    plain = _specials(tokenizer).sub(lambda found: f"{found[0][:1]} {found[0][1:]}", text)
    if len(plain) <= most:
        return plain
    kept = most - len(CUT)
    return plain[: kept - kept // 2] + CUT + plain[len(plain) - kept // 2 :]


@lru_cache(maxsize=4)
def _specials(tokenizer: Any) -> re.Pattern[str]:
    added = [token.content for token in tokenizer.added_tokens_decoder.values() if token.special]
    found = sorted({*added, *tokenizer.all_special_tokens} - {""}, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, found)) or r"(?!)")
