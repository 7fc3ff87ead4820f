"""The tiny models that know tools: what is fine-tuned on is, token by token, what a rollout puts together."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from data_prep.spec import Tasks
from data_prep.synthetic.tasks import STRINGS
from data_prep.synthetic.tool_call import tool_call
from data_prep.synthetic.warm_start import conversation_rows
from sweeper.host.errors import ConfigError
from sweeper.inputs import tiny
from sweeper.inputs.models import model_digest
from sweeper.plan.refusals import check
from tests.sweeper.points import spec

LADDER = ("tiny-agent-40k", "tiny-agent-130k", "tiny-agent-430k", "tiny-agent-1.4m")
AGENT = STRINGS[Tasks.agent]


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return tiny.build_tokenizer(AGENT, acts=True)


def schema(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "description": "It helps.", "parameters": {}}}


def turn_by_turn(tokenizer: Any, messages: list[dict[str, str]]) -> tuple[list[int], int]:
    """The tokens that verl's builder puts together, of which so many are the prompt."""
    from verl.utils.tokenizer.continuous_token_wiring import create_continuous_token_builder

    builder = create_continuous_token_builder(tokenizer, hf_model_type="qwen2")
    tools = [schema(messages[0]["content"])] if messages[0]["role"] == "system" else None
    first, *rest = messages[1:] if tools else messages
    ids = builder.build_initial_tokens([first], tools=tools)
    prompt, said = len(ids), [first]
    for message in rest:
        if message["role"] == "assistant":
            drawn = tokenizer(message["content"] + tiny.END, add_special_tokens=False)["input_ids"]
            ids = builder.merge_assistant_tokens(ids, drawn).token_ids
        else:
            ids = builder.merge_context_tokens(said, [*said, message], ids, tools=tools).token_ids
        said.append(message)
    return ids, prompt


def conversations() -> list[list[dict[str, str]]]:
    rows = conversation_rows(400, seed=0, error_rate=0.3, tool_share=0.7)
    return [row["messages"] for row in rows]  # type: ignore[misc]


def test_a_rollout_has_the_tokens_that_were_fine_tuned_on_to_the_last(tokenizer: Any) -> None:
    for messages in conversations():
        trained_on = tokenizer(tokenizer.apply_chat_template(messages, tokenize=False), add_special_tokens=False)
        ids, _ = turn_by_turn(tokenizer, messages)
        assert ids == trained_on["input_ids"][:-1]
        assert tokenizer.decode(trained_on["input_ids"][-1:]) == "\n"  # the template's, behind the last turn


def test_every_conversation_of_the_warm_start_fits_the_regime(tokenizer: Any) -> None:
    regime = spec("model_family=tiny-agent").training
    for messages in conversations():
        ids, prompt = turn_by_turn(tokenizer, messages)
        assert prompt <= regime.max_prompt_length
        assert len(ids) - prompt <= regime.max_response_length
    assert regime.max_length <= spec("model_family=tiny-agent").model.architecture.max_position_embeddings


def test_the_loss_of_the_fine_tuning_is_on_the_assistants_turns_alone(tokenizer: Any, tmp_path: Path) -> None:
    import pyarrow
    from omegaconf import OmegaConf
    from pyarrow import parquet

    from sweeper.training.sft_data import ConversationDataset

    messages = next(talk for talk in conversations() if len(talk) > 5 and talk[0]["role"] == "system")
    parquet.write_table(pyarrow.Table.from_pylist([{"messages": messages}]), tmp_path / "one.parquet")
    config = OmegaConf.create({"messages_key": "messages", "max_length": 200})
    item = ConversationDataset(str(tmp_path / "one.parquet"), tokenizer, config)[0]
    said = tokenizer.decode(item["input_ids"][item["loss_mask"].bool()])
    assert said == "".join(f"{one['content']}{tiny.END}\n" for one in messages if one["role"] == "assistant")


@pytest.mark.parametrize(("tool", "argument"), [("calculator", "47*83"), ("python", "47*83+21"), ("search", "x of Y")])
def test_verls_parser_reads_a_call_whose_frame_is_two_tokens(tokenizer: Any, tool: str, argument: str) -> None:
    import json

    from verl.experimental.agent_loop.tool_parser import ToolParser

    ids = tokenizer(tool_call(tool, argument) + tiny.END, add_special_tokens=False)["input_ids"]
    assert len(ids) == len(tokenizer(argument)["input_ids"]) + 3
    _, [call] = asyncio.run(ToolParser.get_tool_parser("hermes", tokenizer).extract_tool_calls(ids, None))
    assert call.name == tool
    [value] = json.loads(call.arguments).values()
    assert value == (f"print({argument})" if tool == "python" else argument)


