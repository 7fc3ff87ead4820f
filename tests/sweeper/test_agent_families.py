"""Tokens turn by turn are those of the whole conversation, for every family of conf and every style of prompts."""

from typing import Any

import pytest

from sweeper.agent.tools.registry import tool
from sweeper.spec.agent import Agent
from tests.sweeper.played import Script, play
from tests.sweeper.test_sft_templates import tokenizer_with
from tests.vllm.families import CHATML, FAMILIES

GAME = Agent(name="higher_lower", environment="higher_lower", max_turns=3, observation_chars=64)
TOOLS = Agent(name="calculator", tools=("calculator",), max_turns=3)
ROW = {"reward_model": {"ground_truth": "37"}, "extra_info": {"problem_id": "p1"}}
# The turns of tools as Qwen's and SmolLM's templates have them: calls in the assistant's turn, answers in a user's,
# those of one turn together; the schemas in the system turn.
CALLS = (
    "{% if tools %}{{ '<|im_start|>system\n# Tools\n' }}{% for tool in tools %}{{ tool | tojson + '\n' }}{% endfor %}"
    "{{ '<|im_end|>\n' }}{% endif %}"
    "{% for message in messages %}{% if message['role'] == 'tool' %}"
    "{% if loop.first or messages[loop.index0 - 1]['role'] != 'tool' %}{{ '<|im_start|>user' }}{% endif %}"
    "{{ '\n<tool_response>\n' + message['content'] + '\n</tool_response>' }}"
    "{% if loop.last or messages[loop.index0 + 1]['role'] != 'tool' %}{{ '<|im_end|>\n' }}{% endif %}"
    "{% else %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] }}"
    "{% for call in message['tool_calls'] or [] %}{% if message['content'] or not loop.first %}{{ '\n' }}{% endif %}"
    "{{ '<tool_call>\n' + ({'name': call['function']['name'], 'arguments': call['function']['arguments']} | tojson)"
    " + '\n</tool_call>' }}{% endfor %}{{ '<|im_end|>\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
# Qwen3's keeps the thoughts of the turns after the last question alone; what tools answer is no question.
_THINKING = (
    "{% set last = namespace(asked=-1) %}"
    "{% for message in messages %}{% if message['role'] == 'user' %}{% set last.asked = loop.index0 %}{% endif %}"
    "{% endfor %}"
)
_TURN = "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] }}"
_THOUGHTFUL_TURN = (
    "{% set said = message['content'].split('</think>')[-1].lstrip('\n') %}"
    "{% set thought = message['reasoning_content'] or '' %}"
    "{% if '</think>' in message['content'] %}"
    "{% set thought = message['content'].split('</think>')[0].split('<think>')[-1].strip('\n') %}{% endif %}"
    "{{ '<|im_start|>' + message['role'] + '\n' }}"
    "{% if thought and loop.index0 > last.asked %}{{ '<think>\n' + thought + '\n</think>\n\n' }}{% endif %}{{ said }}"
)
THINKING_CALLS = _THINKING + CALLS.replace(_TURN, _THOUGHTFUL_TURN).replace(
    "if message['content'] or not", "if said or not"
)
CALLED = '<tool_call>\n{"name": "calculator", "arguments": {"expression": "47*83"}}\n</tool_call>'


def family(name: str) -> tuple[Any, str]:
    """Its tokenizer and the type of its models."""
    made = tokenizer_with(FAMILIES[name].template)
    made.eos_token = FAMILIES[name].stops[0]
    return made, {"smollm": "llama"}.get(name, name)


def whole(made: Any, chat: list[dict[str, Any]], tools: Any = None) -> list[int]:
    text = made.apply_chat_template(chat, tokenize=False, tools=tools)
    ids: list[int] = made(text, add_special_tokens=False)["input_ids"]
    return ids


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_turns_of_an_environment_are_the_whole_templates_for_every_family(name: str) -> None:
    made, kind = family(name)
    script = Script(made, ["50", "25", "37"])
    output = play(
        [], GAME, made=made, model_type=kind, prompt="1-64", row=ROW, server=script, response=400, longest=200
    )
    said = ["1-64", "50", "<", "25", ">", "37"]
    chat = [{"role": ("user", "assistant")[i % 2], "content": text} for i, text in enumerate(said)]
    expected = whole(made, chat)
    ids = output.prompt_ids + output.response_ids
    assert ids == expected[: len(ids)]
    assert made.decode(expected[len(ids) :]).strip() == ""  # what the template has behind the last turn's end
    drawn = [token for token, one in zip(output.response_ids, output.response_mask, strict=True) if one]
    assert made.decode(drawn) == "".join(text + made.eos_token for text in ("50", "25", "37"))


@pytest.mark.parametrize("kind", ["qwen2", "qwen3", "llama", "smollm3"])
def test_calls_and_answers_of_tools_are_the_whole_templates(kind: str) -> None:
    made = tokenizer_with(CALLS)
    made.eos_token = "<|im_end|>"
    script = Script(made, [CALLED, CALLED * 2, "3901"])
    output = play([], TOOLS, made=made, model_type=kind, prompt="?", server=script, response=900, longest=400)
    ids = output.prompt_ids + output.response_ids
    text = made.decode(ids)
    asked = "<|im_start|>user\n?<|im_end|>\n<|im_start|>assistant\n"
    answer = "\n<tool_response>\n3901\n</tool_response>"
    opening = "<|im_end|>\n<|im_start|>user"
    assert text[text.index(asked) :] == (
        f"{asked}{CALLED}{opening}{answer}<|im_end|>\n<|im_start|>assistant\n"
        f"{CALLED * 2}{opening}{answer * 2}<|im_end|>\n<|im_start|>assistant\n3901<|im_end|>"
    )
    # A template that parses calls writes them as the model did, but for what it puts between two of them.
    function = {"name": "calculator", "arguments": {"expression": "47*83"}}
    calls = [{"type": "function", "function": function}]
    chat: list[dict[str, Any]] = [{"role": "user", "content": "?"}]
    chat += [{"role": "assistant", "content": "", "tool_calls": calls}, {"role": "tool", "content": "3901"}]
    begun = whole(made, chat, [tool("calculator", TOOLS).schema])
    assert ids[: len(begun)] == begun


def test_thoughts_before_calls_stay_where_the_template_of_a_thinking_model_keeps_them() -> None:
    made = tokenizer_with(THINKING_CALLS)
    made.eos_token = "<|im_end|>"
    thought = "<think>\nfirst 47*83\n</think>\n\n"
    script = Script(made, [thought + CALLED, thought + CALLED, "<think>\nso\n</think>\n\n3901"])
    output = play([], TOOLS, made=made, model_type="qwen3", prompt="?", server=script, response=900, longest=400)
    function = {"name": "calculator", "arguments": {"expression": "47*83"}}
    calls = [{"type": "function", "function": function}]
    turn: list[dict[str, Any]]
    turn = [{"role": "assistant", "content": thought, "tool_calls": calls}, {"role": "tool", "content": "3901"}]
    last = {"role": "assistant", "content": "<think>\nso\n</think>\n\n3901"}
    expected = whole(made, [{"role": "user", "content": "?"}, *turn, *turn, last], [tool("calculator", TOOLS).schema])
    ids = output.prompt_ids + output.response_ids
    assert ids == expected[: len(ids)]
    assert made.decode(ids).count("first 47*83") == 2


def test_verls_plain_builder_would_leave_out_what_a_template_puts_behind_a_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made, kind = family("smollm")
    monkeypatch.setattr("sweeper.agent.turns.builder_for", lambda chosen: chosen)
    output = play(["50", "37"], GAME, made=made, model_type=kind, prompt="1-64", row=ROW, response=400)
    text = made.decode(output.prompt_ids + output.response_ids)
    assert "<|im_end|><|im_start|>user" in text
    assert made.chat_template == CHATML  # which has a newline there
