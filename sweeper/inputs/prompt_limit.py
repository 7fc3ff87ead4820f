"""How long the prompts of a run may be, counted as its model gets them; and whether its template speaks of tools."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from data_prep.cleaning.lengths import PromptLengths, PromptLimit
from sweeper.agent.own.inside import TOOL
from sweeper.agent.own.own_code import examine, is_reference, split_reference
from sweeper.agent.prompt import as_shown, ending_of
from sweeper.agent.tools.registry import tool
from sweeper.host.errors import ConfigError
from sweeper.spec.agent import FOLDER, Agent
from sweeper.spec.model import ModelSource
from sweeper.spec.run import RunSpec

_ANSWER = "tool-answer-42"  # stands for what a tool says


def prompt_limit(spec: RunSpec, tokenizer: Path, results_dir: Path | None) -> PromptLimit:
    """The longest prompts of a run: verl's filter, and the loop, count schemas and budget as this does.

    Args:
        spec: The run.
        tokenizer: Folder of its model.
        results_dir: Root of the results, where files of the user's own may be; None: where they were planned from.

    Raises:
        ConfigError: A file of the user's own is not the one that was planned with.
    """
    return PromptLimit(
        tokenizer=tokenizer,
        max_tokens=spec.training.max_prompt_length,
        tools=tools_of(spec.agent, results_dir),
        ending=ending_of(spec.agent),
    )


def limit_words(spec: RunSpec) -> str:
    """The setting, and what of the agent's is counted with every prompt."""
    parts = {"the schemas of agent.tools": spec.agent.tools, "the budget": ending_of(spec.agent)}
    added = [words for words, one in parts.items() if one]
    counted = f" (with {' and '.join(added)})" if added else ""
    return f"training.max_prompt_length={spec.training.max_prompt_length}{counted}"


def tools_of(agent: Agent, results_dir: Path | None) -> str:
    """JSON of the schemas that a chat template is given; "" where there are none."""
    shown = [as_shown(_schema(name, agent, results_dir)) for name in agent.tools]
    return json.dumps(shown, ensure_ascii=False) if shown else ""


def _schema(name: str, agent: Agent, results_dir: Path | None) -> dict[str, Any]:
    if not is_reference(name):
        return tool(name, agent).schema
    file, function = split_reference(name)
    digest = agent.versions[name]
    kept = None if results_dir is None else results_dir / FOLDER / digest / file.name
    path = kept if kept is not None and kept.is_file() else Path(agent.files[digest])
    found, hello = examine(TOOL, path, function)
    if found.digest != digest:
        raise ConfigError(f"{path} is not the file that the run was planned with. Restore it, or plan again.")
    schema: dict[str, Any] = hello["schema"]
    return schema


def refuse_deaf(spec: RunSpec, limit: PromptLimit) -> None:
    """Refuse a model whose chat template leaves out tools, or what they answer: it would call none, or learn nothing.

    Args:
        spec: The run. Nothing is done where its agent has no tools, or its model is tiny: those are refused by their
            settings (`sweeper.plan.task_refusals`).
        limit: Of its prompts.

    Raises:
        ConfigError: Says what the template leaves out, and which key to change.
        DataError: The tokenizer cannot be loaded.
    """
    if not spec.agent.tools or spec.model.source is ModelSource.tiny:
        return
    names = tuple(one["function"]["name"] for one in json.loads(limit.tools))
    lack = _lack(limit.lengths, PromptLimit(tokenizer=limit.tokenizer, max_tokens=limit.max_tokens).lengths, names)
    if lack is not None:
        raise ConfigError(
            f"agent.tools={list(spec.agent.tools)}: the chat template of {spec.model.name} {lack}; choose a model "
            "whose template knows tools (model_family=qwen2.5-instruct, qwen3-thinking or tiny-agent)"
        )


@cache
def _lack(told: PromptLengths, plain: PromptLengths, names: tuple[str, ...]) -> str | None:
    """What a template leaves out of a chat with tools; None: nothing."""
    from jinja2 import TemplateError

    asked: list[dict[str, Any]] = [{"role": "user", "content": "?"}]
    function = {"name": names[0], "arguments": {}}
    call = {"role": "assistant", "content": "", "tool_calls": [{"id": "0", "type": "function", "function": function}]}
    answer = {"role": "tool", "content": _ANSWER, "name": names[0], "tool_call_id": "0"}
    try:
        before, prompt = plain.written(asked), told.written(asked)
        absent = [name for name in names if prompt.count(name) <= before.count(name)]
        if absent:
            return f"does not tell of the tool {absent[0]}"
        return None if _ANSWER in told.written([*asked, call, answer]) else "leaves out what a tool answers (role tool)"
    except TemplateError as error:
        return f"refuses a tool's answer (role tool): {error}"
    except TypeError as error:  # some put arguments into the text as they are
        return f"cannot write a call, whose arguments are an object: {error}"