def test_the_template_tells_the_tools_by_their_names_and_nothing_where_there_are_none(tokenizer: Any) -> None:
    ask = [{"role": "user", "content": "2*3=?"}]

    def prompt(tools: list[dict[str, Any]] | None) -> str:
        return str(tokenizer.apply_chat_template(ask, tokenize=False, add_generation_prompt=True, tools=tools))

    assert prompt(None) == "<|user|>2*3=?<|assistant|>"
    assert prompt([schema("calculator")]) == "<|system|>calculator<|user|>2*3=?<|assistant|>"
    assert prompt([schema("python"), schema("own")]) == "<|system|>python,own<|user|>2*3=?<|assistant|>"


def test_each_string_of_an_agent_is_one_token_and_the_vocabulary_holds_all(tokenizer: Any) -> None:
    assert {text: len(tokenizer(text)["input_ids"]) for text in AGENT} == dict.fromkeys(AGENT, 1)
    assert tiny.tokens_of(AGENT, acts=True) == len(tokenizer)
    assert len(tokenizer) <= spec("model_family=tiny-agent").model.architecture.vocab_size


def test_a_vocabulary_that_an_agents_tokens_do_not_fit_is_refused_at_plan() -> None:
    small = spec("model_family=tiny-agent", "model.architecture.vocab_size=270")
    with pytest.raises(ConfigError, match=r"vocab_size=270: must be at least 276, the tokens of a tiny model"):
        check(small, family="tiny-agent")


@pytest.mark.parametrize("name", LADDER)
def test_an_agent_has_the_shape_of_the_tiny_model_of_its_size_and_no_more_in_common(name: str) -> None:
    agent, plain = (
        spec("model_family=tiny-agent", f"model={name}").model,
        spec(f"model={name.replace('agent-', '')}").model,
    )
    assert agent.architecture == plain.architecture
    assert agent.tool_format == "hermes"
    assert model_digest(agent) != model_digest(plain)


def test_both_arms_of_the_ladder_start_from_one_base_model() -> None:
    with_tool = spec("model_family=tiny-agent", "agent=calculator")
    assert model_digest(with_tool.model) == model_digest(spec("model_family=tiny-agent").model)
    assert with_tool.run_id != spec("model_family=tiny-agent").run_id


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        ("tiny-40k", "3066cf3572cb"),
        ("tiny-130k", "b83547ba6896"),
        ("tiny-430k", "3abdd621aed8"),
        ("tiny-1.4m", "3ad6bddbc513"),
        ("smollm2-135m", "759e4b97fcbd"),
    ],
)
def test_the_models_that_were_there_before_agents_keep_their_digests(name: str, digest: str) -> None:
    assert model_digest(spec(f"model={name}").model) == digest


def test_the_warm_start_shows_what_the_tools_really_say_and_it_leads_to_the_gold(tmp_path: Path) -> None:
    """So that a model learns of no answer that the tool would not give."""
    import json
    import re
    from itertools import pairwise

    from sweeper.agent.tools.registry import tool
    from sweeper.spec.agent import Agent, ToolLimits

    tools = {name: tool(name, Agent(name=name, tools=(name,), max_turns=4)) for name in ("calculator", "python")}
    called = dict.fromkeys((*tools, "search"), 0)
    for number, messages in enumerate(conversations()):
        facts = [one["content"].split(": ") for one in messages if one["role"] == "tool" and ": " in one["content"]]
        if facts:  # a conversation's own
            corpus = tmp_path / f"{number}.jsonl"
            corpus.write_text("".join(json.dumps({"title": title, "text": text}) + "\n" for title, text in facts))
            tools["search"] = tool("search", Agent(name="search", tools=("search",), max_turns=4, corpus=str(corpus)))
        for said, seen in pairwise(messages):
            call = re.fullmatch(r"<tool_call>\n(.*)\n</tool_call>", said["content"])
            if said["role"] != "assistant" or call is None:
                continue
            read, state = json.loads(call[1]), dict[str, Any]()
            if read["name"] == "python" and called["python"] >= 20:  # a process each
                continue
            found = tools[read["name"]].run(read["arguments"], state, {}, ToolLimits())
            assert found.ok
            assert found.text == seen["content"]
            called[read["name"]] += 1
    assert min(called.values()) >= 20


def test_the_search_of_the_country_shows_facts_as_the_warm_start_does() -> None:
    from data_prep.synthetic.lookup import facts
    from sweeper.agent.tools.registry import tool
    from sweeper.spec.agent import Agent, ToolLimits

    search = tool("search", Agent(name="search", tools=("search",), max_turns=4))
    for fact in facts()[::50]:
        found = search.run({"query": fact["title"]}, {}, {}, ToolLimits())
        assert found.text == f"{fact['title']}: {fact['text']}"
