"""One row of prepared data, and its parquet form.

All rows of all sources share one declared schema: nested columns of different sources differ, and readers that
concatenate files (`datasets`, which verl uses) fail or drop fields otherwise. What a source has beyond the declared
fields survives as JSON text in `extra_info.rest`.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from data_prep.problem import Problem
from data_prep.synthetic import problem_id
from rewards import Domain


class Message(NamedTuple):
    """One chat turn."""

    role: str
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One problem as verl reads it; see `write_rows` for the columns."""

    data_source: str
    prompt: tuple[Message, ...]
    ability: str
    style: str
    ground_truth: str
    problem_id: str
    domain: Domain
    difficulty: float | None = None  # synthetic level, 1 the easiest; None where the source states none
    prefix: str = ""  # code that the scorer puts before every solution
    solution: str | None = None
    rest: str = "{}"


# Instructions that Guru and its users put around problems (Reasoning360's templates). The same problem with another
# instruction is the same problem: 32 of 500 published hold-out problems leak into train only after removing them.
_INSTRUCTIONS = re.compile(
    r"you are a knowledgeable (?:math )?assistant\.|answer the following questions? and think step by step\."
    r"|please (?:reason|solve|think) step by step,?(?: and)?"
    r"|(?:please )?(?:output|put) (?:the|your) final answer(?: option)? (?:with)?in \\boxed\{\}\.?"
    r"|let's think step by step\.?",
    re.IGNORECASE,
)


# Problems this long are told apart by letters and digits alone; short ones may differ in an operator only.
_LONG_PROBLEM = 60


def content_id(domain: Domain, prompt: Sequence[Message]) -> str:
    r"""A stable name of a problem from its text, without instructions, case and typography.

    Sources typeset the same problem differently (`$x$`, `\( x \)`, blanks), so long problems are compared by their
    ASCII letters and digits. In short ones operators count: `3+5` and `3-5` differ.
    """
    text = " ".join(message.content for message in prompt if message.role != "assistant")
    text = _INSTRUCTIONS.sub("", text).casefold()
    bare = re.sub(r"[^a-z0-9]+", "", text)
    if len(bare) < _LONG_PROBLEM:
        bare = re.sub(r"[\s.,:;!?'\"`$]+", "", text)
    return f"{domain}-{hashlib.sha256(bare.encode()).hexdigest()[:16]}"


def row_of_problem(problem: Problem) -> Row:
    """A synthetic problem as a row."""
    return Row(
        data_source=problem.data_source,
        prompt=(Message("user", problem.prompt),),
        ability=problem.ability,
        style="rule",
        ground_truth=problem.ground_truth,
        problem_id=problem_id(problem),
        domain=problem.domain,
        difficulty=float(problem.level),
        solution=problem.solution,
    )


def _record(row: Row, split: str, index: int) -> dict[str, object]:
    return {
        "data_source": row.data_source,
        "prompt": [message._asdict() for message in row.prompt],
        "ability": row.ability,
        "reward_model": {"style": row.style, "ground_truth": row.ground_truth},
        "extra_info": {
            "split": split,
            "index": index,
            "problem_id": row.problem_id,
            "domain": str(row.domain),
            "difficulty": row.difficulty,
            "prefix": row.prefix,
            "solution": row.solution,
            "rest": row.rest,
        },
    }


def write_rows(rows: Sequence[Row], path: Path, split: str) -> None:
    """Writes `rows` in order as one parquet file; the same rows give the same bytes under one pyarrow version.

    Columns: data_source, prompt, ability, reward_model{style, ground_truth}, extra_info{split, index, problem_id,
    domain, difficulty, prefix, solution, rest}.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    texts = ("problem_id", "domain", "prefix", "solution", "rest")
    extra = [("split", pa.string()), ("index", pa.int64()), ("difficulty", pa.float64())]
    schema = pa.schema(
        [
            ("data_source", pa.string()),
            ("prompt", pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))),
            ("ability", pa.string()),
            ("reward_model", pa.struct([("style", pa.string()), ("ground_truth", pa.string())])),
            ("extra_info", pa.struct([*extra, *((name, pa.string()) for name in texts)])),
        ]
    )
    records = [_record(row, split, index) for index, row in enumerate(rows)]
    pq.write_table(pa.Table.from_pylist(records, schema=schema), path, compression="zstd")


def as_json(value: object) -> str:
    """Compact, sorted JSON."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
