"""Prompts of agents are counted as their models get them, and a template that is deaf to tools is refused."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_prep.cleaning.lengths import PromptLimit
from data_prep.files.prepared_file import prompts_of
from data_prep.files.row import Message
from sweeper.agent import files as agent_files
from sweeper.agent.prompt import as_shown, ending_of
from sweeper.host.errors import ConfigError
from sweeper.inputs.agent import frozen
from sweeper.inputs.data import prepare_all, prepared
from sweeper.inputs.prompt_fit import refuse_long_prompts
from sweeper.inputs.prompt_limit import prompt_limit, refuse_deaf, tools_of
from sweeper.spec.agent import Agent
from tests.sweeper.played import play
from tests.sweeper.points import spec
from tests.sweeper.test_agent_families import CALLS
from tests.sweeper.test_agent_own import planned
from tests.sweeper.test_sft_templates import tokenizer_with
from tests.vllm.families import CHATML, LLAMA3

TOOLS = ("calculator", "python", "search", "verifier")
OWN = '''
from typing import Literal

def pick(names: list[str], how: Literal["first", "last"] = "first", n: int | None = None) -> str:
    """Picks a name.

    Args:
        how: From which end.
    """
    return names[0]
'''
ASKED = ("model_family=qwen2.5-instruct", "model.prompt_style=model", "agent=calculator")
SOME = ("training.train_batch_size=8", "training.ppo_mini_batch_size=8")


@pytest.fixture
def own(tmp_path: Path) -> Agent:
    (tmp_path / "names.py").write_text(OWN)
    return planned(tools=(*TOOLS, f"{tmp_path}/names.py:pick"))


def saved(template: str, folder: Path) -> Path:
    made = tokenizer_with(template)
    made.eos_token = "<|im_end|>"
    made.save_pretrained(folder)
    (folder / "config.json").write_text("{}")
    return folder


def test_schemas_are_counted_as_verl_shows_them(own: Agent, tmp_path: Path) -> None:
    from sweeper.agent.verl_tool import VerlTool, dumped

    files = frozen(own, tmp_path / "results")
    made = [VerlTool(VerlTool.config_of(name, own, files)) for name in own.tools]
    theirs = [dumped(one) for one in made]
    assert json.dumps([as_shown(one.tool.schema) for one in made]) == json.dumps(theirs)
    assert json.loads(tools_of(own, None)) == theirs  # before a copy is kept
    assert json.loads(tools_of(own, tmp_path / "results")) == theirs
    (tmp_path / "names.py").write_text(OWN.replace("Picks", "Takes"))
    with pytest.raises(ConfigError, match=r"names\.py is not the file that the run was planned with"):
        tools_of(own, None)
    assert json.loads(tools_of(own, tmp_path / "results")) == theirs


def test_verls_filter_has_nothing_left_to_drop_of_what_was_counted_with_schemas(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from omegaconf import OmegaConf
    from transformers import AutoTokenizer
    from verl.utils.dataset.rl_dataset import RLHFDataset

    monkeypatch.setattr(os, "environ", os.environ)  # in which `datasets` puts a copy
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    run, tokenizer = spec(*ASKED), saved(CALLS, tmp_path / "model")
    written = agent_files.write(run.agent, tmp_path / "agent")
    texts = [f"{'1+' * n}1=?" for n in range(64)]
    rows = [
        {"data_source": "x", "prompt": [{"role": "user", "content": text}], "extra_info": {"index": 0}}
        for text in texts
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "rows.parquet")
    bare = PromptLimit(tokenizer=tokenizer, max_tokens=1)
    base = prompt_limit(run, tokenizer, None)
    schemas = (
        base.lengths.count_prompts([(Message("user", "?"),)])[0]
        - bare.lengths.count_prompts([(Message("user", "?"),)])[0]
    )
    assert schemas > 200  # bytes, of this tokenizer
    most = base.lengths.count_prompts([(Message("user", texts[40]),)])[0]
    config = {"cache_dir": str(tmp_path / "verl"), "max_prompt_length": most, "filter_overlong_prompts": True}
    config |= {"filter_overlong_prompts_workers": 1, "tool_config_path": str(written.tools)}
    made = AutoTokenizer.from_pretrained(tokenizer)
    left = RLHFDataset(data_files=str(tmp_path / "rows.parquet"), tokenizer=made, config=OmegaConf.create(config))
    prompts = prompts_of(tmp_path / "rows.parquet")
    assert sorted(replace(base, max_tokens=most).too_long(prompts)) == [*range(41, 64)]
    assert len(left) == 41
    assert not replace(bare, max_tokens=most).too_long(prompts)  # as without the schemas


def test_a_budget_that_the_prompt_tells_is_counted_with_it() -> None:
    agent = Agent(name="calculator", tools=("calculator",), max_turns=3, max_calls=2, tell_budget=True)
    assert ending_of(agent) == "\nYou have 3 turns and 2 calls."
    assert ending_of(replace(agent, tell_budget=False)) == ""
    from data_prep.cleaning.lengths import PromptLengths
    from sweeper.agent.tools.registry import tool

    made = tokenizer_with(CALLS)
    made.eos_token = "<|im_end|>"
    output = play(["3901"], agent, made=made, response=900, longest=900)
    lengths = PromptLengths(made, tools=[as_shown(tool("calculator", agent).schema)], ending=ending_of(agent))
    assert lengths.count_prompts([(Message("user", "47*83=?"),)]) == [len(output.prompt_ids)]


def test_a_length_that_no_prompt_has_with_the_agents_words_is_refused_at_plan(tmp_path: Path) -> None:
    asked = ("model_family=tiny-agent", "agent=calculator", "training.max_prompt_length=24")
    refuse_long_prompts(spec(*asked), tmp_path)
    said = r"max_prompt_length=24 \(with the schemas of agent.tools and the budget\): none of .* has so short a prompt"
    with pytest.raises(ConfigError, match=said):
        refuse_long_prompts(spec(*asked, "agent.tell_budget=true"), tmp_path)
    refuse_long_prompts(spec(*asked[:2], "agent.tell_budget=true", "training.max_prompt_length=48"), tmp_path)


NO_ANSWERS = CALLS.replace("+ message['content'] + '\n</tool_response>'", "+ '\n</tool_response>'")
REFUSES = "{% for m in messages %}{% if m.role == 'tool' %}{{ raise_exception('no role tool') }}{% endif %}{% endfor %}"

ADDS = (
    "{% for m in messages %}{% if m.tool_calls %}{{ 'call ' + m.tool_calls[0].function.arguments }}{% endif %}"
    "{% endfor %}"
)


@pytest.mark.parametrize(
    ("template", "lack"),
    [
        (CHATML, "does not tell of the tool calculator"),
        (LLAMA3, "does not tell of the tool calculator"),
        (NO_ANSWERS, "leaves out what a tool answers (role tool)"),
        (CALLS + REFUSES, "refuses a tool's answer (role tool): no role tool"),
        (
            CALLS + ADDS,
            'cannot write a call, whose arguments are an object: can only concatenate str (not "dict") to str',
        ),
    ],
)
def test_a_template_that_is_deaf_to_tools_is_refused_with_the_models_name(
    tmp_path: Path, template: str, lack: str
) -> None:
    run = spec(*ASKED)
    limit = prompt_limit(run, saved(template, tmp_path / "model"), None)
    with pytest.raises(ConfigError) as caught:
        refuse_deaf(run, limit)
    assert f"the chat template of {run.model.name} {lack}" in str(caught.value)
    assert "; choose a model whose template knows" in str(caught.value)
    alone = replace(run, agent=Agent())
    refuse_deaf(alone, prompt_limit(alone, limit.tokenizer, None))


def test_a_launch_counts_with_schemas_says_what_is_too_long_and_hears_the_template(tmp_path: Path) -> None:
    model, root = saved(CALLS, tmp_path / "model"), tmp_path / "root"
    root.mkdir()
    lines = [
        json.dumps(
            {
                "data_source": "math__x",
                "prompt": [{"role": "user", "content": f"{n}{'+1' * (n % 4)}=?"}],
                "ability": "math",
                "reward_model": {"style": "rule", "ground_truth": f"{n + n % 4}"},
            }
        )
        for n in range(10, 90)
    ]
    (root / "rows.jsonl").write_text("\n".join(lines) + "\n")
    base: tuple[str, ...] = (
        *ASKED,
        *SOME,
        f"model.path={model}",
        "model.revision=null",
        f"data_root={root}",
        "domain_mix=math",
    )
    base += (
        "data_scale.n_unique=24",
        "eval.domains=[math]",
        "eval.problems_per_domain=8",
        "eval.val_problems_per_domain=8",
    )
    run = spec(*base, "training.max_prompt_length=64")
    most = prompt_limit(run, model, None).lengths.count_prompts([(Message("user", "10+1=?"),)])[0]
    run = spec(*base, f"training.max_prompt_length={most}")
    said: list[str] = []
    prepare_all([run], tmp_path / "results", say=said.append)
    words = f"training.max_prompt_length={most} (with the schemas of agent.tools): left out"
    assert [line for line in said if line.endswith(words)]
    data = prepared(run, tmp_path / "results", tokenizer=model)
    limit = prompt_limit(run, model, tmp_path / "results")
    assert len(prompts_of(data.train)) == 24
    assert not limit.too_long([*prompts_of(data.train), *prompts_of(data.val)])
    saved(CHATML, model)
    with pytest.raises(ConfigError, match="does not tell of the tool calculator"):
        prepare_all([run], tmp_path / "results", say=said.append)
