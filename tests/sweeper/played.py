"""Trajectories played without Ray and without a model: a tiny tokenizer, and an engine that says what it is told."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sweeper.spec.agent import Agent

PAD, END = "<|pad|>", "<|im_end|>"
MARKS = ("<|user|>", "<|assistant|>", "<|tool|>", "<|system|>")
CALL, CALL_END = '<tool_call>\n{"name": "calculator", "arguments": {"expression": "', '"}}\n</tool_call>'
TEMPLATE = (
    "{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] }}"
    "{% if message['role'] == 'assistant' %}{{ '<|im_end|>\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


def tokenizer() -> Any:
    """Bytes, marks of the roles, and the frame of a calculator's call in two tokens."""
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import AddedToken, Qwen2Tokenizer

    vocab = {symbol: i for i, symbol in enumerate(sorted(ByteLevel.alphabet()))}
    made = Qwen2Tokenizer(vocab=vocab, merges=[], unk_token=None, eos_token=END, pad_token=PAD)
    made.add_special_tokens({"additional_special_tokens": list(MARKS)})
    made.add_tokens([AddedToken(text, special=False, normalized=False) for text in (CALL, CALL_END)])
    made.chat_template = TEMPLATE
    return made


def call(expression: str) -> str:
    return CALL + expression + CALL_END


def record(output: Any) -> dict[str, Any]:
    """What a loop says of a trajectory."""
    found: dict[str, Any] = output.extra_fields["agent"]
    return found


class Script:
    """An engine that says the next of its lines; one that does not end itself is cut off at the limit it is given."""

    def __init__(self, made: Any, lines: Sequence[str]) -> None:
        self._tokenizer, self._lines = made, list(lines)
        self.prompts: list[list[int]] = []
        self.limits: list[int] = []
        self.params: list[Mapping[str, Any]] = []

    async def generate(
        self, request_id: str, *, prompt_ids: list[int], sampling_params: Mapping[str, Any], **_: Any
    ) -> Any:
        del request_id
        from verl.workers.rollout.replica import TokenOutput

        self.prompts.append(list(prompt_ids))
        self.limits.append(sampling_params["max_tokens"])
        self.params.append(sampling_params)
        ids = self._tokenizer(self._lines.pop(0), add_special_tokens=False)["input_ids"]
        ids = [*ids, self._tokenizer.eos_token_id][: sampling_params["max_tokens"]]
        return TokenOutput(
            token_ids=ids,
            log_probs=[-0.5] * len(ids),
            stop_reason="completed",  # vLLM's server says so of a cut turn, too
            num_preempted=0,
            extra_fields={"global_steps": 3, "min_global_steps": 3, "max_global_steps": 3},
        )


def play(
    lines: Sequence[str],
    agent: Agent,
    *,
    prompt: str = "47*83=?",
    response: int = 120,
    longest: int = 64,
    made: Any = None,
    tools: Sequence[Any] | None = None,
    model_type: str = "qwen2",
    row: Mapping[str, Any] | None = None,
    server: Script | None = None,
    own: Path | None = None,
) -> Any:
    """verl's output of one trajectory; `tools` replace those of the agent."""
    from verl.experimental.agent_loop.agent_loop import ToolListWrap

    from sweeper.agent.loops import Loops

    made = made or tokenizer()
    loops = Loops(
        agent,
        tokenizer=made,
        model_type=model_type,
        style=agent.format or "hermes",
        max_prompt_length=longest,
        max_response_length=response,
        own=own,
    )
    if tools is not None:
        loops._given["tools"] = ToolListWrap(list(tools))

    async def one() -> Any:
        loop = loops.loop(server or Script(made, lines))
        return await loop.run({"temperature": 1.0}, raw_prompt=[{"role": "user", "content": prompt}], **(row or {}))

    return asyncio.run(one())


def shown(output: Any, made: Any) -> list[tuple[str, int]]:
    """What comes after the prompt as runs of text that the model drew (1) or saw (0)."""
    runs: list[tuple[list[int], int]] = []
    for token, drawn in zip(output.response_ids, output.response_mask, strict=True):
        if not runs or runs[-1][1] != drawn:
            runs.append(([], drawn))
        runs[-1][0].append(token)
    return [(made.decode(ids), drawn) for ids, drawn in runs]
