"""The problems of an evaluation, in the order in which they are dealt and written: that of their names."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sweeper.generation import Prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One problem, as a row in verl's columns, with its prompt's token ids."""

    problem_id: str
    row: dict[str, Any]
    prompt_ids: list[int]


def problem_ids(path: Path) -> list[str]:
    """The names of all problems of a verl parquet, sorted."""
    from pyarrow import parquet

    column = parquet.read_table(path, columns=["extra_info"]).column("extra_info")
    return sorted(extra["problem_id"] for extra in column.to_pylist())


def read_problems(path: Path, tokenizer: Any, tools: Sequence[Mapping[str, Any]] = ()) -> list[Problem]:
    """The rows of a verl parquet by `problem_ids`, with the chat template applied as verl applies it.

    Args:
        path: Of the parquet file.
        tokenizer: Of the model.
        tools: Schemas that the template is to show, of an agent's tools.
    """
    from pyarrow import parquet

    found, shown = [], {"tools": list(tools)} if tools else {}
    for row in parquet.read_table(path).to_pylist():
        text = tokenizer.apply_chat_template(row["prompt"], add_generation_prompt=True, tokenize=False, **shown)
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        found.append(Problem(problem_id=row["extra_info"]["problem_id"], row=row, prompt_ids=ids))
    return sorted(found, key=lambda problem: problem.problem_id)


def prompts_of(problems: list[Problem], n: int) -> list[Prompt]:
    """What an engine is asked: problems of one wording are answered by different draws, whoever answers them."""
    seen: Counter[tuple[int, ...]] = Counter()
    prompts = []
    for problem in problems:
        wording = tuple(problem.prompt_ids)
        prompts.append(Prompt(token_ids=wording, earlier=n * seen[wording]))
        seen[wording] += 1
    return prompts
